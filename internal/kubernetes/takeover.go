package kubernetes

import (
	"context"
	"slices"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/fleet"
)

// untracked says whether an application runs somewhere and has no inventory: the Python Krake has brought it there, which
// keeps none.
func (p *pass) untracked() bool {
	return p.app.Status.RunningOn != nil && len(p.inventory.Objects) == 0 && p.migration.Phase == api.PhaseNone &&
		p.clusterOf(p.app.Status.RunningOn) != nil
}

// takeOver makes the inventory of an application that has none, of what is there of the objects that its status speaks of.
// Nothing is restarted or deleted.
func (p *pass) takeOver(ctx context.Context) error {
	documents := formerDocuments(p.app)
	if len(documents) == 0 {
		return nil
	}
	m, err := Connect(ctx, p.fleet, p.clusterOf(p.app.Status.RunningOn))
	if err != nil {
		return err
	}
	owner, err := p.owner(ctx)
	if err != nil {
		return err
	}
	objects, err := m.Resolve(ctx, fleet.Wish{Manifest: documents}, owner)
	if err != nil {
		return err
	}
	// What a hook has put into objects is not in the manifest. It would go, and pods be restarted, if its fields were ours.
	entries, err := m.TakeOver(ctx, objects, len(p.app.Spec.Hooks) == 0)
	if err != nil || len(entries) == 0 {
		return err
	}
	if p.app.Metadata.Deleted == nil {
		if err := p.ensureFinalizer(ctx); err != nil {
			return err
		}
	}
	p.record(entries...)
	if err := p.flush(ctx); err != nil {
		return err
	}
	p.log.Info("taken over", "application", p.key, "cluster", m.Identity(), "objects", len(entries))
	p.events.Normal(p.app, "TakenOver", "%d objects on the cluster %s were found, which an earlier Krake has made.", len(entries), p.clusterName(m.Identity()))
	return nil
}

// formerDocuments are the objects that the Python Krake has made, or was about to: those that were applied, and those that
// were observed beside them, which hooks have added.
func formerDocuments(a *api.Application) api.Manifest {
	out := slices.Clone(a.Status.LastAppliedManifest)
	for _, seen := range a.Status.LastObservedManifest {
		if !slices.ContainsFunc(out, func(known map[string]any) bool { return fleet.SameName(known, seen) }) {
			out = append(out, seen)
		}
	}
	return out
}
