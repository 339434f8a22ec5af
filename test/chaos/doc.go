// Package chaos lets API servers and the members of their etcd cluster die and hang under a load of writes, and checks
// that nothing that was acknowledged is lost, that no event is lost or told twice, and that what clients saw could have
// come from one register for each object.
//
// Members and servers are processes: this test binary, started anew, each in a network namespace with a cable to a bridge.
// They are killed, stopped and continued by signals, and cut off. All of it happens in namespaces of the test's own, so
// that nothing is seen outside or outlives it. The build tag is chaos; make test-chaos runs it, as root.
package chaos
