package scheduler

import (
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// refuse says what the application controller does when a cluster does not take an application.
func (w world) refuse(a *api.Application) *api.Application {
	w.Helper()
	return w.set(a, func(a *api.Application) object {
		return object{"conditions": a.Status.Conditions.With(api.Condition{Type: api.Applied, Status: api.False,
			Reason: string(api.KubernetesError), Message: "exceeded quota", ObservedGeneration: a.Metadata.Generation}, api.At(time.Now()))}
	})
}

func TestAnApplicationThatItsClusterRefusesTriesAnother(t *testing.T) {
	w := newWorld(t)
	w.cluster(space, "one", "site", "yes")
	stop := w.schedule()
	var apps []*api.Application
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} { // by chance not all go where they should
		apps = append(apps, w.refuse(w.untilOn(w.app(name, demanding("site is yes")), "one")))
	}
	w.cluster(space, "two", "site", "yes")
	w.caughtUp(1)
	if got := w.spread(apps); got["one"] != len(apps) {
		t.Fatalf("they were refused for a moment only: %v", got)
	}
	stop()

	later := func() time.Time { return time.Now().Add(5 * time.Minute) }
	stop = w.scheduleAt(core.DefaultRules, later)
	for _, a := range apps {
		w.untilOn(a, "two")
		p := w.placement(a)
		if len(p.Avoided) != 1 || p.Avoided[0].Cluster != "one" || p.Avoided[0].Reason != "exceeded quota" || p.Decisions[0].Code != "avoided" {
			t.Errorf("%+v", p)
		}
	}
	stop()

	// Another process knows of it, too: they must leave where they are now, and do not go where they were refused.
	w.cluster(space, "three", "site", "yes")
	two := must(w.clusters.Get(t.Context(), space, "two"))(w)
	two.Spec.Unschedulable, two.Spec.Drain = true, true
	must(w.clusters.Update(t.Context(), two))(w)
	stop = w.scheduleAt(core.DefaultRules, later)
	for _, a := range apps {
		w.untilOn(a, "three")
	}
	stop()

	// Where there is no other place, better one that has refused them than one that they must leave.
	three := must(w.clusters.Get(t.Context(), space, "three"))(w)
	three.Spec.Unschedulable, three.Spec.Drain = true, true
	must(w.clusters.Update(t.Context(), three))(w)
	w.scheduleAt(core.DefaultRules, later)
	for _, a := range apps {
		w.untilOn(a, "one")
	}
}
