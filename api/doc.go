// Package api is Krake's data model as it travels over HTTP and lies in the store: resource kinds, the types they share,
// problem documents, and the table of kinds from which routes, store keys, client and command line are made.
//
// A kind is one file: its Go type with the rules of package wire in struct tags, its rules about whole objects
// (CheckWire), its actions as pure functions, and a Kind value. One line in the table (table.go) makes it known.
//
// The package does no I/O and knows neither the server nor the store; programs outside this module may import it.
package api
