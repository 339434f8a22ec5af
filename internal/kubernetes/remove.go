package kubernetes

import (
	"cmp"
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

// remove takes the objects of a deleted application off all clusters, or lets go of them there, and then lets its record
// go.
func (p *pass) remove(ctx context.Context) (controller.Result, error) {
	if len(p.inventory.Objects) > 0 {
		if p.app.Status.Conditions.Get(api.Cleaned).Reason == "" {
			if err := p.store(ctx, p.cleaning()); err != nil {
				return controller.Result{}, err
			}
		}
		dispose := func(ctx context.Context) (bool, error) { return p.cleanAll(ctx, p.deletedOn()) }
		if p.app.Metadata.Deletion == api.KeepWorkloads {
			dispose = p.letGo
		}
		clean, err := dispose(ctx)
		if err != nil {
			return p.notCleaned(ctx, err)
		}
		if !clean {
			return p.stillGoing(ctx)
		}
	}
	if err := p.dropAllKept(ctx); err != nil {
		return controller.Result{}, err
	}
	finalizers := slices.DeleteFunc(slices.Clone(p.app.Metadata.Finalizers), func(f string) bool { return f == api.FinalizerResources })
	_, err := p.set.Patch(ctx, p.app, map[string]any{"metadata": map[string]any{"finalizers": finalizers}})
	failpoint.Hit(failpoint.FinalizerRemoved)
	return controller.Result{}, err
}

// deletedOn is what the deletion of the application rests on.
func (p *pass) deletedOn() ground {
	if p.app.Status.Cascaded {
		return cascaded
	}
	return byName
}

// stillThere says when to look again for objects that are being removed, or must not be yet.
func (p *pass) stillThere() time.Duration {
	if len(p.withheld) > 0 {
		return p.resync // an approval brings us back
	}
	return 500 * time.Millisecond
}

// stillGoing waits for the objects of an application that is being deleted, longer the longer they have been going.
func (p *pass) stillGoing(ctx context.Context) (controller.Result, error) {
	if len(p.withheld) > 0 {
		return controller.Result{After: p.stillThere()}, nil
	}
	return controller.Result{After: patience(p.clock().Sub(p.app.Metadata.Deleted.Time()))}, p.tellLingering(ctx)
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

// patience is how soon it is looked again for objects that have been going for a while. News of their end come by
// themselves where they are watched.
func patience(going time.Duration) time.Duration {
	return min(max(going/20, 500*time.Millisecond), 30*time.Second)
}

// lingering is how long an object may take to go until it is said what keeps it.
const lingering = 10 * time.Second

// tellLingering stores what keeps objects that should have gone by now.
func (p *pass) tellLingering(ctx context.Context) error {
	if p.clock().Sub(p.app.Metadata.Deleted.Time()) < lingering {
		return nil
	}
	why := ""
	for _, identity := range p.identities() {
		m, err := memberByIdentity(ctx, p.fleet, p.ways, place{p.app.Metadata.NamespaceOrEmpty(), identity})
		if m == nil || err != nil {
			continue
		}
		m.Observe(p.entries(identity))
		for _, live := range p.live(m).Live() {
			why = cmp.Or(why, fleet.Lingering(live))
		}
	}
	if why == "" {
		return nil
	}
	return p.store(ctx, p.condition(api.Condition{Type: api.Cleaned, Status: api.Unknown, Reason: api.InProgress, Message: why}))
}

// cleanAll removes everything from all clusters. One that cannot be reached does not hold up the others.
func (p *pass) cleanAll(ctx context.Context, g ground) (clean bool, err error) {
	clean = true
	var errs []error
	for _, identity := range p.identities() {
		c, err := p.cleanCluster(ctx, identity, fleet.Itself, g)
		if err != nil && ours(err) {
			return false, err
		}
		clean, errs = clean && c, append(errs, err)
	}
	return clean, errors.Join(errs...)
}

// identities lists the clusters in the inventory.
func (p *pass) identities() []string { return clustersOfObjects(p.inventory.Objects) }

func clustersOfObjects(objects []api.InventoryObject) []string {
	var out []string
	for _, o := range objects {
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
func (p *pass) cleanCluster(ctx context.Context, identity string, extent fleet.Extent, g ground) (clean bool, err error) {
	m, err := memberByIdentity(ctx, p.fleet, p.ways, place{p.app.Metadata.NamespaceOrEmpty(), identity})
	if err != nil {
		return false, err
	}
	if m == nil {
		return true, p.handOver(ctx, identity, "The cluster's record was removed.", g)
	}
	if err := p.keepShared(ctx, m); err != nil {
		return false, err
	}
	clean, err = p.prune(ctx, m, p.entries(identity), extent, g)
	if storeErr := p.flush(ctx); storeErr != nil {
		return false, storeErr
	}
	failpoint.Hit(failpoint.RemovalStored)
	return clean, err
}

// keepShared takes out of the inventory of a cluster what is in it under another identity, too.
func (p *pass) keepShared(ctx context.Context, m *fleet.Member) error {
	for _, e := range p.entries(m.Identity()) {
		also, err := elsewhere(ctx, m, e, p.inventory.Objects)
		if err != nil {
			return err
		}
		if also {
			p.log.Info("the object stays: the cluster has another record", "application", p.key, "object", fleet.KeyOf(e), "cluster", m.Identity())
			p.drop(e)
		}
	}
	return nil
}

// leave removes everything from a cluster that the application has left. What is on one that cannot be reached, or that
// refuses, becomes a leftover; and so does what must not be removed before somebody approves it.
func (p *pass) leave(ctx context.Context, identity string) (clean bool, err error) {
	clean, err = p.cleanCluster(ctx, identity, fleet.Itself, moved)
	switch {
	case silent(err):
		return true, p.handOver(ctx, identity, unreachable, moved)
	case fleet.Final(err):
		return true, p.handOver(ctx, identity, reasonOf(err).Message, moved)
	case err == nil && p.withholds(identity):
		return true, p.handOver(ctx, identity, unapproved, moved)
	}
	return clean, err
}

// unapproved is the cause of what is left over because not all of it is wanted elsewhere.
const unapproved = "The manifest did not name all of it any more when the application moved away."

// unreachable is the cause of what is left over on a cluster that an application has left.
const unreachable = "The cluster could not be reached when the application moved away."

// silent says whether an error means that nothing is known of a cluster.
func silent(err error) bool { return fleet.Unreachable(err) || errors.As(err, new(*WaitError)) }

// handOver makes a leftover of what the application has on a cluster. It comes before the entries leave the inventory;
// the leftover's controller leaves alone what an application still lists.
func (p *pass) handOver(ctx context.Context, identity, cause string, g ground) error {
	entries := p.entries(identity)
	if len(entries) == 0 {
		return nil
	}
	l := api.NewLeftover(p.app, identity, cause)
	l.Spec.Objects, l.Spec.Cleared = entries, len(g.unasked(entries, p.app.Spec.Manifest)) == 0
	if err := p.leaveOver(ctx, l); err != nil {
		return err
	}
	p.log.Info("left over", "application", p.key, "cluster", identity, "objects", len(entries), "cause", cause)
	p.events.Warning(p.app, "LeftOver", "%d objects are left on the cluster %s: %s", len(entries), p.clusterName(identity), cause)
	p.drop(entries...)
	return p.flush(ctx)
}

// leaveOver writes down what is left on a cluster, beside what is already.
func (p *pass) leaveOver(ctx context.Context, l *api.Leftover) error {
	_, err := p.leftover.Create(ctx, l)
	if client.Exists(err) {
		err = p.addToLeftover(ctx, l)
	}
	if err == nil {
		failpoint.Hit(failpoint.LeftoverCreated)
	}
	return err
}

func (p *pass) addToLeftover(ctx context.Context, l *api.Leftover) error {
	old, err := p.leftover.Get(ctx, l.Metadata.NamespaceOrEmpty(), l.Metadata.Name)
	if err != nil {
		return err
	}
	if old, err = p.revoke(ctx, old); err != nil {
		return err
	}
	for _, o := range l.Spec.Objects {
		if i := slices.IndexFunc(old.Spec.Objects, o.SameObject); i < 0 {
			old.Spec.Objects = append(old.Spec.Objects, o)
		} else if o.UID != "" {
			old.Spec.Objects[i] = o // it may have been made again since
		}
	}
	_, err = p.leftover.Patch(ctx, old, map[string]any{"spec": map[string]any{
		"objects": old.Spec.Objects, "cleared": old.Spec.Cleared && l.Spec.Cleared, "keep_until": l.Spec.KeepUntil,
	}})
	return err
}

// revoke takes back what was approved of kept files: it was for what was left then, and is not for what comes to it now.
func (p *pass) revoke(ctx context.Context, l *api.Leftover) (*api.Leftover, error) {
	if !l.KeepsFiles() {
		return l, nil
	}
	var removal api.Removal
	if _, err := p.leftover.GetPart(ctx, l, api.RemovalPart, &removal); err != nil || len(removal.Allowed) == 0 {
		return l, err
	}
	return p.leftover.PatchStatus(ctx, l, map[string]any{"parts": map[string]any{api.RemovalPart: forgetting(removal, nil)}})
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
