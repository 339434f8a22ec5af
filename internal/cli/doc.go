// Package cli is rok, the command line of Krake. Its tree of commands follows the table of kinds: every kind has list,
// get and delete; what else a kind can do, what it is called, and what its tables show stands in one file for the kind,
// which puts an entry into presentations. A kind without an entry gets the common commands and columns.
//
// A command runs in five steps: the words are put into the form that pflag reads (package argparse, for scripts written
// for the Python client), pflag reads them into options, the files that they name are read, one or two requests are
// sent, and the answer is shown as a table, JSON or YAML. Whatever is wrong with the command line is found before the
// first request. Documents are handled as package document reads them, so that nothing that this version does not know
// is lost.
//
// Some commands go on: --watch and wait follow objects as the API tells of their changes. What the shell may complete is
// asked from the API, too. The reference in the folder docs is made from the tree by package reference: after a change to
// a command, run go generate.
//
// The package must not import anything of the server; rok has to start at once and to run anywhere.
package cli

//go:generate go run ./reference/generate
