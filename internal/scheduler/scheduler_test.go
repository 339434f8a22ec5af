package scheduler

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/constraint"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

//
func TestANewApplicationIsBoundToAClusterThatMatches(t *testing.T) {
	w := newWorld(t)
	w.cluster(space, "de", "location", "DE")
	w.cluster(space, "it", "location", "IT")
	w.schedule()
	a := w.untilOn(w.app("echo", demanding("location is IT")), "it")
	if c := a.Status.Conditions.Get(api.Scheduled); c.Status != api.True || c.ObservedGeneration != 1 ||
		a.Status.ScheduledGeneration != 1 || a.Status.Scheduled == nil {
		t.Errorf("the status does not say so: %+v", a.Status)
	}
	p := w.placement(a)
	if len(p.Decisions) != 1 || p.Decisions[0].Outcome != core.Placed || p.Decisions[0].Chosen != "it" ||
		p.Decisions[0].Refused["label"] != 1 || p.Decisions[0].Time == nil {
		t.Errorf("the record is %+v", p)
	}
}

func TestAnApplicationIsPlacedAsSoonAsAClusterOfItsNamespaceComes(t *testing.T) {
	w := newWorld(t)
	w.cluster("other", "foreign")
	w.schedule()
	// The next attempt by the clock would come much too late.
	a := w.until(w.app("echo", retrying(-1, 3600)), "degraded", func(a *api.Application) bool { return a.Status.State == api.AppDegraded })
	if r := a.Status.Reason; r == nil || r.Code != api.NoSuitableResource ||
		r.Message != "No matching Kubernetes cluster found: the namespace has no clusters" {
		t.Errorf("the reason is %+v", r)
	}
	if a.Status.Retries == nil || *a.Status.Retries != -1 || a.Status.ScheduledRetry == nil {
		t.Errorf("retries %v, next %v", a.Status.Retries, a.Status.ScheduledRetry)
	}
	w.cluster(space, "own")
	a = w.untilOn(a, "own")
	if a.Status.State == api.AppDegraded || a.Status.Reason != nil || a.Status.Retries != nil || a.Status.ScheduledRetry != nil {
		t.Errorf("the refusal is still in the status: %+v", a.Status)
	}
	var outcomes []string
	for _, d := range w.placement(a).Decisions {
		outcomes = append(outcomes, d.Outcome)
	}
	if strings.Join(outcomes, " ") != "placed refused" {
		t.Errorf("the record has %v", outcomes)
	}
}

func TestAMetricWithoutAValueIsNamedInTheRefusal(t *testing.T) {
	w := newWorld(t)
	w.cluster(space, "a")
	w.schedule()
	a := w.app("echo", func(a *api.Application) {
		m, err := constraint.ParseMetric("load > 5")
		if err != nil {
			t.Fatal(err)
		}
		a.Spec.Constraints.Cluster.Metrics = []constraint.Metric{m}
	})
	w.until(a, "refused for the metric", func(a *api.Application) bool {
		return a.Status.Reason != nil && strings.Contains(a.Status.Reason.Message, "1 without a known value of a metric")
	})
}

// and R-4: what has failed for good is left alone.
func TestAttemptsAreCountedDownToFailure(t *testing.T) {
	for limit, want := range map[int64]string{0: "FAILED 0", 1: "DEGRADED 0, FAILED 0", 2: "DEGRADED 1, DEGRADED 0, FAILED 0"} {
		t.Run(fmt.Sprint("limit ", limit), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.schedule()
			a := w.app("echo", demanding("tier is gold"), retrying(limit, 1))
			if got := strings.Join(w.history(a, api.AppFailed), ", "); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			// Terminal means that nothing but the user revives it.
			w.caughtUp(1)
			w.cluster(space, "late", "tier", "gold")
			w.caughtUp(2)
			if failed := w.get(a); failed.Status.State != api.AppFailed || failed.Status.ScheduledTo != nil {
				t.Errorf("without an edit it became %s on %v", failed.Status.State, failed.Status.ScheduledTo)
			}
			w.edit(a, func(a *api.Application) { a.Spec.Manifest = manifest("2") })
			w.untilOn(a, "late")
		})
	}
}

// history returns state and retries of an application each time they change, up to a state.
func (w world) history(a *api.Application, last api.ApplicationState) []string {
	w.Helper()
	var out []string
	ctx, cancel := contextWithin(w.T)
	defer cancel()
	err := w.apps.Watch(ctx, space, a.Metadata.ResourceVersion, func(e client.Event[*api.Application]) error {
		s := e.Object.Status
		if e.Object.Metadata.UID != a.Metadata.UID || s.Retries == nil {
			return nil
		}
		if line := fmt.Sprint(s.State, " ", *s.Retries); len(out) == 0 || out[len(out)-1] != line {
			out = append(out, line)
		}
		if s.State == last {
			return errDone
		}
		return nil
	})
	if err != errDone {
		w.Fatalf("after %v: %v", out, err)
	}
	return out
}

func TestAnEditGivesAllAttemptsBack(t *testing.T) {
	w := newWorld(t)
	w.schedule()
	a := w.app("echo", retrying(1, 1))
	w.until(a, "failed", func(a *api.Application) bool { return a.Status.State == api.AppFailed })
	edited := w.edit(a, func(a *api.Application) { a.Spec.Manifest = manifest("2") })
	if got := strings.Join(w.history(edited, api.AppFailed), ", "); got != "DEGRADED 0, FAILED 0" {
		t.Errorf("got %s", got)
	}
}

//
func TestAnEditIsHandedOnAlthoughThePlaceStays(t *testing.T) {
	for name, migration := range map[string]bool{"with migration": true, "without migration": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.cluster(space, "a")
			w.schedule()
			a := w.untilOn(w.app("echo", func(a *api.Application) { a.Spec.Constraints.Migration = migration }), "a")
			edited := w.edit(a, func(a *api.Application) { a.Spec.Manifest = manifest("2") })
			got := w.until(a, "handed on", func(a *api.Application) bool { return a.Status.ScheduledGeneration == 2 })
			if got.Status.KubeControllerTriggered.Before(edited.Metadata.Modified) || !got.Status.Scheduled.Equal(*a.Status.Scheduled) {
				t.Errorf("modified %s, handed on %s; bound %s, then %s", edited.Metadata.Modified,
					got.Status.KubeControllerTriggered, a.Status.Scheduled, got.Status.Scheduled)
			}
			if d := w.placement(a).Decisions; len(d) != 2 || d[0].Outcome != core.Kept || d[0].Generation != 2 {
				t.Errorf("the record is %+v", d)
			}
		})
	}
}

func TestWhatMovesAnApplication(t *testing.T) {
	w := newWorld(t)
	w.schedule()
	here := w.cluster(space, "here", "tier", "gold")
	a := w.untilOn(w.app("echo", demanding("tier is gold")), "here")
	w.cluster(space, "there", "tier", "gold")
	w.label(here, "tier", "lead")
	a = w.untilOn(a, "there")

	w.label(here, "tier", "gold")
	must(w.clusters.Delete(w.Context(), space, "there", client.DeleteOptions{Force: true}))(w)
	a = w.untilOn(a, "here")

	// The user's own constraint moves it as well, with the hand-over in the same write.
	w.cluster(space, "silver", "tier", "silver")
	w.edit(a, demanding("tier is silver"))
	a = w.untilOn(a, "silver")
	if a.Status.ScheduledGeneration != a.Metadata.Generation {
		t.Errorf("generation %d is not handed on, only %d", a.Metadata.Generation, a.Status.ScheduledGeneration)
	}
	if d := w.placement(a).Decisions; d[0].Outcome != core.Moved || d[0].Current != "here" || d[0].Chosen != "silver" {
		t.Errorf("the record is %+v", d)
	}
}

func TestWhatDoesNotMoveAnApplication(t *testing.T) {
	w := newWorld(t)
	w.schedule()
	here := w.cluster(space, "here")
	a := w.untilOn(w.app("echo"), "here")
	w.cluster(space, "other")
	for i, state := range []api.ClusterState{api.ClusterOffline, api.ClusterConnecting, api.ClusterNotReady,
		api.ClusterUnhealthy, api.ClusterFailingMetrics, api.ClusterOnline} {
		here = w.report(here, state)
		w.caughtUp(i)
		if now := w.get(a); now.Metadata.ResourceVersion != a.Metadata.ResourceVersion {
			t.Fatalf("when the cluster became %s, the application was written: %+v", state, now.Status)
		}
	}
}

func TestAnApplicationIsNotRetargetedDuringAMove(t *testing.T) {
	w := newWorld(t)
	w.schedule()
	here := w.cluster(space, "here", "tier", "gold")
	a := w.untilOn(w.app("echo", demanding("tier is gold")), "here")
	w.set(a, condition(api.Migrating, api.True))
	w.caughtUp(1)
	w.cluster(space, "there", "tier", "gold")
	w.label(here)
	a = w.until(a, "told why it stays", func(a *api.Application) bool {
		return strings.Contains(a.Status.Conditions.Get(api.Scheduled).Message, "a move is under way")
	})
	if place(a) != "here" {
		t.Errorf("it was bound to %s", place(a))
	}
	w.label(here, "tier", "gold")
	w.until(a, "told that all is well", func(a *api.Application) bool { return a.Status.Conditions.Get(api.Scheduled).Message == "" })
	w.label(here)
	w.set(a, condition(api.Migrating, api.False))
	a = w.untilOn(a, "there")
	if m := a.Status.Conditions.Get(api.Scheduled).Message; m != "" {
		t.Errorf("the condition still says %q", m)
	}
}

func TestAnApplicationWaitsAfterAFailedMove(t *testing.T) {
	w := newWorld(t)
	w.schedule()
	here := w.cluster(space, "here", "tier", "gold")
	a := w.untilOn(w.app("echo", demanding("tier is gold")), "here")
	hold := time.Now().Add(3 * time.Second).Unix()
	w.set(a, func(*api.Application) object { return object{"migration_timeout": hold} })
	w.caughtUp(1)
	w.cluster(space, "there", "tier", "gold")
	w.label(here)
	w.until(a, "told why it waits", func(a *api.Application) bool {
		return strings.Contains(a.Status.Conditions.Get(api.Scheduled).Message, "because a move has failed") || place(a) == "there"
	})
	if a = w.untilOn(a, "there"); a.Status.Scheduled.Time().Unix() < hold {
		t.Errorf("it moved at %s, before %d", a.Status.Scheduled, hold)
	}
}

func TestAnApplicationThatMustLeaveAndCannotStaysAndSaysSo(t *testing.T) {
	w := newWorld(t)
	w.schedule()
	here := w.cluster(space, "here", "tier", "gold")
	a := w.untilOn(w.app("echo", demanding("tier is gold"), retrying(-1, 3600)), "here")
	w.label(here)
	a = w.until(a, "degraded", func(a *api.Application) bool { return a.Status.State == api.AppDegraded })
	if place(a) != "here" || !strings.HasPrefix(a.Status.Reason.Message, "No matching Kubernetes cluster found: 1 excluded by a label constraint; it stays on here") {
		t.Errorf("on %s: %s", place(a), a.Status.Reason.Message)
	}
	w.label(here, "tier", "gold")
	a = w.until(a, "well again", func(a *api.Application) bool { return a.Status.Conditions.Get(api.Scheduled).Status == api.True })
	if a.Status.State == api.AppDegraded || a.Status.ScheduledRetry != nil || a.Status.Retries != nil {
		t.Errorf("the refusal is still in the status: %+v", a.Status)
	}
}

//
func TestAnApplicationThatIsToBeDeletedIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	a := w.app("echo")
	marked := must(w.apps.Delete(t.Context(), space, "echo", client.DeleteOptions{}))(w)
	w.schedule()
	w.caughtUp(1)
	if now := w.get(a); now.Metadata.ResourceVersion != marked.Metadata.ResourceVersion {
		t.Errorf("it was written: %+v", now.Status)
	}
}

func TestAnApplicationGoesWithItsCluster(t *testing.T) {
	w := newWorld(t)
	w.schedule()
	w.cluster(space, "here")
	a := w.untilOn(w.app("echo"), "here")
	w.cluster(space, "other")
	must(w.clusters.Delete(t.Context(), space, "here", client.DeleteOptions{}))(w)
	w.caughtUp(1)
	if now := w.get(a); now.Metadata.ResourceVersion != a.Metadata.ResourceVersion {
		t.Errorf("it was written: %+v", now.Status)
	}
}

func TestASchedulerThatWasAwayCatchesUp(t *testing.T) {
	w := newWorld(t)
	stop := w.schedule()
	here := w.cluster(space, "here", "tier", "gold")
	moved := w.untilOn(w.app("moved", demanding("tier is gold")), "here")
	edited := w.untilOn(w.app("edited"), "here")
	stop()
	w.label(here)
	w.cluster(space, "there", "tier", "gold")
	w.edit(edited, func(a *api.Application) { a.Spec.Manifest = manifest("2") })
	added := w.app("added", demanding("tier is gold"))
	w.schedule()
	w.untilOn(moved, "there")
	w.untilOn(added, "there")
	w.until(edited, "handed on", func(a *api.Application) bool { return a.Status.ScheduledGeneration == 2 })
}

func TestTwoSchedulersDecideOnce(t *testing.T) {
	w := newWorld(t)
	for i := range 5 {
		w.cluster(space, fmt.Sprint("c", i))
	}
	w.schedule()
	w.schedule()
	var apps []*api.Application
	for i := range 40 {
		apps = append(apps, w.app(fmt.Sprint("a", i)))
	}
	for _, a := range apps {
		w.until(a, "placed", func(a *api.Application) bool { return place(a) != "" })
	}
	w.caughtUp(1)
	for _, a := range apps {
		if d := w.placement(a).Decisions; len(d) != 1 {
			t.Errorf("%s was decided on %d times", a.Metadata.Name, len(d))
		}
	}
}
