// Package document reads the API's JSON without losing anything: unknown keys, their order, and how numbers are written.
// rok shows and sends back documents in this form, so that an older rok does no harm to what a newer server added.
package document
