package scheduler

import (
	"math/rand/v2"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// placed is the reason of the condition Scheduled when it holds, the same that the server writes with a binding.
const placed = "Placed"

// lastAttempt is added to a refusal that no further attempt follows. It also makes the condition change, on which the
// server computes the state anew.
const lastAttempt = ". There are no attempts left; a change of the application begins anew."

// step is what is to be written about an application. The zero value is nothing.
type step struct {
	decision api.Decision
	bind     *api.ResourceRef // the new cluster; everything else is empty then
	status   map[string]any   // the fields of the status that change
	record   bool             // whether the decision is worth remembering
	final    bool             // whether no further attempt follows
	again    time.Duration    // when to look at the application again, zero for when it changes
}

// settled says whether the scheduler has nothing to add to what it said of an application, as long as it may stay where
// it is and no other place is better.
func settled(a *api.Application) bool {
	c := a.Status.Conditions.Get(api.Scheduled)
	return c.Status == api.True && (c.Message == "" || c.Reason == moveWaits || c.Reason == stranded) && c.ObservedGeneration == a.Metadata.Generation &&
		a.Status.ScheduledGeneration >= a.Metadata.Generation
}

// plan turns a decision into what is to be written; stays says whether the application may stay where it is.
func plan(a *api.Application, d api.Decision, stays bool, now time.Time) step {
	switch d.Outcome {
	case core.Placed, core.Moved:
		return planBinding(a, d)
	case core.Kept:
		return planKeeping(a, d, stays, now)
	default:
		return planRefusal(a, d, now)
	}
}

// planBinding gives an application another cluster, unless it has failed for good and was not changed since.
func planBinding(a *api.Application, d api.Decision) step {
	if failed(a) {
		return step{}
	}
	ref := api.ClusterKind.Ref(a.Metadata.NamespaceOrEmpty(), d.Chosen)
	return step{decision: d, bind: &ref, record: true}
}

// planKeeping hands a new generation on to the application controller, and says so when an application may stay again
// that had to leave, or stays although it should not.
func planKeeping(a *api.Application, d api.Decision, stays bool, now time.Time) step {
	s := step{decision: d}
	message := ""
	if !stays {
		message = d.Reason
	}
	if hold := time.Unix(a.Status.MigrationTimeout, 0); !stays && hold.After(now) {
		s.again = hold.Sub(now)
	}
	was := a.Status.Conditions.Get(api.Scheduled)
	is := api.Condition{Type: api.Scheduled, Status: api.True, Reason: placed, Message: message,
		ObservedGeneration: a.Metadata.Generation}
	handOver := a.Status.ScheduledGeneration < a.Metadata.Generation
	if !handOver && was.Status == is.Status && was.Message == is.Message && was.ObservedGeneration == is.ObservedGeneration {
		return s
	}
	s.record = true
	s.status = map[string]any{
		"conditions": a.Status.Conditions.With(is, api.At(now)), "retries": nil, "scheduled_retry": nil,
	}
	if handOver {
		s.status["kube_controller_triggered"] = handOverStamp(a, now)
	}
	return s
}

// handOverStamp is now, but not before the application was modified, and not the stamp that is there: the server takes
// only a new one for a hand-over. The clock may have been set back.
func handOverStamp(a *api.Application, now time.Time) api.Time {
	stamp := api.At(now).Max(a.Metadata.Modified)
	if old := a.Status.KubeControllerTriggered; old != nil {
		stamp = stamp.Max(api.At(old.Time().Add(time.Microsecond)))
	}
	return stamp
}

// planRefusal counts an attempt, unless the time for one has not come.
func planRefusal(a *api.Application, d api.Decision, now time.Time) step {
	if failed(a) {
		return step{}
	}
	if retry := a.Status.ScheduledRetry; core.Waits(a) && retry.Time().After(now) {
		return step{again: retry.Time().Sub(now)}
	}
	next := core.Failed(a, now)
	message := d.Reason
	var retry *api.Time
	if next.Again {
		at := api.At(now.Add(next.Delay + rand.N(next.Delay/10))) // so that not all come back at once
		retry = &at
	} else {
		message += lastAttempt
	}
	was := a.Status.Conditions.Get(api.Scheduled)
	return step{decision: d, record: !core.Waits(a) || was.Message != message, final: !next.Again, status: map[string]any{
		"conditions": a.Status.Conditions.With(api.Condition{Type: api.Scheduled, Status: api.False,
			Reason: string(api.NoSuitableResource), Message: message, ObservedGeneration: a.Metadata.Generation}, api.At(now)),
		"retries": next.Left, "scheduled_retry": retry,
	}}
}

// failed says whether no place was found until no attempt was left, for what the application asks for now.
func failed(a *api.Application) bool { return core.Waits(a) && a.Status.ScheduledRetry == nil }
