package kubernetes

import (
	"time"

	"github.com/rak-n-rok/krake/api"
)

// outcome is what came of the action of a move's phase.
type outcome int

const (
	notYet   outcome = iota // the action is not done; it is repeated
	done                    // what the phase is for holds
	refused                 // the target does not take the application
	unheard                 // the cluster to remove from does not answer
	withheld                // what is to be removed waits for approval
	underWay                // the action is not done, and goes on
	failed                  // the action did not work this time; it is begun anew
)

// result is an outcome, and for people what it waits for or why it cannot be had.
type result struct {
	outcome
	why string
}

// effects are what else must be stored together with a new phase.
type effects struct {
	leaveSource bool // running_on and services are cleared: the application is nowhere
	switchOver  bool // running_on and services become the target's
	handOver    bool // what is left on the cluster that was to be cleaned becomes a leftover
	giveUp      bool // the application stays where it is, and is bound to it again
}

// moveLimits are the times of a move.
type moveLimits struct {
	ready  time.Duration // how long the target may take until it is ready
	settle time.Duration // how long it has to be ready before the switch, so that its network has learned of it
	drain  time.Duration // how long both copies run after the switch, so that clients can follow
	clear  time.Duration // how long removing a copy may hold up everything else
	copy   time.Duration // how long copying may go without getting on
}

// maxAttempts is how often copying may fail in one move.
const maxAttempts = 3

// begin gives a move its first phase. Stopping takes as long as it takes where the application has to leave the source
// either way; everything else has a deadline.
func begin(m api.Migration, deleteFirst bool, now api.Time, limits moveLimits) api.Migration {
	switch {
	case m.Copies:
		return enter(m, api.PhaseClaiming, now, limits.ready)
	case deleteFirst:
		return enter(m, api.PhaseStopping, now, 0)
	}
	return enter(m, api.PhaseCreating, now, limits.ready)
}

// advance gives the state of a move after an outcome, and what to store with it. It is a pure function: the same move,
// outcome and time give the same result, and repeating an action after a crash gives the same outcome.
//
// A move that deletes first is over once the source is empty: what follows is a first deployment. It waits for a source
// that does not answer, because there the copy may still run that must not be the second one. Otherwise a copy that
// cannot be removed holds up nothing for longer than its deadline: an application that is stuck in a move would neither
// be updated nor repaired.
//
// A move that copies files is undone whatever goes wrong before the copy is ready: the source keeps its files, and starts
// again. Where the target's copy may have been started, it is waited for as long as there is time: only then two may run.
func advance(m api.Migration, r result, now api.Time, limits moveLimits) (api.Migration, effects) {
	late := m.Deadline != nil && !now.Before(*m.Deadline)
	leave := r.outcome == unheard || r.outcome == withheld || r.outcome == notYet && late // what is still there is removed by and by
	switch m.Phase {
	case api.PhaseClaiming:
		switch {
		case r.outcome == done:
			return enter(m, api.PhaseStopping, now, limits.clear), effects{}
		case r.outcome == refused:
			return undo(m, now, limits, sentence("the files cannot be copied", r.why)), effects{}
		case late:
			return undo(m, now, limits, sentence("there was no place for the files on the target in time", r.why)), effects{}
		}
	case api.PhaseStopping:
		switch {
		case r.outcome == done && m.Copies:
			return enter(m, api.PhaseCopying, now, limits.copy), effects{}
		case r.outcome == done:
			return finish(m, ""), effects{leaveSource: true}
		case m.Copies && r.outcome == refused:
			return undo(m, now, limits, sentence("the files cannot be copied", r.why)), effects{}
		case m.Copies && late:
			return undo(m, now, limits, sentence("it could not be stopped in time", r.why)), effects{}
		}
	case api.PhaseCopying:
		return advanceCopy(m, r, late, now, limits)
	case api.PhaseCreating:
		settled := r.outcome == done && settling(m, now, limits) <= 0
		switch {
		case settled && m.Copies: // nobody is on the source any more who could be followed
			return enter(m, api.PhaseRemoving, now, limits.clear), effects{switchOver: true}
		case settled:
			return enter(m, api.PhaseDraining, now, limits.drain), effects{switchOver: true}
		case r.outcome == done:
			if m.Ready == nil {
				m.Ready = &now
			}
			return m, effects{}
		case r.outcome == refused:
			return undo(m, now, limits, sentence("the target does not take the application", r.why)), effects{}
		case late:
			return undo(m, now, limits, sentence("the application was not ready on the target in time", r.why)), effects{}
		}
		m.Ready = nil
	case api.PhaseDraining:
		if late || m.Deadline == nil {
			return enter(m, api.PhaseRemoving, now, limits.clear), effects{}
		}
	case api.PhaseRemoving:
		if r.outcome == done || leave {
			return finish(m, ""), effects{handOver: leave}
		}
	case api.PhaseUndoing:
		if m.Copies {
			leave = late // the copy may run, and the source is about to be started
		}
		if r.outcome == done || leave {
			return finish(m, m.Message), effects{giveUp: true, handOver: leave}
		}
	}
	return m, effects{}
}

// advanceCopy is advance for the phase Copying. Time is given again as long as the copying gets on, not each time but when
// half of it is over. An attempt that failed is begun anew, a few times.
func advanceCopy(m api.Migration, r result, late bool, now api.Time, limits moveLimits) (api.Migration, effects) {
	switch r.outcome {
	case done:
		return enter(m, api.PhaseCreating, now, limits.ready), effects{}
	case refused:
		return undo(m, now, limits, sentence("the files cannot be copied", r.why)), effects{}
	case failed:
		if m.Attempts++; m.Attempts >= maxAttempts {
			return undo(m, now, limits, sentence("the files could not be copied", r.why)), effects{}
		}
		return restart(m, now, limits), effects{}
	case underWay:
		if m.Deadline == nil || m.Deadline.Time().Sub(now.Time()) < limits.copy/2 {
			return restart(m, now, limits), effects{}
		}
		return m, effects{}
	}
	if late {
		return undo(m, now, limits, sentence("copying the files did not get on", r.why)), effects{}
	}
	return m, effects{}
}

// restart gives a phase its time again.
func restart(m api.Migration, now api.Time, limits moveLimits) api.Migration {
	deadline := api.At(now.Time().Add(limits.copy))
	m.Deadline = &deadline
	return m
}

// settling is how long a copy that is ready on the target still has to be, before clients are sent there. A cluster's
// nodes learn of a ready pod only later: kube-proxy gathers changes for a second before it writes its rules, and until
// then the port of a service refuses connections.
func settling(m api.Migration, now api.Time, limits moveLimits) time.Duration {
	if m.Ready == nil {
		return limits.settle
	}
	return limits.settle - now.Time().Sub(m.Ready.Time())
}

func sentence(what, why string) string {
	if why == "" {
		return what
	}
	return what + ": " + why
}

func enter(m api.Migration, phase api.MigrationPhase, now api.Time, limit time.Duration) api.Migration {
	m.Phase, m.Since, m.Deadline, m.Ready = phase, &now, nil, nil
	if limit > 0 {
		deadline := api.At(now.Time().Add(limit))
		m.Deadline = &deadline
	}
	return m
}

func undo(m api.Migration, now api.Time, limits moveLimits, why string) api.Migration {
	m = enter(m, api.PhaseUndoing, now, limits.clear)
	m.Message = why
	return m
}

// finish ends a move. Moves that failed in a row are counted, so that the next try comes later each time.
func finish(m api.Migration, failure string) api.Migration {
	failures := int64(0)
	if failure != "" {
		failures = m.Failures + 1
	}
	return api.Migration{Failures: failures, Message: failure}
}
