// Package view says what of an object rok's tables show, and how each value is written in a cell. The columns of a kind
// are given where its commands are; the writing of values is the same for all.
package view
