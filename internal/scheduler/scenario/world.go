package scenario

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/capacity"
	"github.com/rak-n-rok/krake/internal/metrics"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// space is the namespace in which all scenarios take place, and start the time by the clock when they begin.
const space = "scenario"

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// maxAge is how long a value counts that cannot be read again, as in the server.
const maxAge = 5 * time.Minute

// World is a scenario while it runs.
type World struct {
	*Scenario
	Now      time.Duration // since the beginning, as it passes
	ahead    time.Duration // how far the clock is ahead of that
	apps     []*resident
	held     map[value]heldValue
	snapshot *core.Snapshot
	gone     map[string]bool // clusters whose records were removed
}

type value struct{ cluster, metric string }

type heldValue struct {
	raw    float64
	at     time.Duration
	failed bool // the last attempt to read it
}

// resident is an application and what is known of it.
type resident struct {
	*api.Application
	memory  core.Memory
	stored  api.Placement
	looked  time.Duration // below zero before the first look of this process
	again   time.Duration // when to look again, zero for when something happens
	moves   int
	reason  string // the code of the last decision that gave it a place
	outcome string
	code    string
	words   string
}

// Run tells the story and returns what was not as expected. watch, if not nil, is called at every moment that something
// may have changed.
func (s *Scenario) Run(watch func(w *World)) error {
	w := &World{Scenario: s, held: map[value]heldValue{}, gone: map[string]bool{}}
	for _, a := range s.Apps {
		w.arrive(a)
	}
	var failures []error
	end := s.end()
	for next, done := 0*time.Second, false; !done; {
		w.Now = next
		for _, e := range s.Events {
			if e.At == w.Now {
				e.do(w)
			}
		}
		if s.Restart > 0 && w.Now%s.Restart == 0 {
			w.restart()
		}
		w.read()
		for _, a := range w.apps {
			w.look(a)
		}
		if watch != nil {
			watch(w)
		}
		for _, e := range s.Expect {
			if e.At == w.Now {
				failures = append(failures, w.check(e))
			}
		}
		next, done = w.following(), w.Now >= end
	}
	return errors.Join(failures...)
}

// following is the next moment at which something happens.
func (w *World) following() time.Duration {
	next := (w.Now/w.Step + 1) * w.Step
	earlier := func(at time.Duration) {
		if at > w.Now && at < next {
			next = at
		}
	}
	for _, e := range w.Events {
		earlier(e.At)
	}
	for _, e := range w.Expect {
		earlier(e.At)
	}
	for _, o := range w.Outages {
		earlier(o.From)
		earlier(o.To)
	}
	for _, a := range w.apps {
		earlier(a.again)
	}
	return next
}

// clock is the time that the scheduler's machine believes it is.
func (w *World) clock() time.Time { return start.Add(w.Now + w.ahead) }

func (w *World) arrive(a *api.Application) {
	a.Metadata.Generation = 1
	w.apps = append(w.apps, &resident{Application: a, looked: -1})
}

func (w *World) restart() {
	for _, a := range w.apps {
		a.memory, a.looked = core.Recall(a.stored, w.Rules), -1
	}
}

// read asks for all values, and makes the snapshot that the decisions rest on.
func (w *World) read() {
	var out []core.Cluster
	for _, c := range w.Clusters {
		if w.gone[c.Object.Metadata.Name] {
			continue
		}
		o := core.ClusterOf(c.Object)
		if w.out(o.Name, false) {
			o.State = api.ClusterOffline
		}
		w.measure(c, &o)
		o.Room = c.Room
		out = append(out, o)
	}
	w.snapshot = core.NewSnapshot(out)
}

func (w *World) out(cluster string, metrics bool) bool {
	return slices.ContainsFunc(w.Outages, func(o Outage) bool { return o.hits(cluster, metrics, w.Now) })
}

func (w *World) measure(c *Cluster, into *core.Cluster) {
	var values []core.Measurement
	for _, ref := range c.Object.Spec.Metrics {
		key := value{into.Name, ref.Name}
		if raw, ok := c.Values[ref.Name](int(w.Now / w.Step)); ok && !w.out(into.Name, true) {
			w.held[key] = heldValue{raw: raw, at: w.Now}
		} else if last, known := w.held[key]; known {
			last.failed = true
			w.held[key] = last
		}
		last, known := w.held[key]
		if !known || w.Now-last.at > maxAge {
			into.Unread = ref.Name + " has no answer"
			return
		}
		v, err := metrics.ValueOf(ref, w.Metrics[ref.Name], last.raw)
		if err != nil {
			into.Unread = err.Error()
			return
		}
		values = append(values, core.Measurement{Name: v.Name, Weight: v.Weight, Normalised: v.Normalised, Merit: v.Merit, Held: last.failed})
	}
	into.Measure(values)
}

// look does with an application what the scheduler does.
func (w *World) look(a *resident) {
	a.again = 0
	snapshot := w.snapshot.Asking(capacity.RequestsOf(a.Application), w.ours(a))
	if !core.Stays(snapshot, a.Application) {
		d := core.Decide(snapshot, a.Application, w.clock())
		a.outcome, a.code, a.words = d.Outcome, d.Code, d.Reason
		if d.Outcome == core.Placed || d.Outcome == core.Moved {
			w.bind(a, d.Chosen, d.Outcome == core.Moved)
		}
		return
	}
	l := core.Look{Rules: w.Rules, Memory: a.memory, Now: w.clock(), Full: w.full()}
	if a.looked >= 0 {
		l.Elapsed = w.Now - a.looked
	}
	v := core.Weigh(snapshot, a.Application, l)
	a.memory, a.looked, a.outcome, a.code, a.words = v.Memory, w.Now, v.Outcome, v.Code, v.Reason
	if v.Again > 0 {
		a.again = w.Now + v.Again
	}
	if v.Outcome == core.Moved {
		w.bind(a, v.There.Name, true)
	} else if must, should := a.memory.Outgrown(a.stored, w.Rules); must || should {
		a.stored = a.memory.Store(a.stored)
	}
}

// ours is what all applications but one have of each cluster.
func (w *World) ours(but *resident) map[string]api.Requests {
	out := map[string]api.Requests{}
	for _, a := range w.apps {
		if to := a.Status.ScheduledTo; a != but && to != nil {
			out[to.Name] = out[to.Name].Plus(capacity.RequestsOf(a.Application))
		}
	}
	return out
}

// bind writes a decision, as the server does.
func (w *World) bind(a *resident, to string, moved bool) {
	a.reason = a.code
	if moved {
		a.moves++
		a.memory = a.memory.Moved(a.Status.ScheduledTo.Name, to, w.clock())
		a.stored, a.looked = a.memory.Store(a.stored), w.Now
	}
	ref, at := api.ClusterKind.Ref(space, to), api.At(w.clock())
	a.Status.ScheduledTo, a.Status.RunningOn, a.Status.Scheduled = &ref, &ref, &at
	a.Metadata.Owners = []api.ResourceRef{ref}
}

// full are the clusters that as many applications have moved to within an hour as may.
func (w *World) full() map[string]time.Time {
	arrivals := map[string][]time.Time{}
	for _, a := range w.apps {
		for _, m := range a.memory.Moves {
			if at := m.Time.Time(); !at.After(w.clock()) && w.clock().Sub(at) < time.Hour {
				arrivals[m.To] = append(arrivals[m.To], at)
			}
		}
	}
	out := map[string]time.Time{}
	for name, at := range arrivals {
		slices.SortFunc(at, time.Time.Compare)
		if n := w.Rules.PerTarget; n > 0 && len(at) >= n {
			out[name] = at[len(at)-n].Add(time.Hour)
		}
	}
	return out
}

func (w *World) app(name string) *resident {
	i := slices.IndexFunc(w.apps, func(a *resident) bool { return a.Metadata.Name == name })
	if i < 0 {
		return nil
	}
	return w.apps[i]
}

// check compares an application with what is expected of it.
func (w *World) check(e Expectation) error {
	a := w.app(e.App)
	if a == nil {
		return fmt.Errorf("line %d: at %s: there is no application %s", e.Line, e.At, e.App)
	}
	on := "nowhere"
	if a.Status.ScheduledTo != nil {
		on = a.Status.ScheduledTo.Name
	}
	until := ""
	if a.again > 0 {
		until = ", until " + a.again.String()
	}
	switch {
	case e.On != "" && on != e.On, e.Moves != nil && a.moves != *e.Moves, e.Reason != "" && a.reason != e.Reason,
		e.Outcome != "" && (a.outcome != e.Outcome || a.code != e.Code), e.Until != nil && (a.again-*e.Until).Abs() > time.Second:
		return fmt.Errorf("line %d: at %s: %s is on %s after %d moves, the last for the reason %q; it is %s (%s%s): %s",
			e.Line, e.At, e.App, on, a.moves, a.reason, a.outcome, a.code, until, a.words)
	}
	return nil
}
