// Package metrics reads the values of metrics from their providers: each value once for everybody who needs it, in the
// background, so that deciding waits for nobody. A value that cannot be read for a while is remembered as it was last. What
// was read is told in the status of the metrics.
//
// The providers are packages of their own behind the interface of package provider. Adding one: see docs/providers.md.
package metrics
