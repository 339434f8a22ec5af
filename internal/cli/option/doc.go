// Package option holds the values that rok's options take: labels, metrics with their weight, states to wait for, hooks.
// Each is a pflag.Value; those that take another number of words than one also say so to package argparse.
package option
