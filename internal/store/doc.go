// Package store keeps objects in etcd: an embedded member by default, with
// revisions, transactions over several keys, and watches that can be resumed.
//
// It owns the data directory and its lock, the stored form of a value (frame.go),
// the one etcd watch that feeds every reader (hub.go), and the compaction of old
// revisions (compact.go). It knows keys and JSON values and nothing else: no
// kinds, no schemas, no HTTP, no user. It imports no other package of Krake.
//
// How a watch gets its events:
//
//	etcd ──one watch, whole keyspace──▶ hub ──▶ window (the newest events)
//	                                     │            │ resume within the window
//	                                     ▼            ▼
//	                          queue of each watch ──▶ Next
//	                                     ▲
//	etcd ──replay from a revision────────┘ resume from before the window
//
// Where to add the next thing: another place for the data (an external cluster)
// is a second constructor beside Open that fills the same backend (backend.go);
// another stored form (encryption) is a flag in frame.go; a new condition or
// operation of a transaction is a constructor in txn.go.
package store
