// Package apiserver serves the table of kinds over HTTP: the only way to Krake's data.
//
// Everything is generic over api.Kind: route.go finds kind and operation for a path, object.go loads, changes and
// stores one object with its parts in a transaction that is repeated when somebody else was faster, and one file per
// operation says what changes. What is special to a kind stands in its Go type in package api.
//
// The package knows nothing of controllers and member clusters. A new operation for all kinds is a file here and a line
// in route.go; a new kind needs nothing here.
package apiserver
