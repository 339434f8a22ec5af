package scheduler

import (
	"context"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// stillRefused is when an application is looked at again that no other cluster can be tried for.
const stillRefused = 5 * time.Minute

// leaveRefusing tries another place for an application that its cluster refuses, once that has gone on for long enough.
// Where there is none it stays, and its cluster is asked again and again as before.
func (s *Scheduler) leaveRefusing(ctx context.Context, snapshot *core.Snapshot, a *api.Application, enough time.Time) (controller.Result, error) {
	now := s.now()
	if wait := enough.Sub(now); wait > 0 {
		return controller.Result{After: wait}, nil
	}
	p, err := s.recorded(ctx, a)
	if err != nil {
		if client.NotFound(err) {
			err = nil
		}
		return controller.Result{}, err
	}
	list, ok := core.Avoid(p.Avoided, a, now)
	if !ok {
		return controller.Result{After: stillRefused}, nil
	}
	p.Avoided = list
	snapshot = s.Asking(snapshot.Avoiding(p, a, now), a)
	d := core.Decide(snapshot, a, now)
	if d.Outcome != core.Moved {
		return controller.Result{After: stillRefused}, nil
	}
	if secured, after, err := s.secure(ctx, snapshot, a, d.Chosen); !secured {
		return controller.Result{After: after}, err
	}
	record, ref := s.remember(p, a, d), api.ClusterKind.Ref(a.Metadata.NamespaceOrEmpty(), d.Chosen)
	if err := s.write(ctx, a, step{bind: &ref}, &record); err != nil {
		if client.NotFound(err) {
			err = nil
		}
		return controller.Result{}, err
	}
	s.guards.forget(controller.KeyOf(a)) // the record is newer
	s.tell(a, d)
	return controller.Result{}, nil
}

// wary is the snapshot for an application that must leave its cluster: without those that have failed it, as long as there
// is another. Only for such an application the record is read.
func (s *Scheduler) wary(ctx context.Context, snapshot *core.Snapshot, a *api.Application) (*core.Snapshot, error) {
	if a.Status.ScheduledTo == nil || core.Stays(snapshot, a) {
		return snapshot, nil
	}
	p, err := s.recorded(ctx, a)
	if err != nil {
		if client.NotFound(err) {
			err = nil
		}
		return snapshot, err
	}
	now := s.now()
	avoiding := snapshot.Avoiding(p, a, now)
	if core.Decide(s.Asking(avoiding, a), a, now).Outcome == core.Moved {
		return avoiding, nil
	}
	return snapshot, nil
}
