// Package suggest finds the word that was meant where a word is not known.
package suggest
