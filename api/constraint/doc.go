// Package constraint owns the two small languages in which users say where a resource may go: label constraints such
// as "location in (DE, SK)" and metric constraints such as "load <= 0.8". It parses them, prints them and matches
// them against the labels or metrics of a candidate.
//
// A constraint is a value that remembers the text it was written as. That text is what the interface stores and
// returns; meaning alone, never spelling, decides whether two constraints are equal. Every constraint has passed
// all checks, so matching cannot fail; the zero value and stored texts outside of the grammar match nothing.
//
// The package imports the standard library only. It must not know resource kinds, where labels and metric values come
// from, or how the constraints of one resource are combined: that is the scheduler's business.
//
// A new spelling of an operator is one entry in the table of label_grammar.go or metric_grammar.go. A new operator
// also needs its constant and its case in Matches. What makes a key, a value or a number well-formed is in pattern.go
// and number.go; metadata validation uses CheckKey and CheckValue from there.
package constraint
