package scheduler

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// prompt are rules by which a better place is taken at once.
var prompt = core.Rules{Stickiness: 0.1}

// twoSites makes the clusters a and b, each with a metric of its name, and an application that runs on a.
func (w world) twoSites(rules core.Rules) (app *api.Application, stop func()) {
	w.Helper()
	w.metric("a")
	w.metric("b")
	w.values(map[string]float64{"a": 5, "b": 4})
	w.measured("a", "a", 1.0)
	w.measured("b", "b", 1.0)
	stop = w.scheduleBy(rules)
	return w.untilOn(w.app("echo"), "a"), stop
}

// untilWaiting waits until a move is announced that waits for a reason.
func (w world) untilWaiting(a *api.Application, code string) (*api.Application, api.Placement) {
	w.Helper()
	var p api.Placement
	a = w.until(a, "waiting for "+code, func(a *api.Application) bool {
		p = w.placement(a)
		return a.Status.Conditions.Get(api.Scheduled).Reason == moveWaits && p.Waiting != nil && p.Waiting.Code == code
	})
	return a, p
}

func TestAnApplicationMovesWhenAnotherClusterBecomesBetter(t *testing.T) {
	w := newWorld(t)
	rules := core.DefaultRules
	rules.RescheduleAfter, rules.CoolDown = time.Second, time.Second
	a, _ := w.twoSites(rules)
	was := *a.Status.Scheduled
	w.values(map[string]float64{"a": 2.5, "b": 5})
	a = w.untilOn(a, "b")
	//
	if since := a.Status.Scheduled.Time().Sub(was.Time()); since < time.Second || !a.Status.Scheduled.Equal(*a.Status.KubeControllerTriggered) {
		t.Errorf("it moved after %s: %+v", since, a.Status)
	}
	if c := a.Status.Conditions.Get(api.Scheduled); c.Status != api.True || c.Reason != placed || c.Message != "" {
		t.Errorf("the condition is %+v", c)
	}
	p := w.placement(a)
	if d := p.Decisions[0]; d.Outcome != core.Moved || d.Code != core.Better || d.Current != "a" || d.Chosen != "b" ||
		!strings.Contains(d.Reason, "It moves from a to b, which is better: 0.5 against 0.25") {
		t.Errorf("the decision is %+v", d)
	}
	if m := p.Moves; len(m) != 1 || m[0].From != "a" || m[0].To != "b" || p.Waiting != nil || p.Regret != 0 {
		t.Errorf("remembered is %+v", p)
	}
	// an edit is handed on, and does not move it.
	edited := w.edit(a, func(a *api.Application) { a.Spec.Manifest = manifest("2") })
	got := w.until(a, "handed on", func(a *api.Application) bool { return a.Status.ScheduledGeneration == edited.Metadata.Generation })
	if place(got) != "b" || !got.Status.Scheduled.Equal(*a.Status.Scheduled) {
		t.Errorf("bound to %s at %s, before at %s", place(got), got.Status.Scheduled, a.Status.Scheduled)
	}
	if p := w.placement(a); len(p.Moves) != 1 {
		t.Errorf("the edit made it forget its moves: %+v", p)
	}
}

//
func TestAnApplicationWithMigrationOffDoesNotMove(t *testing.T) {
	w := newWorld(t)
	w.metric("a")
	w.metric("b")
	w.values(map[string]float64{"a": 5, "b": 4})
	w.measured("a", "a", 1.0)
	w.measured("b", "b", 1.0)
	w.scheduleBy(prompt)
	a := w.untilOn(w.app("echo", func(a *api.Application) { a.Spec.Constraints.Migration = false }), "a")
	free := w.untilOn(w.app("free"), "a")
	w.values(map[string]float64{"a": 1, "b": 9})
	w.untilOn(free, "b")
	w.caughtUp(1)
	if now := w.get(a); place(now) != "a" || now.Metadata.ResourceVersion != a.Metadata.ResourceVersion {
		t.Errorf("it was written: %+v", now.Status)
	}
	w.edit(a, func(a *api.Application) { a.Spec.Constraints.Migration = true })
	w.untilOn(a, "b")
}

func TestAMoveThatWaitsIsAnnouncedOnce(t *testing.T) {
	w := newWorld(t)
	a, _ := w.twoSites(core.DefaultRules)
	w.values(map[string]float64{"a": 1, "b": 9})
	a, p := w.untilWaiting(a, core.Residence)
	if wait := p.Waiting; wait.To != "b" || !strings.Contains(wait.Message, "b is better than a: 0.9 against 0.1. The move waits until") ||
		!strings.Contains(wait.Message, "stays for 1m0s at least") || wait.Until == nil || a.Status.Conditions.Get(api.Scheduled).Message != wait.Message {
		t.Errorf("%+v", wait)
	}
	if d := p.Decisions[0]; d.Outcome != core.Waiting || d.Code != core.Residence || d.Chosen != "a" || d.Candidates[0].Name != "a" || len(p.Decisions) != 2 {
		t.Errorf("the record is %+v", p.Decisions)
	}
	// Other values that change nothing about it are not written down.
	for i := range 5 {
		w.values(map[string]float64{"a": 1, "b": 8 + float64(i)/10})
	}
	w.caughtUp(1)
	if now := w.get(a); now.Metadata.ResourceVersion != a.Metadata.ResourceVersion {
		t.Errorf("it was written: %+v", now.Status)
	}
}

func TestAWaitThatIsOverIsNotAnnouncedAnyMore(t *testing.T) {
	w := newWorld(t)
	a, stop := w.twoSites(core.DefaultRules)
	w.values(map[string]float64{"a": 1, "b": 9})
	a, _ = w.untilWaiting(a, core.Residence)
	// Another process takes over, when the reason is gone.
	stop()
	w.values(map[string]float64{"a": 5, "b": 4})
	w.schedule()
	a = w.until(a, "without a move that waits", func(a *api.Application) bool {
		return a.Status.Conditions.Get(api.Scheduled).Reason == placed && w.placement(a).Waiting == nil
	})
	if place(a) != "a" || a.Status.Conditions.Get(api.Scheduled).Message != "" {
		t.Errorf("%+v", a.Status)
	}
}

func TestWhatTheGuardsRememberSurvivesARestart(t *testing.T) {
	w := newWorld(t)
	rules := prompt
	rules.PerApplication = 1
	a, stop := w.twoSites(rules)
	w.values(map[string]float64{"a": 1, "b": 9})
	a = w.untilOn(a, "b")
	stop()
	w.values(map[string]float64{"a": 9, "b": 1})
	w.scheduleBy(rules)
	a, p := w.untilWaiting(a, core.ApplicationBudget)
	if place(a) != "b" || len(p.Moves) != 1 {
		t.Errorf("on %s, %+v", place(a), p)
	}
}

func TestTheMovesToAClusterAreCountedAcrossARestart(t *testing.T) {
	w := newWorld(t)
	rules := prompt
	rules.PerTarget = 1
	a, stop := w.twoSites(rules)
	w.values(map[string]float64{"a": 1, "b": 9})
	w.untilOn(a, "b")
	w.values(map[string]float64{"a": 9.05, "b": 9})
	w.untilKnown("a > 0.9", "a")
	other := w.untilOn(w.app("other"), "a")
	stop()
	w.values(map[string]float64{"a": 1, "b": 9})
	w.scheduleBy(rules)
	other, p := w.untilWaiting(other, core.TargetBudget)
	if place(other) != "a" || !strings.Contains(p.Waiting.Message, "within an hour 1 applications have moved to b") {
		t.Errorf("on %s, %+v", place(other), p.Waiting)
	}
}

// A-41, as D11 has it
func TestNobodyLeavesAClusterBecauseItsMetricCannotBeRead(t *testing.T) {
	w := newWorld(t)
	var silent atomic.Bool
	provider := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		if silent.Load() {
			rw.WriteHeader(http.StatusBadGateway)
			return
		}
		rw.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(rw, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"5"]}]}}`)
	}))
	t.Cleanup(provider.Close)
	prom := api.New[api.GlobalMetricsProvider]()
	prom.Metadata.Name, prom.Spec = "prom", api.MetricsProviderSpec{Type: "prometheus", Prometheus: &api.PrometheusProvider{URL: provider.URL}}
	must(client.Of[api.GlobalMetricsProvider](w.client).Create(t.Context(), prom))(w)
	m := api.New[api.GlobalMetric]()
	m.Metadata.Name = "heat"
	m.Spec = api.MetricSpec{AllowedValues: []int64{}, Max: 10, Provider: api.MetricProvider{Name: "prom", Metric: "heat"},
		Direction: api.HigherIsBetter, OutOfRange: api.RejectOutOfRange}
	must(client.Of[api.GlobalMetric](w.client).Create(t.Context(), m))(w)
	w.metric("b")
	w.values(map[string]float64{"b": 4})
	w.measured("a", "heat", 1.0)
	w.measured("b", "b", 1.0)
	w.scheduleBy(prompt)
	a := w.untilOn(w.app("echo"), "a")

	silent.Store(true)
	w.untilReadable("a", "Held", "cannot be read at the moment and counts as it was: heat")
	w.values(map[string]float64{"b": 9})
	w.untilKnown("b > 0.8", "b")
	w.caughtUp(1)
	if now := w.get(a); now.Metadata.ResourceVersion != a.Metadata.ResourceVersion {
		t.Errorf("it was written: %+v", now.Status)
	}
	silent.Store(false)
	w.untilOn(a, "b")
	w.untilReadable("a", "Read", "")
}

func TestNobodyLeavesAClusterWhoseMetricHasNoUsableValue(t *testing.T) {
	w := newWorld(t)
	a, _ := w.twoSites(prompt)
	w.values(map[string]float64{"a": 50, "b": 9}) // from 0 to 10
	w.untilCluster("a", api.ClusterFailingMetrics)
	w.untilKnown("b > 0.8", "b")
	w.caughtUp(1)
	if now := w.get(a); now.Metadata.ResourceVersion != a.Metadata.ResourceVersion {
		t.Errorf("it was written: %+v", now.Status)
	}
	w.values(map[string]float64{"a": 5, "b": 9})
	w.untilOn(a, "b")
}

// untilKnown waits until the scheduler knows values with which a constraint of metrics holds on a cluster.
func (w world) untilKnown(text, cluster string) {
	w.Helper()
	w.untilOn(w.app("probe-of-"+cluster, limited(w.T, text)), cluster)
}

// untilReadable waits for what a cluster says of its metrics.
func (w world) untilReadable(name, reason, message string) {
	w.Helper()
	var c api.Condition
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		c = must(w.clusters.Get(w.Context(), space, name))(w).Status.Conditions.Get(api.MetricsReadable)
		if c.Status == api.True && c.Reason == reason && c.Message == message {
			return
		}
	}
	w.Fatalf("%s says %+v", name, c)
}

func TestTheDirectionOfAMetricMayBeTurnedRound(t *testing.T) {
	w := newWorld(t)
	a, _ := w.twoSites(prompt)
	set := client.Of[api.GlobalMetric](w.client)
	for _, name := range []string{"a", "b"} {
		m := api.New[api.GlobalMetric]()
		m.Metadata.Name = name
		must(set.Patch(t.Context(), m, map[string]any{"spec": map[string]any{"direction": api.LowerIsBetter}}))(w)
	}
	a = w.untilOn(a, "b")
	if d := w.placement(a).Decisions[0]; !strings.Contains(d.Reason, "0.6 against 0.5") {
		t.Errorf("%+v", d)
	}
}

// What is known of clusters and applications may have changed since it was read: then nothing moves.
func TestAMoveIsValidatedAgainBeforeItIsWritten(t *testing.T) {
	for name, change := range map[string]func(w world, a *api.Application){
		"the target is offline":            func(w world, _ *api.Application) { w.state("b", api.ClusterOffline) },
		"the present place cannot be seen": func(w world, _ *api.Application) { w.state("a", api.ClusterConnecting) },
		"the target is gone":               func(w world, _ *api.Application) { w.drop("b") },
		"the present place is gone":        func(w world, _ *api.Application) { w.drop("a") },
		"the application is edited": func(w world, a *api.Application) {
			w.edit(a, func(a *api.Application) { a.Spec.Manifest = manifest("2") })
		},
		"the application may not be moved": func(w world, a *api.Application) {
			w.edit(a, func(a *api.Application) { a.Spec.Constraints.Migration = false })
		},
		"the application is on its way": func(w world, a *api.Application) { w.set(a, condition(api.Migrating, api.True)) },
		"the application has failed": func(w world, a *api.Application) {
			w.set(a, func(*api.Application) object { return object{"state": "FAILED"} })
		},
		"a move of the application failed": func(w world, a *api.Application) {
			w.set(a, func(*api.Application) object { return object{"migration_timeout": time.Now().Add(time.Hour).Unix()} })
		},
		"the application is to be deleted": func(w world, a *api.Application) {
			must(w.apps.Delete(w.Context(), space, "echo", client.DeleteOptions{}))(w)
		},
		"the application is bound by others": func(w world, a *api.Application) {
			ref := api.ClusterKind.Ref(space, "c")
			must(w.apps.Do(w.Context(), space, "echo", "binding", &api.ClusterBinding{Cluster: ref}))(w)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for _, cluster := range []string{"a", "b", "c"} {
				w.cluster(space, cluster)
			}
			w.app("echo")
			ref := api.ClusterKind.Ref(space, "a")
			a := must(w.apps.Do(t.Context(), space, "echo", "binding", &api.ClusterBinding{Cluster: ref}))(w)
			s := w.behind(func() {})
			s.rules = prompt
			s.view.measure = func(c *api.Cluster, into *core.Cluster) {
				value := map[string]float64{"a": 0.1, "b": 0.9}[c.Metadata.Name]
				into.Measure([]core.Measurement{{Name: "m", Weight: 1, Normalised: value, Merit: value}})
			}
			change(w, a)
			changed := w.get(a)
			if _, err := s.reconcile(t.Context(), controller.KeyOf(a)); err != nil {
				t.Error(err)
			}
			if now := w.get(a); now.Metadata.ResourceVersion != changed.Metadata.ResourceVersion {
				t.Errorf("it was bound to %s", place(now))
			}
			if full := s.ledger.arrivals; len(full) > 0 {
				t.Errorf("a move is counted: %v", full)
			}
		})
	}
	t.Run("and if nothing has changed it is made", func(t *testing.T) {
		w := newWorld(t)
		a, _ := w.twoSites(prompt)
		w.values(map[string]float64{"a": 1, "b": 9})
		w.untilOn(a, "b")
	})
}

func (w world) state(name string, state api.ClusterState) {
	w.Helper()
	w.report(must(w.clusters.Get(w.Context(), space, name))(w), state)
}

func (w world) drop(name string) {
	w.Helper()
	must(w.clusters.Delete(w.Context(), space, name, client.DeleteOptions{Force: true}))(w)
}

func TestTheLedgerCountsTheLastHour(t *testing.T) {
	l := ledger{limit: 2}
	l.clear()
	key := controller.Key{Namespace: space, Name: "b"}
	noon := time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)
	if !l.take(key, noon) || len(l.full(space, noon)) > 0 {
		t.Error("one is not all")
	}
	if !l.take(key, noon.Add(time.Minute)) || l.take(key, noon.Add(2*time.Minute)) {
		t.Error("two are all")
	}
	if until := l.full(space, noon.Add(3*time.Minute))["b"]; !until.Equal(noon.Add(time.Hour)) {
		t.Errorf("there is room again at %s", until)
	}
	if len(l.full("other", noon.Add(3*time.Minute))) > 0 {
		t.Error("another namespace is concerned")
	}
	l.giveBack(key, noon.Add(time.Minute))
	if !l.take(key, noon.Add(2*time.Minute)) {
		t.Error("what was given back is still taken")
	}
	if len(l.full(space, noon.Add(time.Hour))) > 0 {
		t.Error("an hour later the first still counts")
	}
	l.add(key, noon.Add(-2*time.Hour)) // an old one, from a record
	l.add(key, noon.Add(24*time.Hour)) // and one of a clock that was wrong
	if len(l.full(space, noon.Add(time.Hour))) > 0 {
		t.Error("they count")
	}
}

//
func TestASweepIsNotTheSameForAll(t *testing.T) {
	s := &Scheduler{rules: core.DefaultRules}
	measured := core.Cluster{Namespace: space, Name: "a"}
	measured.Measure([]core.Measurement{{Name: "m", Weight: 1}})
	snapshot := core.NewSnapshot([]core.Cluster{measured})
	a := api.New[api.Application]()
	namespace := space
	a.Metadata.Namespace, a.Spec.Constraints.Migration = &namespace, true
	seen := map[time.Duration]bool{}
	for range 20 {
		d := s.sweep(snapshot, a)
		if d < time.Minute || d >= 90*time.Second {
			t.Fatalf("it comes after %s", d)
		}
		seen[d] = true
	}
	if len(seen) < 10 {
		t.Errorf("only %d different times", len(seen))
	}
	if d := s.sweep(core.NewSnapshot(nil), a); d != 0 {
		t.Errorf("without metrics it comes after %s", d)
	}
	a.Spec.Constraints.Migration = false
	if d := s.sweep(snapshot, a); d != 0 {
		t.Errorf("R-6: without migration it comes after %s", d)
	}
}

func TestWhatCanWaitIsNotWrittenOften(t *testing.T) {
	for name, c := range map[string]struct {
		must, should bool
		since        time.Duration
		now          bool
		after        time.Duration
	}{
		"what must be":                {true, true, time.Second, true, 0},
		"what should be":              {false, true, 10 * time.Second, true, 0},
		"what should be, soon after":  {false, true, 3 * time.Second, false, 7 * time.Second},
		"when the clock was set back": {false, true, -time.Hour, true, 0},
		"nothing":                     {false, false, time.Second, false, 0},
		"nothing, later":              {false, false, time.Hour, false, 0},
	} {
		if now, after := timely(c.must, c.should, c.since); now != c.now || after != c.after {
			t.Errorf("%s: now %t, after %s", name, now, after)
		}
	}
}
