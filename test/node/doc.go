// Package node tests Krake with clusters on whose nodes containers run and answer. It has tests only, under the build
// tag node, because real nodes need root and some of Debian's packages:
//
//	make test-node
//
// The programs are those that users run: bin/krake and bin/rok.
//
//	walk_test.go     the walk-through of the README, with an answer of the application at each station
//	load_test.go     a move under a load of requests, of which those that fail are counted
//	through_test.go  logs, commands, terminals, ports and differences; spdy_test.go has a cluster without WebSockets
//	volumes_test.go  files that come along when an application moves, copying that breaks off, and files that are left behind
//	krake_test.go    starts a server, runs rok, reads applications
//
// What is to be seen of an application without a container that runs belongs into package e2e.
package node
