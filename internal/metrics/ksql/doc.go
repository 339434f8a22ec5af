// Package ksql reads values of metrics from a table of a ksqlDB server, and so from Kafka, by pull queries of its REST
// interface. It is tested with answers in the forms that the documentation of ksqlDB gives, not with a server.
package ksql
