package api_test

import (
	"testing"

	"github.com/rak-n-rok/krake/api"
)

// condition is short for a condition in a table.
func condition(t api.ConditionType, s api.ConditionStatus, reason string) api.Condition {
	return api.Condition{Type: t, Status: s, Reason: reason, Message: "because"}
}

// settled gives an application as the server stores it after its conditions became these.
func settled(a api.Application, conditions ...api.Condition) *api.Application {
	before := a
	a.Status.Conditions = conditions
	if len(conditions) == 0 {
		before.Status.Conditions = api.Conditions{condition(api.Healthy, api.Unknown, "Before")}
	}
	a.Settle(&before)
	return &a
}

var (
	shutdownRequested = condition(api.ShuttingDown, api.True, api.Requested)
	shutdownConfirmed = condition(api.ShuttingDown, api.True, api.Confirmed)
	shutdownOver      = condition(api.ShuttingDown, api.False, "Done")
	cleaning          = condition(api.Cleaned, api.Unknown, api.InProgress)
	cleaningFailed    = condition(api.Cleaned, api.Unknown, string(api.DeleteFailed))
	placed            = condition(api.Scheduled, api.True, "Placed")
	unplaced          = condition(api.Scheduled, api.False, string(api.NoSuitableResource))
	moving            = condition(api.Migrating, api.True, "Moving")
	moved             = condition(api.Migrating, api.False, "Moved")
	applying          = condition(api.Applied, api.Unknown, api.InProgress)
	retrying          = condition(api.Applied, api.Unknown, string(api.KubernetesError))
	applied           = condition(api.Applied, api.True, "Accepted")
	notApplied        = condition(api.Applied, api.False, string(api.InvalidResource))
	healthy           = condition(api.Healthy, api.True, "Ready")
	unhealthy         = condition(api.Healthy, api.False, "Unready")
	completed         = condition(api.Healthy, api.True, api.Completed)
	restarting        = condition(api.Healthy, api.Unknown, api.Restarting)
)

// The rows are those of the table in docs/states.md, in its order, each with what beats it or what it beats.
func TestTheStateOfAnApplicationFollowsFromItsConditions(t *testing.T) {
	fresh := func(s *api.Application) {}
	bound := func(a *api.Application) { a.Status.ScheduledTo = cluster("a") }
	runs := func(a *api.Application) { a.Status.ScheduledTo, a.Status.RunningOn = cluster("a"), cluster("a") }
	deleted := func(a *api.Application) { runs(a); a.Metadata.Deleted = at(0) }
	retries := func(a *api.Application) { a.Status.ScheduledRetry = at(9) }
	was := func(s api.ApplicationState, code api.ReasonCode, more ...func(*api.Application)) func(*api.Application) {
		return func(a *api.Application) {
			a.Status.State = s
			if code != "" {
				a.Status.Reason = &api.Reason{Code: code, Message: "because"}
			}
			for _, m := range more {
				m(a)
			}
		}
	}
	for name, c := range map[string]struct {
		app        func(*api.Application)
		conditions api.Conditions
		state      api.ApplicationState
		reason     api.ReasonCode // empty for none
	}{
		"deletion asked, the application is asked to get ready":     {deleted, api.Conditions{shutdownRequested, applied}, api.AppWaitingForCleaning, ""},
		"deletion asked, the application is ready":                  {deleted, api.Conditions{shutdownConfirmed, applied}, api.AppReadyForAction, ""},
		"deletion asked, ready, and the objects are being removed":  {deleted, api.Conditions{shutdownOver, applied, cleaning}, api.AppDeleting, ""},
		"deletion asked, the objects are being removed":             {deleted, api.Conditions{applied, healthy, cleaning}, api.AppDeleting, ""},
		"deletion asked, removing failed and is tried again":        {deleted, api.Conditions{applied, cleaningFailed}, api.AppDeleting, api.DeleteFailed},
		"deletion asked, removing beats a place that was not found": {deleted, api.Conditions{unplaced, cleaning}, api.AppDeleting, ""},
		"deletion asked, nobody has started yet":                    {deleted, api.Conditions{placed, applied}, api.AppRunning, ""},
		"no place, it will be tried again":                          {retries, api.Conditions{unplaced}, api.AppDegraded, api.NoSuitableResource},
		"no place, it will not be tried again":                      {fresh, api.Conditions{unplaced}, api.AppFailed, api.NoSuitableResource},
		"no place any more while it runs, it will be tried again":   {func(a *api.Application) { runs(a); retries(a) }, api.Conditions{unplaced, applied}, api.AppDegraded, api.NoSuitableResource},
		"never scheduled":                                            {fresh, api.Conditions{healthy}, api.AppPending, ""},
		"never scheduled, whatever was tried":                        {was(api.AppFailed, api.NoSuitableResource), api.Conditions{retrying}, api.AppPending, ""},
		"a move, the application is asked to get ready":              {runs, api.Conditions{placed, shutdownRequested, moving}, api.AppWaitingForCleaning, ""},
		"a move, the application is ready":                           {runs, api.Conditions{placed, shutdownConfirmed, moving}, api.AppReadyForAction, ""},
		"a move":                                                     {runs, api.Conditions{placed, moving, applied, healthy}, api.AppMigrating, ""},
		"a move that is over":                                        {runs, api.Conditions{placed, moved, applied, healthy}, api.AppRunning, ""},
		"the cluster refused the manifest":                           {bound, api.Conditions{placed, notApplied}, api.AppFailed, api.InvalidResource},
		"the cluster refused the manifest of what runs":              {runs, api.Conditions{placed, notApplied, healthy}, api.AppFailed, api.InvalidResource},
		"applying for the first time":                                {bound, api.Conditions{placed, applying}, api.AppCreating, ""},
		"applying again":                                             {runs, api.Conditions{placed, applying, healthy}, api.AppReconciling, ""},
		"the cluster does not answer while creating":                 {was(api.AppCreating, "", bound), api.Conditions{placed, retrying}, api.AppCreating, api.KubernetesError},
		"the cluster does not answer while it runs":                  {was(api.AppRunning, "", runs), api.Conditions{placed, retrying}, api.AppRunning, api.KubernetesError},
		"the cluster does not answer after a refusal":                {was(api.AppFailed, api.InvalidResource, bound), api.Conditions{placed, retrying}, api.AppPending, api.KubernetesError},
		"the cluster does not answer after a refusal of what runs":   {was(api.AppFailed, api.InvalidResource, runs), api.Conditions{placed, retrying}, api.AppReconciling, api.KubernetesError},
		"the cluster does not answer after a move":                   {was(api.AppMigrating, "", runs), api.Conditions{placed, moved, retrying}, api.AppReconciling, api.KubernetesError},
		"the cluster does not answer after a shutdown":               {was(api.AppReadyForAction, "", bound), api.Conditions{placed, shutdownOver, retrying}, api.AppPending, api.KubernetesError},
		"placed, nothing done yet":                                   {bound, api.Conditions{placed}, api.AppPending, ""},
		"placed while an old controller runs it":                     {was(api.AppRunning, "", runs), api.Conditions{placed}, api.AppRunning, ""},
		"placed while an old controller moves it":                    {was(api.AppMigrating, "", runs), api.Conditions{placed}, api.AppMigrating, ""},
		"placed while an old controller has given it up":             {was(api.AppFailed, api.InvalidResource, runs), api.Conditions{placed}, api.AppFailed, api.InvalidResource},
		"placed while an old controller asks it to get ready":        {was(api.AppWaitingForCleaning, "", runs), api.Conditions{placed}, api.AppWaitingForCleaning, ""},
		"placed after it had found no place":                         {was(api.AppDegraded, api.NoSuitableResource, bound), api.Conditions{placed}, api.AppPending, ""},
		"placed after it had found no better place":                  {was(api.AppDegraded, api.NoSuitableResource, runs), api.Conditions{placed}, api.AppReconciling, ""},
		"everything that can end has ended":                          {runs, api.Conditions{placed, applied, completed}, api.AppCompleted, ""},
		"containers are being started again":                         {runs, api.Conditions{placed, applied, restarting}, api.AppRestarting, ""},
		"something is not ready":                                     {runs, api.Conditions{placed, applied, unhealthy}, api.AppDegraded, ""},
		"not ready, and the cluster does not answer":                 {was(api.AppDegraded, "", runs), api.Conditions{placed, retrying, unhealthy}, api.AppDegraded, api.KubernetesError},
		"accepted by the cluster":                                    {runs, api.Conditions{placed, applied}, api.AppRunning, ""},
		"accepted and ready":                                         {runs, api.Conditions{placed, applied, healthy}, api.AppRunning, ""},
		"accepted after a failure":                                   {was(api.AppFailed, api.InvalidResource, runs), api.Conditions{placed, applied}, api.AppRunning, ""},
		"a condition that the table does not know changes no state":  {was(api.AppRunning, "", runs), api.Conditions{condition("Later", api.True, "x"), applied}, api.AppRunning, ""},
		"a shutdown that is over leaves the state to the other rows": {runs, api.Conditions{placed, applied, shutdownOver}, api.AppRunning, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var a api.Application
			a.Status.State = api.AppPending
			c.app(&a)
			got := settled(a, c.conditions...)
			if got.Status.State != c.state {
				t.Errorf("the state is %s, want %s", got.Status.State, c.state)
			}
			code := api.ReasonCode("")
			if r := got.Status.Reason; r != nil {
				code = r.Code
				if r.Message != "because" {
					t.Errorf("the reason says %q", r.Message)
				}
			}
			if code != c.reason {
				t.Errorf("the reason is %q, want %q", code, c.reason)
			}
		})
	}
}

// Whether the cluster holds what was asked for is an answer of its own: the state, also one that an old client wrote,
// stays as it is.
func TestBeingInSyncIsNoMatterOfTheState(t *testing.T) {
	for _, status := range choices.states {
		for _, place := range choices.places {
			for _, conditions := range []api.Conditions{nil, {placed}, {placed, applied, healthy}, {unplaced}} {
				for _, s := range []api.ConditionStatus{api.True, api.False, api.Unknown} {
					before := &api.Application{Status: status}
					before.Status.ScheduledTo, before.Status.RunningOn, before.Status.Conditions = place[0], place[1], conditions
					after := settled(*before, append(conditions[:len(conditions):len(conditions)], condition(api.InSync, s, "x"))...)
					if after.Status.State != status.State || after.Status.Reason != status.Reason {
						t.Fatalf("%s became %s", describe(before, before), after.Status.State)
					}
					moved := func(a *api.Application) api.ApplicationState {
						next := *a
						next.Status.RunningOn = cluster("c")
						next.Settle(a)
						return next.Status.State
					}
					if with, without := moved(after), moved(before); with != without {
						t.Fatalf("with it the next state is %s, without it %s: %s", with, without, describe(before, before))
					}
				}
			}
		}
	}
}
