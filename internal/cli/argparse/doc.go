// Package argparse reads command lines by the rules of Python's argparse, which the scripts of Krake's users were written
// for: long options may be cut short, negative numbers are values, an option may take several words. Rewrite turns such
// a line into one that pflag reads; it knows nothing of single commands.
//
// What the old options of a command are is told by Old and Spelled. A command that calls neither has no old options, and
// for it only the common part holds: options and positionals in any order, full names, one spelling.
package argparse
