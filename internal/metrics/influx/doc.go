// Package influx reads values of metrics from a bucket of an InfluxDB 2 server, by Flux queries of its HTTP API. It is
// tested with answers in the form that the documentation of InfluxDB gives, not with a server.
package influx
