// Package settings finds and reads rok's configuration file: where the API is, whose namespace is used, and the
// certificates.
package settings
