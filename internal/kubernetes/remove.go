package kubernetes

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/failpoint"
	"github.com/rak-n-rok/krake/internal/fleet"
)

// remove takes the objects of a deleted application off all clusters, and then lets its record go.
func (p *pass) remove(ctx context.Context) (controller.Result, error) {
	if len(p.inventory.Objects) > 0 {
		if p.app.Status.Conditions.Get(api.Cleaned).Reason == "" {
			if err := p.store(ctx, p.cleaning()); err != nil {
				return controller.Result{}, err
			}
		}
		clean, err := p.cleanAll(ctx)
		if err != nil {
			return p.notCleaned(ctx, err)
		}
		if !clean {
			return controller.Result{After: 500 * time.Millisecond}, nil
		}
	}
	finalizers := slices.DeleteFunc(slices.Clone(p.app.Metadata.Finalizers), func(f string) bool { return f == api.FinalizerResources })
	_, err := p.set.Patch(ctx, p.app, map[string]any{"metadata": map[string]any{"finalizers": finalizers}})
	failpoint.Hit(failpoint.FinalizerRemoved)
	return controller.Result{}, err
}

// cleaning is the patch that says that the removal has begun. Whatever was to be shut down before is beyond that now.
func (p *pass) cleaning() map[string]any {
	now, generation := p.now(), p.app.Metadata.Generation
	conditions := p.app.Status.Conditions.With(api.Condition{Type: api.Cleaned, Status: api.Unknown, Reason: api.InProgress,
		ObservedGeneration: generation}, now)
	if conditions.Get(api.ShuttingDown).Status == api.True {
		conditions = conditions.With(api.Condition{Type: api.ShuttingDown, Status: api.False, Reason: "Over", ObservedGeneration: generation}, now)
	}
	return map[string]any{"conditions": conditions}
}

// cleanAll removes everything from all clusters. One that cannot be reached does not hold up the others.
func (p *pass) cleanAll(ctx context.Context) (clean bool, err error) {
	clean = true
	var errs []error
	for _, identity := range p.identities() {
		c, err := p.cleanCluster(ctx, identity, fleet.Itself)
		if err != nil && ours(err) {
			return false, err
		}
		clean, errs = clean && c, append(errs, err)
	}
	return clean, errors.Join(errs...)
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

// others lists the clusters in the inventory but one.
func (p *pass) others(than string) []string {
	return slices.DeleteFunc(p.identities(), func(identity string) bool { return identity == than })
}

// cleanCluster removes everything that the application has on a cluster. It returns false while objects are still
// there. What is on a cluster that has no record any more becomes a leftover.
func (p *pass) cleanCluster(ctx context.Context, identity string, extent fleet.Extent) (clean bool, err error) {
	m, err := memberByIdentity(ctx, p.fleet, p.clusters, p.app.Metadata.NamespaceOrEmpty(), identity)
	if err != nil {
		return false, err
	}
	if m == nil {
		return true, p.handOver(ctx, identity, "The cluster's record was removed.")
	}
	clean, err = p.prune(ctx, m, p.everything(identity), extent)
	if storeErr := p.flush(ctx); storeErr != nil {
		return false, storeErr
	}
	failpoint.Hit(failpoint.RemovalStored)
	return clean, err
}

// leave removes everything from a cluster that the application has left. What is on one that cannot be reached, or that
// refuses, becomes a leftover.
func (p *pass) leave(ctx context.Context, identity string) (clean bool, err error) {
	clean, err = p.cleanCluster(ctx, identity, fleet.Itself)
	switch {
	case silent(err):
		return true, p.handOver(ctx, identity, unreachable)
	case fleet.Final(err):
		return true, p.handOver(ctx, identity, err.Error())
	}
	return clean, err
}

// unreachable is the cause of what is left over on a cluster that an application has left.
const unreachable = "The cluster could not be reached when the application moved away."

// silent says whether an error means that nothing is known of a cluster.
func silent(err error) bool { return fleet.Unreachable(err) || errors.As(err, new(*waitError)) }

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
	p.log.Info("left over", "application", p.key, "cluster", identity, "objects", len(entries), "cause", cause)
	p.drop(entries...)
	return p.flush(ctx)
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
