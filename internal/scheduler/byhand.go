package scheduler

import (
	"context"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// obey makes a move that somebody has asked for, or says why not. A refusal must not rest on a cache that has not heard of
// the cluster yet.
func (s *Scheduler) obey(ctx context.Context, snapshot *core.Snapshot, a *api.Application) (controller.Result, error) {
	now := s.now()
	snapshot = s.Asking(snapshot, a)
	d := core.Obey(snapshot, a, now)
	if d.Outcome != core.Moved {
		fresh, err := s.fresh(ctx, a.Metadata.NamespaceOrEmpty())
		if err != nil {
			return controller.Result{}, err
		}
		snapshot = s.Asking(fresh, a)
		d = core.Obey(snapshot, a, now)
	}
	if d.Outcome == core.Moved {
		if secured, after, err := s.secure(ctx, snapshot, a, d.Chosen); !secured {
			return controller.Result{After: after}, err
		}
		ref := api.ClusterKind.Ref(a.Metadata.NamespaceOrEmpty(), d.Chosen)
		return controller.Result{}, gone(s.apply(ctx, a, step{decision: d, bind: &ref, record: true}))
	}
	record, err := s.recorded(ctx, a)
	if err != nil {
		return controller.Result{}, gone(err)
	}
	_, err = s.set.PatchStatus(ctx, a, map[string]any{
		"status": map[string]any{"move_request": map[string]any{"refused": d.Reason}},
		"parts":  map[string]any{api.PlacementPart: core.Remember(record, d)},
	})
	if err == nil {
		s.log.Info("not moved", "application", controller.KeyOf(a), "reason", d.Reason)
		s.events.Warning(a, "NotMoved", "%s", d.Reason)
	}
	return controller.Result{}, gone(err)
}
