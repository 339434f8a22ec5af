package scheduler

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// stranded is the reason of the condition Scheduled of an application that stays on a cluster that is given up; the
// message says why.
const stranded = "Stranded"

// The codes of waiting on a silent cluster for what core does not know of.
const (
	unwatched = "unwatched" // nobody asks clusters how they are, so what is known may be old
	turn      = "turn"      // others are moved first
)

// rescue does what follows for an application whose cluster is given up, or is not any more.
func (s *Scheduler) rescue(ctx context.Context, snapshot *core.Snapshot, a *api.Application, v core.Verdict) (controller.Result, error) {
	if v.Outcome != core.Moved {
		return controller.Result{After: v.Again}, s.strand(ctx, snapshot, a, v)
	}
	if wait := s.barelySeen(v.Here); wait > 0 {
		return controller.Result{After: wait}, nil
	}
	giveBack, wait := s.pace.take(s.now())
	if wait > 0 {
		v = v.Later(turn, "applications leave silent clusters one by one", wait+rand.N(core.FailoverPace))
		return controller.Result{After: v.Again}, s.strand(ctx, snapshot, a, v)
	}
	moved, result, err := s.leaveSilent(ctx, a, v)
	if !moved {
		giveBack()
	}
	return result, err
}

// firstLook is how long a silence has to be seen by this process, however long it has lasted: after a start, clusters that
// have come back meanwhile may say so.
const firstLook = 30 * time.Second

// barelySeen is how much longer a silent cluster has to be looked at before anything follows from it.
func (s *Scheduler) barelySeen(here *core.Cluster) time.Duration {
	c := s.known.Get(here.Namespace, here.Name)
	if c == nil {
		return time.Second
	}
	now := s.now()
	return s.silences.note(c, now).seen.Add(min(firstLook, s.rules.FailoverAfter)).Sub(now)
}

// leaveSilent moves an application away from a silent cluster, if that is still right for what is read right now.
func (s *Scheduler) leaveSilent(ctx context.Context, a *api.Application, v core.Verdict) (moved bool, _ controller.Result, _ error) {
	fresh, snapshot, err := s.reread(ctx, a, v)
	if fresh == nil || err != nil {
		return false, controller.Result{After: time.Second}, err
	}
	now := s.now()
	snapshot = s.Asking(snapshot, fresh)
	if v = core.Rescue(snapshot, fresh, s.rules, now); v.Outcome == core.Moved {
		watched, err := s.watched(ctx, now)
		if err != nil {
			return false, controller.Result{}, err
		}
		if !watched {
			v = v.Later(unwatched, "nobody asks clusters how they are: the controller of clusters does not run", time.Minute)
		}
	}
	if v.Outcome != core.Moved {
		return false, controller.Result{After: v.Again}, s.strand(ctx, snapshot, fresh, v)
	}
	if !s.reserve(snapshot, fresh, v.There.Name) {
		return false, controller.Result{After: outrun}, nil
	}
	ref := api.ClusterKind.Ref(v.There.Namespace, v.There.Name)
	err = s.apply(ctx, fresh, step{decision: v.Record(snapshot, fresh, now), bind: &ref, record: true})
	if client.NotFound(err) {
		return false, controller.Result{}, nil // removed meanwhile
	}
	return err == nil, controller.Result{}, err
}

// watcher is the lease of whoever asks clusters how they are, and watchedWithin how old its last renewal may be. It is
// renewed every few seconds; clocks may differ a little.
const (
	watcher       = "kubernetes-cluster"
	watchedWithin = time.Minute
)

// watched says whether somebody asks clusters how they are, so that a cluster that is said to be silent is.
func (s *Scheduler) watched(ctx context.Context, now time.Time) (bool, error) {
	lease, err := s.leases.Get(ctx, "", watcher)
	if client.NotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	renewed := lease.Spec.Renewed
	return lease.Spec.Holder != "" && renewed != nil && now.Sub(renewed.Time()).Abs() < watchedWithin, nil
}

// strand writes down why an application stays on a cluster that is given up, or that there is no reason to leave it any
// more, unless that is written already.
func (s *Scheduler) strand(ctx context.Context, snapshot *core.Snapshot, a *api.Application, v core.Verdict) error {
	is := api.Condition{Type: api.Scheduled, Status: api.True, Reason: placed, ObservedGeneration: a.Metadata.Generation}
	if v.Code != "" {
		is.Reason, is.Message = stranded, v.Reason
	}
	if was := a.Status.Conditions.Get(api.Scheduled); was.Reason == is.Reason && was.Message == is.Message {
		return nil
	}
	record, err := s.recorded(ctx, a)
	if err != nil {
		return gone(err)
	}
	now := s.now()
	if record.Waiting = nil; v.Code != "" {
		record = core.Remember(record, v.Record(snapshot, a, now))
	}
	_, err = s.set.PatchStatus(ctx, a, map[string]any{
		"status": map[string]any{"conditions": a.Status.Conditions.With(is, api.At(now))},
		"parts":  map[string]any{api.PlacementPart: record},
	})
	if err != nil {
		return gone(err)
	}
	s.guards.forget(controller.KeyOf(a)) // the record is newer
	if v.Code != "" {
		s.log.Warn("stranded", "application", controller.KeyOf(a), "cluster", v.Here.Name, "for", v.Code, "reason", v.Reason)
		s.events.Warning(a, stranded, "%s", v.Reason)
	}
	return nil
}

// gone takes the news that a record does not exist for what it is: nothing is left to do.
func gone(err error) error {
	if client.NotFound(err) {
		return nil
	}
	return err
}
