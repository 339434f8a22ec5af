// Package e2e holds the tests of a whole Krake: the real server with its real database and all controllers, real
// Kubernetes clusters of kubelab, and nothing in between but what the tests themselves put there, such as a connection
// that can be cut.
//
// The server and the clusters are shared by all tests of the binary. Each test works in a namespace of Krake of its own,
// where it registers the clusters under names of its own, and in namespaces of its own on the clusters; so tests run
// beside each other. Tests that stop a server start one for themselves.
//
// The files: server is Krake, site a cluster as its administrator sees it, line a connection that can be cut, scene what
// a test has of all that. The others are scenarios by subject.
package e2e
