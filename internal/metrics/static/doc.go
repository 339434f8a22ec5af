// Package static is the provider of metrics whose values are written down in the provider itself.
package static
