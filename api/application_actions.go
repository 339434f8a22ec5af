package api

import (
	"crypto/subtle"
	"net/http"
	"slices"
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
	if m := a.Status.MoveRequest; m != nil && (m.To == b.Cluster.Name || !m.Open()) {
		a.Status.MoveRequest = nil
	}
	a.Metadata.Owners = clusterOwners(a.Metadata.Owners, a.Status.ScheduledTo, a.Status.RunningOn)
	a.Status.Retries, a.Status.ScheduledRetry, a.Status.AutoClusterCreateStarted = nil, nil, nil
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
	a.readyToShutDown("The application has done its work.", now)
	MarkDeleted(a, now)
	a.Metadata.Deleted, a.Status.Cascaded = &now, false
	return nil
}

func shutdownApplication(r Resource, body any, now Time, _ map[string]any) error {
	a := r.(*Application)
	if !sameToken(a.Status.ShutdownToken, body.(*ApplicationShutdown).Token) {
		return badToken()
	}
	if a.Status.State == AppWaitingForCleaning || a.Status.State == AppDegraded {
		a.Status.ShutdownGracePeriod = nil
		a.readyToShutDown("The application may be stopped.", now)
	}
	return nil
}

func retryApplication(r Resource, _ any, now Time, _ map[string]any) error {
	a := r.(*Application)
	if a.Status.State != AppDegraded {
		return NewProblem(http.StatusBadRequest, TitleUpdate, "No migration or deletion retry needed")
	}
	a.Status.ShutdownGracePeriod = nil
	if !a.wantsToBeTold() {
		a.Status.State = AppWaitingForCleaning // until somebody reports: nobody is asked
		return nil
	}
	a.askToShutDown(now)
	return nil
}

// wantsToBeTold says whether the application is to be asked to get ready before it is stopped.
func (a *Application) wantsToBeTold() bool { return slices.Contains(a.Spec.Hooks, HookShutdown) }

func (a *Application) askToShutDown(now Time) {
	a.Status.State = AppWaitingForCleaning
	a.shuttingDown(Requested, "The application is asked to get ready to be stopped.", now)
}

func (a *Application) readyToShutDown(why string, now Time) {
	a.Status.State = AppReadyForAction
	a.shuttingDown(Confirmed, why, now)
}

// shuttingDown puts the state of a shutdown where the application's state is computed from, so that it is not forgotten
// with the next change of another condition.
func (a *Application) shuttingDown(reason, message string, now Time) {
	a.Status.Conditions = a.Status.Conditions.With(Condition{
		Type: ShuttingDown, Status: True, Reason: reason, Message: message, ObservedGeneration: a.Metadata.Generation,
	}, now)
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
