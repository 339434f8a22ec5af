// Package provider is what all providers of metrics have in common: how a value is asked for, which errors there are, and
// how an answer is got over HTTP, with bounds on what a server may do to us.
//
// It knows no provider. Each is a package beside this one that returns a Source; the table of them is in package metrics.
package provider
