package api

import (
	"crypto/subtle"
	"net/http"
)

func bindApplication(r Resource, body any, now Time, parts map[string]any) error {
	a, b := r.(*Application), body.(*ClusterBinding)
	switch {
	case b.UID != "" && b.UID != a.Metadata.UID:
		return stale("The decision was made for an application of this name that no longer exists.")
	case b.Generation != 0 && b.Generation != a.Metadata.Generation:
		return stale("The decision was made on generation %d, the application is at %d.", b.Generation, a.Metadata.Generation)
	case !b.Expected.holds(a.Status.ScheduledTo):
		return stale("The application was bound to another cluster since the decision was made.")
	}
	// The reference's controller acts once the stamp has reached the modification, also when the clock went back.
	stamp := now.Max(a.Metadata.Modified)
	a.Status.Scheduled, a.Status.KubeControllerTriggered = &stamp, &stamp
	a.Status.ScheduledGeneration = a.Metadata.Generation
	a.Status.ScheduledTo = &b.Cluster
	a.Metadata.Owners = clusterOwners(a.Metadata.Owners, a.Status.ScheduledTo, a.Status.RunningOn)
	a.Status.Retries, a.Status.ScheduledRetry = nil, nil
	a.Status.Conditions = a.Status.Conditions.With(Condition{
		Type: Scheduled, Status: True, Reason: "Placed", ObservedGeneration: a.Metadata.Generation,
	}, now)
	if b.Placement != nil {
		parts[PlacementPart] = b.Placement
	}
	return nil
}

func completeApplication(r Resource, body any, now Time, _ map[string]any) error {
	a := r.(*Application)
	if !sameToken(a.Status.CompleteToken, body.(*ApplicationComplete).Token) {
		return badToken()
	}
	a.Status.State = AppReadyForAction
	MarkDeleted(a, now)
	a.Metadata.Deleted = &now
	return nil
}

func shutdownApplication(r Resource, body any, now Time, _ map[string]any) error {
	a := r.(*Application)
	if !sameToken(a.Status.ShutdownToken, body.(*ApplicationShutdown).Token) {
		return badToken()
	}
	if a.Status.State == AppWaitingForCleaning || a.Status.State == AppDegraded {
		a.Status.State = AppReadyForAction
		a.Status.ShutdownGracePeriod = nil
		a.confirmShutdown(now)
	}
	return nil
}

// confirmShutdown puts the application's answer where the state is computed from, so that it is not forgotten with the
// next change of another condition.
func (a *Application) confirmShutdown(now Time) {
	asked := a.Status.Conditions.Get(ShuttingDown)
	if asked.Status == True {
		asked.Reason, asked.Message = Confirmed, "The application may be stopped."
		a.Status.Conditions = a.Status.Conditions.With(asked, now)
	}
}

func retryApplication(r Resource, _ any, _ Time, _ map[string]any) error {
	a := r.(*Application)
	if a.Status.State != AppDegraded {
		return NewProblem(http.StatusBadRequest, TitleUpdate, "No migration or deletion retry needed")
	}
	a.Status.State = AppWaitingForCleaning
	a.Status.ShutdownGracePeriod = nil
	return nil
}

func badToken() error {
	return NewProblem(http.StatusUnauthorized, "", "401: No token has been provided or the provided one is invalid.")
}

// sameToken compares without telling by its duration where two tokens differ. No token matches nothing.
func sameToken(stored, sent *string) bool {
	return stored != nil && sent != nil && subtle.ConstantTimeCompare([]byte(*stored), []byte(*sent)) == 1
}

// MarkDeleted asks for the deletion of an object: it is done once nobody has work left, the garbage collector first.
func MarkDeleted(r Resource, now Time) {
	m := Meta(r)
	if m.Deleted == nil {
		m.Deleted = &now
	}
	kept := make([]string, 0, len(m.Finalizers)+1)
	for _, f := range m.Finalizers {
		if f != FinalizerCascade {
			kept = append(kept, f)
		}
	}
	m.Finalizers = append(kept, FinalizerCascade)
}
