package scheduler

import (
	"context"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/failpoint"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// apply writes what was planned.
func (s *Scheduler) apply(ctx context.Context, a *api.Application, next step) error {
	if next.bind == nil && next.status == nil {
		return nil
	}
	var record *api.Placement
	if next.record {
		old, err := s.recorded(ctx, a)
		if err != nil {
			return err
		}
		if next.decision.Outcome == core.Moved {
			old = core.Recall(old, s.rules).Moved(next.decision.Current, next.decision.Chosen, s.now()).Store(old)
		}
		grown := core.Remember(old, next.decision)
		record = &grown
	}
	if err := s.write(ctx, a, next, record); err != nil {
		return err
	}
	failpoint.Hit(failpoint.Bound)
	s.guards.forget(controller.KeyOf(a)) // the record is newer
	if next.decision.Outcome == core.Moved {
		s.ledger.add(controller.Key{Namespace: a.Metadata.NamespaceOrEmpty(), Name: next.decision.Chosen}, s.now())
	}
	s.tell(a, next.decision)
	return nil
}

// tell says to people what was decided.
func (s *Scheduler) tell(a *api.Application, d api.Decision) {
	s.log.Info("decided", "application", controller.KeyOf(a), "generation", a.Metadata.Generation, "outcome", d.Outcome,
		"cluster", d.Chosen, "reason", d.Reason)
	switch d.Outcome {
	case core.Moved:
		s.events.Normal(a, "Rescheduled", "%s", d.Reason)
	case core.Refused:
		s.events.Warning(a, "NoPlace", "%s", d.Reason)
	}
}

func (s *Scheduler) write(ctx context.Context, a *api.Application, next step, record *api.Placement) error {
	m := &a.Metadata
	if next.bind != nil {
		bound, err := s.set.Do(ctx, m.NamespaceOrEmpty(), m.Name, "binding", &api.ClusterBinding{
			Cluster: *next.bind, UID: m.UID, Generation: m.Generation, Expected: api.Expect(a.Status.ScheduledTo), Placement: record,
		})
		s.settle(a, bound, err)
		return err
	}
	patch := map[string]any{"status": next.status}
	if record != nil {
		patch["parts"] = map[string]any{api.PlacementPart: record}
	}
	_, err := s.set.PatchStatus(ctx, a, patch)
	return err
}

// recorded returns what was decided before. The cached application does not tell whether there is anything: it may be
// older than the last decision.
func (s *Scheduler) recorded(ctx context.Context, a *api.Application) (api.Placement, error) {
	var p api.Placement
	_, err := s.set.GetPart(ctx, a, api.PlacementPart, &p)
	return p, err
}
