package scheduler

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/failpoint"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// moveWaits is the reason of the condition Scheduled while there is a better place that the application does not go to
// yet; the message says why.
const moveWaits = "MoveWaits"

// quiet is how long what is remembered of an application is not written again, if it can wait. A move that is to be made
// sooner than that is not announced either.
const quiet = 10 * time.Second

// reschedule asks whether a better place pays for a move of an application that may stay where it is.
func (s *Scheduler) reschedule(ctx context.Context, snapshot *core.Snapshot, a *api.Application) (controller.Result, error) {
	g, err := s.guardOf(ctx, snapshot, a)
	if g == nil || err != nil {
		return controller.Result{After: s.sweep(snapshot, a)}, err
	}
	now := s.now()
	snapshot = s.asking(snapshot.Avoiding(g.stored, a, now), a)
	v := core.Weigh(snapshot, a, s.look(a, g, g.elapsed(now), now))
	g.memory, g.looked = v.Memory, now
	if v.Outcome == core.Moved {
		return s.moveToBetter(ctx, a, g, v)
	}
	after, err := s.note(ctx, snapshot, a, g, v)
	if err == nil && g.idle() {
		s.guards.forget(controller.KeyOf(a))
	}
	return controller.Result{After: soonest(after, v.Again, s.sweep(snapshot, a))}, err
}

// guardOf returns what is remembered of an application, nil if there is nothing, and no better place either. Then nothing
// is read.
func (s *Scheduler) guardOf(ctx context.Context, snapshot *core.Snapshot, a *api.Application) (*guard, error) {
	if g := s.guards.get(a); g != nil {
		return g, nil
	}
	first := core.Weigh(s.asking(snapshot, a), a, core.Look{Rules: s.rules, Now: s.now()})
	if first.There == nil && a.Status.Conditions.Get(api.Scheduled).Reason != moveWaits {
		return nil, nil
	}
	p, err := s.recorded(ctx, a)
	if err != nil {
		if client.NotFound(err) {
			err = nil
		}
		return nil, err
	}
	g := &guard{uid: a.Metadata.UID, memory: core.Recall(p, s.rules), stored: bare(p)}
	s.guards.set(a, g)
	return g, nil
}

// bare is a record without the decisions, which the guards have no use for.
func bare(p api.Placement) api.Placement {
	p.Decisions = nil
	return p
}

func (s *Scheduler) look(a *api.Application, g *guard, elapsed time.Duration, now time.Time) core.Look {
	return core.Look{Rules: s.rules, Memory: g.memory, Elapsed: elapsed, Now: now, Full: s.ledger.full(a.Metadata.NamespaceOrEmpty(), now)}
}

// sweep is when an application is looked at again though nothing is known to have changed; zero for not at all. It is not
// the same for all, so that not all come at once.
func (s *Scheduler) sweep(snapshot *core.Snapshot, a *api.Application) time.Duration {
	if !snapshot.Measured(a.Metadata.NamespaceOrEmpty()) || !a.Spec.Constraints.Migration {
		return 0
	}
	d := max(s.rules.RescheduleAfter, quiet)
	return d + rand.N(d/2)
}

// soonest is the shortest of these times that is not zero.
func soonest(times ...time.Duration) time.Duration {
	var out time.Duration
	for _, d := range times {
		if d > 0 && (out == 0 || d < out) {
			out = d
		}
	}
	return out
}

// note writes down that a move waits and why, or does not wait any more, and what must survive a restart. Small changes
// are not written, and what can wait is not written often; after says when it can be.
func (s *Scheduler) note(ctx context.Context, snapshot *core.Snapshot, a *api.Application, g *guard, v core.Verdict) (after time.Duration, err error) {
	now, memory := s.now(), v.Memory
	if w := memory.Waiting; w != nil && w.Code == core.Unpaid && v.Again < quiet && g.stored.Waiting == nil {
		memory.Waiting = nil
	}
	was := a.Status.Conditions.Get(api.Scheduled)
	must, should := memory.Outgrown(g.stored, s.rules)
	should = should || (was.Reason == moveWaits) != (memory.Waiting != nil)
	if write, after := timely(must, should, now.Sub(g.written)); !write {
		return after, nil
	}
	old, err := s.recorded(ctx, a)
	if err != nil {
		return 0, err
	}
	is := api.Condition{Type: api.Scheduled, Status: api.True, Reason: placed, ObservedGeneration: a.Metadata.Generation}
	record := memory.Store(old)
	if w := memory.Waiting; w != nil {
		is.Reason, is.Message = moveWaits, w.Message
		if old.Waiting == nil || old.Waiting.To != w.To || old.Waiting.Code != w.Code {
			record = core.Remember(record, v.Record(snapshot, a, now))
			s.log.Info("a move waits", "application", controller.KeyOf(a), "to", w.To, "for", w.Code, "reason", w.Message)
		}
	}
	_, err = s.set.PatchStatus(ctx, a, map[string]any{
		"status": map[string]any{"conditions": a.Status.Conditions.With(is, api.At(now))},
		"parts":  map[string]any{api.PlacementPart: record},
	})
	if err != nil {
		return 0, err
	}
	g.stored, g.written = bare(record), now
	return 0, nil
}

// timely says whether something is to be written now, so long after the last time, or after a while, or not at all.
func timely(must, should bool, since time.Duration) (now bool, after time.Duration) {
	switch {
	case must:
		return true, 0
	case should && since >= 0 && since < quiet:
		return false, quiet - since
	default:
		return should, 0
	}
}

// moveToBetter makes a move that pays, if it still does for what is read right now: the application and both clusters from
// the API, the values as they were read last.
func (s *Scheduler) moveToBetter(ctx context.Context, a *api.Application, g *guard, v core.Verdict) (controller.Result, error) {
	later := controller.Result{After: time.Second}
	fresh, snapshot, err := s.reread(ctx, a, v)
	if fresh == nil || err != nil {
		return later, err
	}
	now := s.now()
	snapshot = s.asking(snapshot.Avoiding(g.stored, fresh, now), fresh)
	v2 := core.Weigh(snapshot, fresh, s.look(fresh, g, 0, now))
	target := controller.Key{Namespace: a.Metadata.NamespaceOrEmpty(), Name: v.There.Name}
	if v2.Outcome != core.Moved || v2.There.Name != v.There.Name || !s.ledger.take(target, now) {
		return later, nil
	}
	if !s.reserve(snapshot, fresh, v.There.Name) {
		s.ledger.giveBack(target, now)
		return later, nil
	}
	old, err := s.recorded(ctx, fresh)
	if err == nil {
		memory := v2.Memory.Moved(v2.Here.Name, v2.There.Name, now)
		record := core.Remember(memory.Store(old), v2.Record(snapshot, fresh, now))
		ref := api.ClusterKind.Ref(target.Namespace, target.Name)
		if err = s.write(ctx, fresh, step{bind: &ref}, &record); err == nil {
			g.memory, g.stored, g.looked, g.written = memory, bare(record), now, now
			failpoint.Hit(failpoint.Bound)
			s.tell(fresh, record.Decisions[0])
			return controller.Result{After: s.sweep(snapshot, fresh)}, nil
		}
	}
	s.ledger.giveBack(target, now)
	if client.NotFound(err) {
		return controller.Result{}, nil
	}
	return controller.Result{}, err
}

// reread returns an application and its namespace's clusters as they are now, nil if it must not be moved any more or a
// cluster is gone.
func (s *Scheduler) reread(ctx context.Context, a *api.Application, v core.Verdict) (*api.Application, *core.Snapshot, error) {
	namespace := a.Metadata.NamespaceOrEmpty()
	fresh, err := s.set.Get(ctx, namespace, a.Metadata.Name)
	if err != nil {
		if client.NotFound(err) {
			err = nil
		}
		return nil, nil, err
	}
	if fresh.Metadata.UID != a.Metadata.UID || fresh.Metadata.Deleted != nil || !settled(fresh) || !api.SameRef(fresh.Status.ScheduledTo, a.Status.ScheduledTo) {
		return nil, nil, nil
	}
	list := s.known.List(func(c *api.Cluster) bool {
		return c.Metadata.NamespaceOrEmpty() == namespace && c.Metadata.Name != v.Here.Name && c.Metadata.Name != v.There.Name
	})
	for _, name := range []string{v.Here.Name, v.There.Name} {
		c, err := s.clusters.Get(ctx, namespace, name)
		if client.NotFound(err) {
			return nil, nil, nil
		}
		if err != nil {
			return nil, nil, err
		}
		list = append(list, c)
	}
	snapshot := snapshotOf(list, s.view.measure)
	if !core.Stays(snapshot, fresh) {
		return nil, nil, nil
	}
	return fresh, snapshot, nil
}

// recount fills the ledger from the records of the applications that may have moved within the last hour: those that were
// bound then, and not for the first time.
func (s *Scheduler) recount(ctx context.Context) error {
	s.guards.clear()
	s.ledger.clear()
	now := s.now()
	for _, a := range s.apps.List(func(a *api.Application) bool { return reboundSince(a, now.Add(-hour)) }) {
		p, err := s.recorded(ctx, a)
		if client.NotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		for _, move := range p.Moves {
			if move.Time != nil {
				s.ledger.add(controller.Key{Namespace: a.Metadata.NamespaceOrEmpty(), Name: move.To}, move.Time.Time())
			}
		}
	}
	return nil
}

func reboundSince(a *api.Application, since time.Time) bool {
	bound, placed := a.Status.Scheduled, a.Status.Conditions.Get(api.Scheduled).LastTransition
	return bound != nil && bound.Time().After(since) && (placed == nil || !placed.Equal(*bound))
}
