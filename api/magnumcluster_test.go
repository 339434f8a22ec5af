package api_test

import (
	"testing"

	"github.com/rak-n-rok/krake/api"
)

// What is bound to a cloud or a project once is so for good; what found none may find one later.
func TestAClusterThatFoundNoPlaceIsPendingAgainWhenItHasOne(t *testing.T) {
	refused := condition(api.Scheduled, api.False, string(api.NoSuitableResource))
	refused.Message = "No matching one found"
	placed := condition(api.Scheduled, api.True, "Placed")
	other := refused
	other.Message = "Still none"

	cluster := func(before *api.Cluster, c api.Condition) *api.Cluster {
		after := *before
		after.Status.Conditions = before.Status.Conditions.With(c, api.Time{})
		after.Settle(before)
		return &after
	}
	k := cluster(api.New[api.Cluster](), refused)
	if k = cluster(k, other); k.Status.State != api.ClusterFailed || k.Status.Reason.Message != "Still none" {
		t.Errorf("%s: %+v", k.Status.State, k.Status.Reason)
	}
	if k = cluster(k, placed); k.Status.State != api.ClusterPending || k.Status.Reason != nil {
		t.Errorf("%s: %+v", k.Status.State, k.Status.Reason)
	}

	magnum := func(before *api.MagnumCluster, c api.Condition) *api.MagnumCluster {
		after := *before
		after.Status.Conditions = before.Status.Conditions.With(c, api.Time{})
		after.Settle(before)
		return &after
	}
	m := magnum(api.New[api.MagnumCluster](), refused)
	if m = magnum(m, other); m.Status.State != api.MagnumFailed || m.Status.Reason.Message != "Still none" {
		t.Errorf("%s: %+v", m.Status.State, m.Status.Reason)
	}
	if m = magnum(m, placed); m.Status.State != api.MagnumPending || m.Status.Reason != nil {
		t.Errorf("%s: %+v", m.Status.State, m.Status.Reason)
	}
	running := api.New[api.MagnumCluster]()
	running.Status.State = api.MagnumRunning
	if m = magnum(running, refused); m.Status.State != api.MagnumRunning {
		t.Errorf("what others call RUNNING is %s", m.Status.State)
	}
}

// An application that waits for a cluster says so until it has one, or does not wait any more.
func TestAnApplicationThatWaitsForACluster(t *testing.T) {
	settle := func(before *api.Application, edit func(*api.Application)) *api.Application {
		after := *before
		edit(&after)
		after.Settle(before)
		return &after
	}
	waits := settle(api.New[api.Application](), func(a *api.Application) {
		a.Status.Conditions = a.Status.Conditions.With(condition(api.Scheduled, api.Unknown, api.ClusterAwaited), api.Time{})
	})
	if waits.Status.State != api.AppWaitingForCluster {
		t.Errorf("it is %s", waits.Status.State)
	}
	gaveUp := settle(waits, func(a *api.Application) { a.Status.Conditions = a.Status.Conditions.Without(api.Scheduled) })
	bound := settle(waits, func(a *api.Application) {
		ref := api.ClusterKind.Ref("n", "c")
		a.Status.ScheduledTo = &ref
		a.Status.Conditions = a.Status.Conditions.With(condition(api.Scheduled, api.True, "Placed"), api.Time{})
	})
	for what, a := range map[string]*api.Application{"gave up": gaveUp, "was bound": bound} {
		if a.Status.State != api.AppPending {
			t.Errorf("when it %s it is %s", what, a.Status.State)
		}
	}
	// A scheduler of the reference writes the state by itself, and that stays.
	theirs := api.New[api.Application]()
	theirs.Status.State = api.AppWaitingForCluster
	theirs = settle(theirs, func(a *api.Application) {
		a.Status.Conditions = a.Status.Conditions.With(condition(api.Scheduled, api.True, "Placed"), api.Time{})
	})
	if theirs.Status.State != api.AppWaitingForCluster {
		t.Errorf("theirs is %s", theirs.Status.State)
	}
}
