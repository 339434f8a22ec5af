// Package yamlfile reads the YAML files that users hand to rok: one document or many, with errors that name the file
// and the line.
package yamlfile
