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
	w.cluster(space, "one")
	stop := w.schedule()
	a := w.untilOn(w.app("a"), "one")
	w.refuse(a)
	w.cluster(space, "two")
	w.caughtUp(1)
	if on := place(w.get(a)); on != "one" {
		t.Fatalf("it is on %s although it was refused for a moment only", on)
	}
	stop()

	later := func() time.Time { return time.Now().Add(5 * time.Minute) }
	stop = w.scheduleAt(core.DefaultRules, later)
	a = w.until(a, "elsewhere", func(a *api.Application) bool { return place(a) != "one" })
	p := w.placement(a)
	if len(p.Avoided) != 1 || p.Avoided[0].Cluster != "one" || p.Avoided[0].Reason != "exceeded quota" || p.Decisions[0].Code != "avoided" {
		t.Errorf("%+v", p)
	}
	stop()

	// Another process knows of it, too: the place that it is at now must go, and the one that refused it is not tried again.
	w.cluster(space, "three", "third", "yes")
	here := must(w.clusters.Get(t.Context(), space, place(a)))(w)
	here.Spec.Unschedulable, here.Spec.Drain = true, true
	must(w.clusters.Update(t.Context(), here))(w)
	w.scheduleAt(core.DefaultRules, later)
	a = w.until(a, "elsewhere", func(a *api.Application) bool { return place(a) != here.Metadata.Name })
	if on := place(a); on == "one" {
		t.Errorf("it is on %s again", on)
	}
}
