// Package telemetry is where a process's log, metrics and traces go: the logger of its flags, the registry that GET
// /metrics shows, the exporter that the standard variables OTEL_… configure, and profiles for whoever is on the machine.
//
// What is logged, counted and traced is the business of the packages that know; it stands beside what they do. This
// package knows nothing of Krake.
package telemetry
