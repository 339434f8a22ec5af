// Package prometheus reads values of metrics from a Prometheus server, by instant queries of its HTTP API.
package prometheus
