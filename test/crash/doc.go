// Package crash kills the server again and again while applications are created, changed, moved and deleted, and checks
// that nothing is lost, made twice, left behind or taken from somebody else. It has tests only, under the build tag crash,
// because a run takes ten minutes:
//
//	make test-crash
//	KRAKE_CRASH_SEED=7 make test-crash      # the same kills and the same applications again
//	KRAKE_CRASH_KILLS=40 make test-crash    # a shorter run; each fail point once all the same
//
// The server is a separate process with the build tag failpoint, on a data directory of its own, and manages two real
// clusters. One kill after the other ends it: first at every step of internal/failpoint, then at random times. After
// every ten kills the load pauses, and when everything has settled the clusters and the API are compared with what the
// answers of the API have promised.
//
//	run_test.go          the run: groups of kills, a check after each
//	kills_test.go        when to kill
//	server_test.go       builds, starts and kills the server
//	link_test.go         the way from the server to a cluster, which can be cut
//	life_test.go         what one application is to go through
//	account_test.go      what the answers of the API have promised about it
//	load_test.go         keeps twenty applications going
//	witness_test.go      watches the clusters: is anything made twice?
//	foreign_test.go      objects that are none of Krake's business
//	checks_test.go       compares clusters, inventories and promises
//	settle_test.go       waits until nothing is left to do
//	evidence_test.go     writes down what is needed to understand a failure
//
// A new fail point is tried by itself: the list is that of internal/failpoint. A new kind of life belongs into
// life_test.go, a new invariant into checks_test.go or, where it must hold at every moment, into the witness.
package crash
