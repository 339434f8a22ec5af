package gc

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/failpoint"
)

// lookAgain is how soon an object is looked at again when the caches turn out to be behind. They will wake it, too.
const lookAgain = time.Second

// reconcile deletes an object whose owners go, or lets one go that nothing depends on.
func (c *Collector) reconcile(ctx context.Context, k *collected, key controller.Key) (controller.Result, error) {
	r := k.cache.Get(key.Namespace, key.Name)
	if r == nil {
		return controller.Result{}, nil
	}
	m := &r.Metadata
	ref := k.ref(m)
	c.mu.Lock()
	known, _ := c.graph.Get(ref)
	owners, doomed := c.graph.Doomed(ref)
	free := c.graph.Free(ref)
	c.warnOfCycle(ref)
	c.mu.Unlock()
	switch {
	case known.Version != m.ResourceVersion:
		// The graph is about to hear of this version, and wakes the object again.
	case doomed:
		return c.remove(ctx, k, m, owners)
	case free:
		return c.release(ctx, k, r)
	}
	return controller.Result{}, nil
}

// remove deletes an object because its owners go.
func (c *Collector) remove(ctx context.Context, k *collected, m *api.Metadata, owners []Ref) (controller.Result, error) {
	how, confirmed, err := c.confirm(ctx, owners)
	if err != nil || !confirmed {
		return controller.Result{After: lookAgain}, err
	}
	if !slices.Contains(k.kind.Deletions, how) {
		how = api.DeletePlain
	}
	_, err = k.objects.Delete(ctx, m.NamespaceOrEmpty(), m.Name,
		client.DeleteOptions{How: how, Cascade: true, IfMatch: m.ResourceVersion})
	if err == nil {
		c.log.Info("deleting, because all owners are", "object", k.ref(m).String(), "owners", names(owners))
	}
	return controller.Result{}, gone(err)
}

// confirm reads the owners anew: each must be gone or about to go. The caches may not know of one that was just created,
// or may take a new object for an old one of the same name. What goes with its owners goes in their way; if that of one
// is to keep what there is, then so.
func (c *Collector) confirm(ctx context.Context, owners []Ref) (how api.Deletion, confirmed bool, err error) {
	for _, o := range owners {
		kind := api.FindKind(o.Group, o.Kind)
		if kind == nil || !possible(kind, o) {
			continue
		}
		owner, err := client.MetadataOfKind(c.client, kind).Get(ctx, o.Namespace, o.Name)
		switch {
		case client.NotFound(err):
		case err != nil:
			return how, false, err
		case owner.Metadata.Deleted == nil || spares(&owner.Metadata):
			return how, false, nil
		case owner.Metadata.Deletion == api.KeepWorkloads:
			how = api.KeepWorkloads
		}
	}
	return how, true, nil
}

// possible says whether there can be an object of this name. Users may put anything into a list of owners.
func possible(kind *api.Kind, o Ref) bool {
	return api.ValidName(o.Name) && kind.Namespaced == (o.Namespace != "") && (o.Namespace == "" || api.ValidName(o.Namespace))
}

// bound names the kinds whose objects the API makes dependents of an object of another kind when they are bound to it.
var bound = map[string][]string{
	"kubernetes/Cluster":         {"kubernetes/Application"},
	"infrastructure/Cloud":       {"kubernetes/Cluster"},
	"infrastructure/GlobalCloud": {"kubernetes/Cluster"},
	"openstack/Project":          {"openstack/MagnumCluster"},
	"openstack/MagnumCluster":    {"kubernetes/Cluster"},
}

// newlyBound says whether something was bound to an object that the caches have not heard of: each kind is watched by
// itself, and the deletion of a cluster may be seen before the application that was bound to it. Whatever else depends on
// an object was put there by a user, who sees the order of their own requests.
func (c *Collector) newlyBound(ctx context.Context, k *collected, ref Ref) (bool, error) {
	c.mu.Lock()
	known := c.graph.Dependents(ref)
	c.mu.Unlock()
	for _, name := range bound[k.kind.Group+"/"+k.kind.Name] {
		dependent := c.kinds[name]
		if dependent == nil {
			continue
		}
		list, _, err := dependent.objects.List(ctx, ref.Namespace)
		if err != nil {
			return false, err
		}
		for _, r := range list {
			if slices.Contains(objectOf(r).Owners, ref) && !slices.Contains(known, dependent.ref(&r.Metadata)) {
				return true, nil
			}
		}
	}
	return false, nil
}

// release takes the collector's finalizer from an object. The server removes the record when no other is left.
func (c *Collector) release(ctx context.Context, k *collected, r *api.Envelope) (controller.Result, error) {
	m := &r.Metadata
	ref := k.ref(m)
	if waits, err := c.newlyBound(ctx, k, ref); err != nil || waits {
		return controller.Result{After: lookAgain}, err
	}
	kept := slices.DeleteFunc(slices.Clone(m.Finalizers), func(f string) bool { return f == api.FinalizerCascade })
	_, err := k.objects.Patch(ctx, r, map[string]any{"metadata": map[string]any{"finalizers": kept}})
	if err == nil {
		failpoint.Hit(failpoint.CascadeRemoved)
		c.log.Info("nothing depends on it any more", "object", ref.String(), "finalizers", kept)
	}
	return controller.Result{}, gone(err)
}

// gone takes the news that an object does not exist for what it is: nothing is left to do.
func gone(err error) error {
	if client.NotFound(err) {
		return nil
	}
	return err
}

// warnOfCycle says once of every circle that it is one.
func (c *Collector) warnOfCycle(ref Ref) {
	cycle := names(c.graph.Cycle(ref))
	members := strings.Join(cycle, " ")
	if len(cycle) == 0 || c.warned[members] {
		return
	}
	c.warned[members] = true
	c.log.Warn("objects own each other in a circle; they go only when the deletion of all of them is asked for", "members", cycle)
}
