package api

import "slices"

// Reasons of the conditions of an application that its state depends on, beside the reason codes.
const (
	InProgress = "InProgress" // Applied, Cleaned: being worked on
	Completed  = "Completed"  // Healthy: all jobs and bare pods have ended
	Restarting = "Restarting" // Healthy: containers ended and are being started again
	Requested  = "Requested"  // ShuttingDown: waiting for the application's answer
	Confirmed  = "Confirmed"  // ShuttingDown: the application may be stopped

	ClusterAwaited = "ClusterAwaited" // Scheduled: Unknown while a cluster is being made for the application
)

// Settle keeps the stamps of the hand-over between scheduler and controller monotonic, marks the generation that was
// scheduled, and recomputes owners and state when what they depend on has changed. A writer that changes state or reason
// by itself, and no condition, has its way. InSync is no such condition: a state says nothing of it.
func (a *Application) Settle(before Resource) {
	old, _ := before.(*Application)
	if old == nil {
		old = &Application{}
	}
	s := &a.Status
	s.Scheduled = notBefore(s.Scheduled, old.Status.Scheduled)
	s.KubeControllerTriggered = notBefore(s.KubeControllerTriggered, old.Status.KubeControllerTriggered)
	triggered := s.KubeControllerTriggered
	renewed := triggered != nil && (old.Status.KubeControllerTriggered == nil || !triggered.Equal(*old.Status.KubeControllerTriggered))
	if renewed && !triggered.Before(a.Metadata.Modified) {
		s.ScheduledGeneration = a.Metadata.Generation
	}
	if !SameRef(s.ScheduledTo, old.Status.ScheduledTo) || !SameRef(s.RunningOn, old.Status.RunningOn) {
		a.Metadata.Owners = clusterOwners(a.Metadata.Owners, s.ScheduledTo, s.RunningOn)
	}
	if conditionsChanged(s.Conditions.Without(InSync), old.Status.Conditions.Without(InSync)) || s.outdated(&old.Status) {
		s.State, s.Reason = a.project(&old.Status)
	}
}

// outdated says whether the state was computed, and what it depends on beside the conditions has changed.
func (s *ApplicationStatus) outdated(before *ApplicationStatus) bool {
	computed := s.State == before.State && sameReason(s.Reason, before.Reason) &&
		(s.Conditions.reported() || s.Conditions.Get(Scheduled).Status == False)
	return computed && s.circumstances() != before.circumstances()
}

type circumstances struct{ retried, bound, running bool }

func (s *ApplicationStatus) circumstances() circumstances {
	return circumstances{s.ScheduledRetry != nil, s.ScheduledTo != nil, s.RunningOn != nil}
}

func sameReason(a, b *Reason) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// notBefore keeps a stamp from going back, whatever the clock says. A stamp may be removed.
func notBefore(now, before *Time) *Time {
	if now == nil || before == nil {
		return now
	}
	later := now.Max(*before)
	return &later
}

// clusterOwners replaces the clusters among the owners by those that the application is bound to and runs on; what a
// user put there beside clusters stays.
func clusterOwners(owners []ResourceRef, refs ...*ResourceRef) []ResourceRef {
	out := make([]ResourceRef, 0, len(owners)+len(refs))
	for _, o := range owners {
		wanted := slices.ContainsFunc(refs, func(r *ResourceRef) bool { return r != nil && r.Equal(o) })
		if wanted || o.API != ClusterKind.Group || o.Kind != ClusterKind.Name {
			out = append(out, o)
		}
	}
	for _, r := range refs {
		if r != nil && !slices.ContainsFunc(out, r.Equal) {
			out = append(out, *r)
		}
	}
	return out
}

func conditionsChanged(a, b Conditions) bool {
	return !slices.EqualFunc(a, b, func(x, y Condition) bool {
		return x.Type == y.Type && x.Status == y.Status && x.Reason == y.Reason && x.Message == y.Message &&
			x.ObservedGeneration == y.ObservedGeneration
	})
}

// project computes state and reason from the conditions: the first row of the table in docs/states.md that holds.
func (a *Application) project(before *ApplicationStatus) (ApplicationState, *Reason) {
	cs := a.Status.Conditions
	scheduled, applied, healthy, cleaned := cs.Get(Scheduled), cs.Get(Applied), cs.Get(Healthy), cs.Get(Cleaned)
	switch shutdown := a.Status.shutdown(before); {
	case shutdown == Requested:
		return AppWaitingForCleaning, a.Status.Reason
	case shutdown == Confirmed:
		return AppReadyForAction, a.Status.Reason
	case a.Metadata.Deleted != nil && cleaned.Reason != "":
		return AppDeleting, cleaned.asReason()
	case scheduled.Status == False && a.Status.ScheduledRetry != nil:
		return AppDegraded, scheduled.asReason()
	case scheduled.Status == False:
		return AppFailed, scheduled.asReason()
	case scheduled.Status == Unknown && scheduled.Reason == ClusterAwaited && a.Status.ScheduledTo == nil:
		return AppWaitingForCluster, nil
	case !cs.reported() && !a.unplaced() && before.Conditions.Get(Scheduled).Reason != ClusterAwaited:
		return a.Status.State, a.Status.Reason
	case a.Status.ScheduledTo == nil && a.Status.RunningOn == nil:
		return AppPending, nil
	case cs.Get(Migrating).Status == True:
		return AppMigrating, cs.Get(Migrating).asReason()
	}
	return a.projectApplied(applied, healthy)
}

// shutdown is how far a shutdown that is under way has come, empty if there is none. A client that knows no conditions
// ends one by writing the state that follows.
func (s *ApplicationStatus) shutdown(before *ApplicationStatus) string {
	is, was := s.Conditions.Get(ShuttingDown), before.Conditions.Get(ShuttingDown)
	changed := is.Status != was.Status || is.Reason != was.Reason
	if is.Status == True && (changed || s.State == AppWaitingForCleaning || s.State == AppReadyForAction) {
		return is.Reason
	}
	return ""
}

// reported says whether somebody reports on the application who knows conditions, beside those that come with a binding
// and with a hook. If not, a controller of the reference rules, and writes the state by itself.
func (cs Conditions) reported() bool {
	return slices.ContainsFunc(cs, func(c Condition) bool {
		return c.Type != Scheduled && c.Type != InSync && (c.Type != ShuttingDown || c.Status != True)
	})
}

// unplaced says whether the state tells that no place was found.
func (a *Application) unplaced() bool { return a.Status.Reason.Unplaced() }

func (a *Application) projectApplied(applied, healthy Condition) (ApplicationState, *Reason) {
	switch {
	case applied.Status == False:
		return AppFailed, applied.asReason()
	case applied.Status == Unknown && applied.Reason == InProgress && a.Status.RunningOn == nil:
		return AppCreating, nil
	case applied.Status == Unknown && applied.Reason == InProgress:
		return AppReconciling, nil
	case applied.Status == Unknown && applied.Reason != "":
		return a.stateBeforeError(), applied.asReason() // being retried
	case applied.Status == Unknown:
		return a.stateBeforeError(), nil
	case healthy.Status == True && healthy.Reason == Completed:
		return AppCompleted, nil
	case healthy.Reason == Restarting:
		return AppRestarting, nil
	case healthy.Status == False:
		return AppDegraded, nil
	default:
		return AppRunning, nil
	}
}

// stateBeforeError is the state while nothing new is known of what was applied: it stays if it speaks of that. One that
// speaks of a missing place, of a refusal, of a move or of a shutdown is over, or an earlier row would have held.
func (a *Application) stateBeforeError() ApplicationState {
	switch {
	case slices.Contains(statesOfApplied, a.Status.State) && !a.unplaced():
		return a.Status.State
	case a.Status.RunningOn != nil:
		return AppReconciling
	default:
		return AppPending
	}
}

// statesOfApplied speak of what was applied.
var statesOfApplied = []ApplicationState{AppCreating, AppRunning, AppReconciling, AppRestarting, AppDegraded, AppCompleted}

// asReason gives a condition as the reason of a state, nil when it names no reason code.
func (c Condition) asReason() *Reason {
	if !slices.Contains(ReasonCode("").Members(), c.Reason) {
		return nil
	}
	return &Reason{Code: ReasonCode(c.Reason), Message: c.Message}
}
