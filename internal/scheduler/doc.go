// Package scheduler gives applications a cluster and keeps them on one that they may be on. It is the shell around the
// pure decisions of package core: it watches, calls, and writes what was decided as the scheduler's own fields: the
// binding, the condition Scheduled, the attempts, and the record of decisions that users read as the part placement.
//
// Every write is on a condition. A binding states which application it decided on (uid, generation, cluster), so that a
// report of health does not make a decision stale; everything else states the version that was read. A decision that
// lost is made again.
//
// An application that may stay where it is is asked by reschedule whether a better place pays for a move. Nothing is read
// or kept of one for which no place is better; of the others a guard holds what core remembers from look to look. What of
// that must survive is part of the record, and is written when it has changed by enough.
//
// Why an application goes where it goes belongs into core; when it is looked at, and what is written, belongs here.
package scheduler
