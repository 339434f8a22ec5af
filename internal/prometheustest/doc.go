// Package prometheustest gives tests a real Prometheus. It is imported by tests with the build tag providers only.
package prometheustest
