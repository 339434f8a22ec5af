// Package server puts components together in one process: the API over its store, and the controllers as clients of it,
// over an in-process transport or over the network. It decides what runs and in which order it starts and stops;
// everything else is the components' own.
//
// A new component is a function in components.go and a line in its table.
package server
