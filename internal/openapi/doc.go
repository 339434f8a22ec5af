// Package openapi describes the HTTP interface from the table of kinds: an OpenAPI 3.1 document, and a page that shows it.
//
// Schemas come from the Go types and their wire tags, descriptions from the comments on them, which describe collects into
// descriptions.json. The package serves nothing itself. What is special to a type that decodes itself stands in schema.go.
package openapi

//go:generate go run ./describe ../../api descriptions.json
