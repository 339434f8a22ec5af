// Package providertest is what every provider of metrics has to pass: what it makes of values, of what is no value, and of a
// server that is slow, hostile or not there. It is imported by tests only.
package providertest
