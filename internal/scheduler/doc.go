// Package scheduler gives applications a cluster and keeps them on one that they may be on. It is the shell around the
// pure decisions of package core: it watches, calls, and writes what was decided as the scheduler's own fields: the
// binding, the condition Scheduled, the attempts, and the record of decisions that users read as the part placement.
//
// Every write is on a condition. A binding states which application it decided on (uid, generation, cluster), so that a
// report of health does not make a decision stale; everything else states the version that was read. A decision that
// lost is made again.
//
// Why an application goes where it goes belongs into core; when it is looked at, and what is written, belongs here.
package scheduler
