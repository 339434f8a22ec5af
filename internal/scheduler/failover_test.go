package scheduler

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// say writes down what the controller of clusters knows of one, as it does.
func (w world) say(name string, is api.Condition, at time.Time) *api.Cluster {
	w.Helper()
	c := must(w.clusters.Get(w.Context(), space, name))(w)
	is.Type = api.Reachable
	conditions := c.Status.Conditions.Without(api.Reachable).With(is, api.At(at))
	return must(w.clusters.PatchStatus(w.Context(), c, object{"status": object{"identity": "id-" + name, "conditions": conditions}}))(w)
}

func (w world) answers(name string) *api.Cluster {
	w.Helper()
	return w.say(name, api.Condition{Status: api.True, Reason: api.Answers}, time.Now())
}

func (w world) silent(name string, since time.Time) *api.Cluster {
	w.Helper()
	return w.say(name, api.Condition{Status: api.False, Reason: string(api.ClusterNotReachable)}, since)
}

// watch says that somebody asks clusters how they are.
func (w world) watch(at time.Time) {
	w.Helper()
	lease := api.New[api.Lease]()
	lease.Metadata.Name = watcher
	stamp := api.At(at)
	lease.Spec = api.LeaseSpec{Holder: "test", Duration: 15, Renewed: &stamp}
	must(client.Of[api.Lease](w.client).Create(w.Context(), lease))(w)
}

func stopping(a *api.Application) { a.Spec.MigrationStrategy = api.MigrateDeleteFirst }

func TestApplicationsLeaveASilentCluster(t *testing.T) {
	w := newWorld(t)
	w.cluster(space, "a")
	w.answers("a")
	w.watch(time.Now())
	rules := core.DefaultRules
	rules.FailoverAfter = 100 * time.Millisecond
	w.scheduleBy(rules)
	free, bound := w.app("free"), w.app("bound", stopping)
	w.untilOn(free, "a")
	w.untilOn(bound, "a")
	w.cluster(space, "b")
	w.answers("b")
	w.silent("a", time.Now())

	free = w.untilOn(free, "b")
	if c := free.Status.Conditions.Get(api.Scheduled); c.Status != api.True || c.Reason != placed || c.Message != "" {
		t.Errorf("the condition is %+v", c)
	}
	p := w.placement(free)
	if d := p.Decisions[0]; d.Outcome != core.Moved || d.Code != "dead" || d.Current != "a" || d.Chosen != "b" || len(p.Moves) != 1 {
		t.Errorf("the record is %+v", p)
	}
	bound = w.until(bound, "stranded", func(a *api.Application) bool { return a.Status.Conditions.Get(api.Scheduled).Reason == stranded })
	if c := bound.Status.Conditions.Get(api.Scheduled); c.Status != api.True || !strings.Contains(c.Message, "must not run twice") || place(bound) != "a" {
		t.Errorf("on %s, %+v", place(bound), c)
	}
	if d := w.placement(bound).Decisions[0]; d.Outcome != core.Kept || d.Code != core.StopsFirst || d.Chosen != "a" {
		t.Errorf("the decision is %+v", d)
	}
	w.answers("a")
	bound = w.until(bound, "rescued", func(a *api.Application) bool { return a.Status.Conditions.Get(api.Scheduled).Message == "" })
	if c := bound.Status.Conditions.Get(api.Scheduled); c.Reason != placed || place(bound) != "a" {
		t.Errorf("on %s, %+v", place(bound), c)
	}
}

// silentCluster is a scheduler that comes when the cluster a has been silent for an hour, with an application that is there
// and a cluster b where it could be. Its caches do not learn of what comes later.
func (w world) silentCluster() (s *Scheduler, a *api.Application, clock *time.Time) {
	w.Helper()
	w.cluster(space, "a")
	a = w.app("echo")
	ref := api.ClusterKind.Ref(space, "a")
	must(w.apps.Do(w.Context(), space, "echo", "binding", &api.ClusterBinding{Cluster: ref}))(w)
	w.cluster(space, "b")
	w.answers("b")
	now := time.Now()
	w.silent("a", now.Add(-time.Hour))
	log := slog.New(slog.DiscardHandler)
	apps, clusters := client.NewCache(w.apps, log), client.NewCache(w.clusters, log)
	clock = &now
	s = New(Options{Client: w.client, Apps: apps, Clusters: clusters, Log: log, Now: func() time.Time { return *clock }})
	s.pace.begin(now)
	freeze(w.T, clusters)
	freeze(w.T, apps)
	return s, a, clock
}

func TestASilenceFromBeforeTheStartCountsOnceItWasSeen(t *testing.T) {
	w := newWorld(t)
	s, a, clock := w.silentCluster()
	w.watch(*clock)
	*clock = clock.Add(firstLook - time.Second)
	w.reconcile(s, a)
	if now := w.get(a); place(now) != "a" {
		t.Fatalf("it is on %s before anybody looked", place(now))
	}
	*clock = clock.Add(time.Second)
	w.reconcile(s, a)
	if now := w.get(a); place(now) != "b" {
		t.Errorf("it is on %s: %+v", place(now), now.Status.Conditions)
	}
}

func TestNobodyLeavesAClusterThatIsKnownToBeSilentFromHearsayOnly(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(w world, now time.Time)
		says      string // in the condition
	}{
		"nobody asks clusters how they are": {func(world, time.Time) {}, "nobody asks clusters how they are"},
		"nobody has for a while":            {func(w world, now time.Time) { w.watch(now.Add(-5 * time.Minute)) }, "nobody asks clusters how they are"},
		"it answers again": {func(w world, now time.Time) {
			w.watch(now)
			w.answers("a")
		}, ""},
		"it is there, but refuses": {func(w world, now time.Time) {
			w.watch(now)
			w.say("a", api.Condition{Status: api.False, Reason: api.Refuses}, now)
		}, ""},
		"its record is gone": {func(w world, now time.Time) {
			w.watch(now)
			must(w.clusters.Delete(w.Context(), space, "a", client.DeleteOptions{Force: true}))(w)
		}, ""},
		"the other place is not there any more": {func(w world, now time.Time) {
			w.watch(now)
			must(w.clusters.Delete(w.Context(), space, "b", client.DeleteOptions{Force: true}))(w)
		}, ""},
		"the application must not run twice any more": {func(w world, now time.Time) {
			w.watch(now)
			w.edit(w.get(&api.Application{Envelope: api.Envelope{Metadata: metadataOf("echo")}}), stopping)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s, a, clock := w.silentCluster()
			w.reconcile(s, a)
			*clock = clock.Add(firstLook)
			c.meanwhile(w, *clock)
			w.reconcile(s, a)
			now := w.get(a)
			if is := now.Status.Conditions.Get(api.Scheduled); place(now) != "a" || !strings.Contains(is.Message, c.says) || (is.Message == "") != (c.says == "") {
				t.Errorf("it is on %s: %+v", place(now), is)
			}
		})
	}
}

func metadataOf(name string) api.Metadata {
	namespace := space
	return api.Metadata{Name: name, Namespace: &namespace}
}

// Ten in a minute, whatever becomes of a token, and however often it is restarted.
func TestThePaceOfFailovers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		var p pace
		p.begin(now)
		var taken []time.Time
		for range rapid.IntRange(1, 300).Draw(t, "attempts") {
			now = now.Add(time.Duration(rapid.IntRange(0, 9000).Draw(t, "later")) * time.Millisecond)
			if rapid.IntRange(0, 20).Draw(t, "restart") == 0 {
				p.begin(now)
			}
			giveBack, wait := p.take(now)
			switch {
			case wait > core.FailoverPace:
				t.Fatalf("it would have to wait for %s", wait)
			case wait > 0:
				if _, again := p.take(now.Add(wait)); again > 0 {
					t.Fatalf("after %s it would have to wait for another %s", wait, again)
				}
				now = now.Add(wait)
				taken = append(taken, now)
			case rapid.IntRange(0, 3).Draw(t, "given back") == 0:
				giveBack()
				if _, again := p.take(now); again > 0 {
					t.Fatalf("what was given back is not there for %s", again)
				}
				taken = append(taken, now)
			default:
				taken = append(taken, now)
			}
			if n := len(taken); n > 10 && taken[n-1].Sub(taken[n-11]) < time.Minute {
				t.Fatalf("eleven between %s and %s", taken[n-11], taken[n-1])
			}
		}
	})
}

func TestNoClockMakesASilenceLonger(t *testing.T) {
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	record := func(since time.Time) *api.Cluster {
		c := api.New[api.Cluster]()
		c.Metadata.UID, c.Status.Identity, c.Status.State = "u", "id", api.ClusterOffline
		c.Status.Conditions = c.Status.Conditions.With(api.Condition{Type: api.Reachable, Status: api.False, Reason: string(api.ClusterNotReachable)}, api.At(since))
		return c
	}
	online := api.New[api.Cluster]()
	online.Metadata.UID, online.Status.State = "u", api.ClusterOnline
	hourAgo := record(at.Add(-time.Hour))
	for name, c := range map[string]struct {
		notes []*api.Cluster // one second after the other; the last one's silence is wanted
		want  time.Duration  // how long it has been silent then
	}{
		"one from before the start":                        {[]*api.Cluster{hourAgo}, time.Hour},
		"the same one, later":                              {[]*api.Cluster{hourAgo, hourAgo, hourAgo}, time.Hour + 2*time.Second},
		"one of whose beginning another clock says":        {[]*api.Cluster{online, hourAgo, hourAgo}, time.Second},
		"another one":                                      {[]*api.Cluster{hourAgo, record(at)}, 0},
		"one in the future":                                {[]*api.Cluster{record(at.Add(time.Hour)), record(at.Add(time.Hour))}, time.Second},
		"one that has ended and begins as it began before": {[]*api.Cluster{hourAgo, online, hourAgo}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var s silences
			var got silence
			now := at
			for i, note := range c.notes {
				now = at.Add(time.Duration(i) * time.Second)
				got = s.note(note, now)
			}
			if silent := now.Sub(got.since); silent != c.want {
				t.Errorf("%s", silent)
			}
			s.forget(online)
			if again := s.note(hourAgo, now); now.Sub(again.since) < time.Hour {
				t.Errorf("it was not forgotten: %+v", again)
			}
		})
	}
	var s silences
	if got := s.note(online, at); !got.since.IsZero() {
		t.Errorf("%+v", got)
	}
}
