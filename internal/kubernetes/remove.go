package kubernetes

import (
	"context"
	"slices"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/failpoint"
)

// remove takes the objects of a deleted application off all clusters, and then lets its record go.
func (p *pass) remove(ctx context.Context) (controller.Result, error) {
	if len(p.inventory.Objects) > 0 {
		status := p.condition(api.Condition{Type: api.Cleaned, Status: api.Unknown, Reason: api.InProgress})
		if p.app.Status.Conditions.Get(api.Cleaned).Reason == "" && status != nil {
			if err := p.store(ctx, status); err != nil {
				return controller.Result{}, err
			}
		}
		for _, identity := range p.identities() {
			clean, err := p.cleanCluster(ctx, identity)
			if err != nil {
				return p.notCleaned(ctx, err)
			}
			if !clean {
				return controller.Result{After: 500 * time.Millisecond}, nil
			}
		}
	}
	finalizers := slices.DeleteFunc(slices.Clone(p.app.Metadata.Finalizers), func(f string) bool { return f == api.FinalizerResources })
	_, err := p.set.Patch(ctx, p.app, map[string]any{"metadata": map[string]any{"finalizers": finalizers}})
	failpoint.Hit(failpoint.FinalizerRemoved)
	return controller.Result{}, err
}

// identities lists the clusters in the inventory.
func (p *pass) identities() []string {
	var out []string
	for _, o := range p.inventory.Objects {
		if !slices.Contains(out, o.Cluster) {
			out = append(out, o.Cluster)
		}
	}
	return out
}

// cleanCluster removes everything that the application has on a cluster. It returns false while objects are still
// there. What is on a cluster that has no record any more becomes a leftover.
func (p *pass) cleanCluster(ctx context.Context, identity string) (clean bool, err error) {
	m, err := memberByIdentity(ctx, p.fleet, p.clusters, identity)
	if err != nil {
		return false, err
	}
	if m == nil {
		return true, p.handOver(ctx, identity, "The cluster's record was removed.")
	}
	return p.prune(ctx, m, p.everything(identity))
}

// handOver makes a leftover of what the application has on a cluster. It comes before the entries leave the inventory;
// the leftover's controller leaves alone what an application still lists.
func (p *pass) handOver(ctx context.Context, identity, cause string) error {
	entries := p.entries(identity)
	if len(entries) == 0 {
		return nil
	}
	l := api.NewLeftover(p.app, identity, cause)
	l.Spec.Objects = entries
	_, err := p.leftover.Create(ctx, l)
	if client.Exists(err) {
		err = p.addToLeftover(ctx, l)
	}
	if err != nil {
		return err
	}
	failpoint.Hit(failpoint.LeftoverCreated)
	p.log.Info("left over on a cluster that cannot be reached", "application", p.key, "cluster", identity, "objects", len(entries))
	p.drop(entries...)
	return p.store(ctx, nil, api.InventoryPart)
}

func (p *pass) addToLeftover(ctx context.Context, l *api.Leftover) error {
	old, err := p.leftover.Get(ctx, l.Metadata.NamespaceOrEmpty(), l.Metadata.Name)
	if err != nil {
		return err
	}
	for _, o := range l.Spec.Objects {
		if !slices.ContainsFunc(old.Spec.Objects, o.SameObject) {
			old.Spec.Objects = append(old.Spec.Objects, o)
		}
	}
	_, err = p.leftover.Patch(ctx, old, map[string]any{"spec": map[string]any{"objects": old.Spec.Objects}})
	return err
}

// notCleaned stores why the objects are still there.
func (p *pass) notCleaned(ctx context.Context, cause error) (controller.Result, error) {
	if ours(cause) {
		return controller.Result{}, cause
	}
	reason := reasonOf(cause)
	status := p.condition(api.Condition{Type: api.Cleaned, Status: api.False, Reason: string(reason.Code), Message: reason.Message})
	if status != nil {
		if err := p.store(ctx, status); err != nil {
			return controller.Result{}, err
		}
	}
	return controller.Result{}, cause
}
