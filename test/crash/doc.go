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
//	manifest_test.go     the shapes of applications, and their objects
//	guest_test.go        applications with a record of a cluster of their own, which is removed under way
//	injury_test.go       objects that lose their label, or are removed, behind Krake's back
//	account_test.go      what the answers of the API have promised about it
//	load_test.go         keeps twenty applications going
//	witness_test.go      watches the clusters: is anything made twice?
//	copies_test.go       is an application on two clusters that must not be, or on none that has to be on one?
//	hold_test.go         pods that take their time to start and to end
//	foreign_test.go      objects that are none of Krake's business
//	checks_test.go       compares clusters, inventories and promises
//	settle_test.go       waits until nothing is left to do
//	report_test.go       what happened in a run, and what should have
//	evidence_test.go     writes down what is needed to understand a failure
//
// A new fail point is tried by itself: the list is that of internal/failpoint. A new shape of applications belongs into
// manifest_test.go, another turn of life into life_test.go, a new invariant into checks_test.go or, where it must hold at
// every moment, into the witness. What is to have happened in every run is counted in report_test.go.
//
// The witness asks both clusters before it accuses, because their news come in no common order. It does not see
// what is over by the time it asks; so simulated pods, which would start and end at once, are held for a while, and
// judged before they are let go. Whether a copy stays for as long as it should after a move has switched over is a matter
// of time and not checked here, only that the phase is there.
package crash
