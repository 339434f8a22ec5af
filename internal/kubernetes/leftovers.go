package kubernetes

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/fleet"
)

// LeftoverOptions say how the controller of leftovers works.
type LeftoverOptions struct {
	Client    *client.Client
	Leftovers *client.Cache[api.Leftover, *api.Leftover]
	Apps      *client.Cache[api.Application, *api.Application]
	Clusters  *client.Cache[api.Cluster, *api.Cluster]
	Fleet     *fleet.Fleet
	Log       *slog.Logger
	Events    *controller.Recorder
	Budget    *Budget // of the removals that nobody asked for by name; nil for any number
	// Retry is how often a cluster that does not answer is tried; 15 seconds when zero.
	Retry time.Duration
	Now   func() time.Time // replaces the clock
}

// Leftovers removes what is left on clusters as soon as they answer, or lets it go there.
type Leftovers struct {
	leftovers *client.Cache[api.Leftover, *api.Leftover]
	on        *client.IndexOf[string, *api.Leftover] // by identity of the cluster
	apps      *client.Cache[api.Application, *api.Application]
	ways      ways
	set       client.Set[api.Leftover, *api.Leftover]
	appSet    client.Set[api.Application, *api.Application]
	records   client.Set[api.Cluster, *api.Cluster]
	fleet     *fleet.Fleet
	log       *slog.Logger
	events    *controller.Recorder
	budget    *Budget
	retry     time.Duration
	clock     func() time.Time
	ctl       *controller.Controller
}

// NewLeftovers returns the controller, connected to its caches.
func NewLeftovers(o LeftoverOptions) *Leftovers {
	c := &Leftovers{
		leftovers: o.Leftovers, apps: o.Apps, fleet: o.Fleet, log: o.Log, events: o.Events, budget: o.Budget, clock: o.Now,
		on:   client.Index(o.Leftovers, func(l *api.Leftover) []string { return []string{l.Spec.Identity} }),
		ways: client.Index(o.Clusters, identified),
		set:  client.Of[api.Leftover](o.Client), appSet: client.Of[api.Application](o.Client),
		records: client.Of[api.Cluster](o.Client),
		retry:   orDefault(o.Retry, 15*time.Second),
	}
	if c.clock == nil {
		c.clock = time.Now
	}
	c.ctl = controller.New(controller.Config{Name: "leftovers", Reconcile: c.reconcile, Log: o.Log})
	controller.For(c.ctl, o.Leftovers, func(before, after *api.Leftover) bool {
		return before.Metadata.Generation != after.Metadata.Generation || approvalChanged(before.Status.Conditions, after.Status.Conditions)
	})
	controller.OnChange(c.ctl, o.Clusters, func(_, after *api.Cluster) []controller.Key {
		if after == nil || after.Status.Identity == "" {
			return nil
		}
		return controller.KeysOf(c.on.Get(after.Status.Identity))
	})
	return c
}

// Run works until ctx ends.
func (c *Leftovers) Run(ctx context.Context) error { return c.ctl.Run(ctx) }

func (c *Leftovers) reconcile(ctx context.Context, key controller.Key) (controller.Result, error) {
	l := c.leftovers.Get(key.Namespace, key.Name)
	if l == nil || l.Metadata.Deleted != nil {
		return controller.Result{}, nil
	}
	if len(l.Spec.Objects) == 0 {
		needed, err := c.needed(ctx, l)
		if needed || err != nil {
			return controller.Result{After: c.retry}, err
		}
		return controller.Result{}, c.finish(ctx, l)
	}
	m, err := c.member(ctx, l)
	if err != nil {
		return c.failed(ctx, l, err)
	}
	dispose := c.clean
	if l.Spec.Keep {
		dispose = c.letGo
	}
	l, left, again, err := dispose(ctx, m, l)
	if err != nil {
		return c.failed(ctx, l, err)
	}
	if len(left) == 0 {
		return controller.Result{}, c.finish(ctx, l)
	}
	if len(left) < len(l.Spec.Objects) {
		_, err = c.set.Patch(ctx, l, map[string]any{"spec": map[string]any{"objects": left}})
	}
	return controller.Result{After: again}, err
}

func (c *Leftovers) finish(ctx context.Context, l *api.Leftover) error {
	c.log.Info("nothing is left", "leftover", l.Metadata.Name, "cluster", l.Spec.Identity)
	_, err := c.set.Delete(ctx, l.Metadata.NamespaceOrEmpty(), l.Metadata.Name,
		client.DeleteOptions{Force: true, IfMatch: l.Metadata.ResourceVersion})
	if client.NotFound(err) {
		return nil
	}
	return err
}

// needed says whether the way to a cluster that a leftover keeps may still be wanted: no record leads there, and another
// leftover or an application has something there. The API is asked, since a cache may not have heard yet that a record is
// gone; and for what applications have before it is asked for leftovers: an application that hands over creates the
// leftover first.
func (c *Leftovers) needed(ctx context.Context, l *api.Leftover) (bool, error) {
	namespace := l.Metadata.NamespaceOrEmpty()
	if len(l.Spec.Kubeconfig) == 0 {
		return false, nil
	}
	for _, known := range c.ways.Get(place{namespace, l.Spec.Identity}) {
		record, err := c.records.Get(ctx, namespace, known.Metadata.Name)
		if err == nil && record.Metadata.UID == known.Metadata.UID {
			return false, nil
		}
		if err != nil && !client.NotFound(err) {
			return false, err
		}
	}
	for _, a := range c.apps.List(func(a *api.Application) bool { return a.Metadata.NamespaceOrEmpty() == namespace }) {
		inventory, err := c.inventory(ctx, a)
		if err != nil || slices.ContainsFunc(inventory, func(o api.InventoryObject) bool { return o.Cluster == l.Spec.Identity }) {
			return true, err
		}
	}
	all, _, err := c.set.List(ctx, namespace)
	return slices.ContainsFunc(all, func(o *api.Leftover) bool {
		return o.Spec.Identity == l.Spec.Identity && len(o.Spec.Objects) > 0
	}), err
}

// member finds a way to the cluster: by a record, else by a kubeconfig that a leftover kept.
func (c *Leftovers) member(ctx context.Context, l *api.Leftover) (*fleet.Member, error) {
	namespace := l.Metadata.NamespaceOrEmpty()
	m, err := memberByIdentity(ctx, c.fleet, c.ways, place{namespace, l.Spec.Identity})
	if m != nil || err != nil {
		return m, err
	}
	err = &WaitError{"no cluster with this identity is registered"}
	for _, k := range c.on.Get(l.Spec.Identity) {
		if k.Metadata.NamespaceOrEmpty() != namespace || len(k.Spec.Kubeconfig) == 0 {
			continue
		}
		if m, err = c.fleet.MemberOf(ctx, k.Spec.Kubeconfig, l.Spec.Identity); err != nil {
			continue
		}
		if m.Identity() == l.Spec.Identity {
			return m, nil
		}
		err = &anotherCluster{}
	}
	return nil, err
}

// settled is how long an object that was only announced is looked for: whoever was about to create it has given up by
// then.
const settled = time.Minute

// clean removes the objects, the last wave first, and returns those that are still there and when to look again, with the
// leftover as it is stored by then. What the application lists as its own is left alone: it has it again, or is about to
// hand it over.
func (c *Leftovers) clean(ctx context.Context, m *fleet.Member, l *api.Leftover) (_ *api.Leftover, left []api.InventoryObject, again time.Duration, err error) {
	kept, err := c.keptByApplication(ctx, l)
	if err != nil {
		return l, nil, 0, err
	}
	held, again := map[fleet.Key]bool{}, max(c.retry, c.keptFor(l))
	for _, o := range l.Spec.Objects {
		also, err := elsewhere(ctx, m, o, kept)
		if err != nil {
			return l, nil, 0, err
		}
		if also || slices.ContainsFunc(kept, o.SameObject) {
			held[fleet.KeyOf(o)], again = true, c.retry // the application may be about to hand it over
		}
	}
	handingOver := l.KeepsFiles() && len(held) > 0 && c.handedOver(l) < settled
	if handingOver {
		again = time.Second
	}
	l, free, mark, err := c.mayGo(ctx, m, l, slices.DeleteFunc(slices.Clone(l.Spec.Objects), func(o api.InventoryObject) bool {
		return handingOver || held[fleet.KeyOf(o)] // all wait for one approval, and not some of them before the others
	}))
	if err != nil {
		return l, nil, 0, err
	}
	waves := inOrder(m, free)
	if len(waves) == 0 {
		return l, l.Spec.Objects, again, nil
	}
	for _, e := range l.Spec.Objects {
		if !slices.ContainsFunc(waves[0], e.SameObject) {
			left = append(left, e)
			continue
		}
		gone, err := m.Delete(ctx, e, mark, fleet.Itself)
		if err != nil {
			return l, nil, 0, err
		}
		young := e.UID == "" && c.clock().Sub(l.Metadata.Created.Time()) < settled
		if !gone || young {
			left = append(left, e)
		}
	}
	return l, left, time.Second, nil
}

// handedOver is how long ago objects were added to a leftover. The application drops them from its inventory right after.
func (c *Leftovers) handedOver(l *api.Leftover) time.Duration {
	return c.clock().Sub(l.Metadata.Modified.Time())
}

// keptFor is how long the objects of a leftover are still kept, unless somebody approves that they go.
func (c *Leftovers) keptFor(l *api.Leftover) time.Duration {
	if l.Spec.KeepUntil == nil {
		return 0
	}
	return max(0, l.Spec.KeepUntil.Time().Sub(c.clock()))
}

// letGo takes Krake's mark off the objects, and returns those that still have it and when to look again.
func (c *Leftovers) letGo(ctx context.Context, m *fleet.Member, l *api.Leftover) (*api.Leftover, []api.InventoryObject, time.Duration, error) {
	left, err := release(ctx, m, l.Spec.Objects, l.Spec.ApplicationUID)
	if err != nil && len(left) < len(l.Spec.Objects) {
		return l, left, c.retry, nil // what has been done is noted first
	}
	return l, left, c.retry, err
}

// keptByApplication returns the inventory of the application that the objects were of, if it still exists.
func (c *Leftovers) keptByApplication(ctx context.Context, l *api.Leftover) ([]api.InventoryObject, error) {
	if l.Spec.Application == nil {
		return nil, nil
	}
	app, err := c.appSet.Get(ctx, l.Spec.Application.NamespaceOrEmpty(), l.Spec.Application.Name)
	if client.NotFound(err) {
		return nil, nil
	}
	if err != nil || app.Metadata.UID != l.Spec.ApplicationUID {
		return nil, err
	}
	return c.inventory(ctx, app)
}

// inventory reads what an application has on clusters, nothing if it is gone.
func (c *Leftovers) inventory(ctx context.Context, app *api.Application) ([]api.InventoryObject, error) {
	var inventory api.Inventory
	_, err := c.appSet.GetPart(ctx, app, api.InventoryPart, &inventory)
	if client.NotFound(err) {
		return nil, nil
	}
	return inventory.Objects, err
}

// failed notes why the objects are still there, once for each reason.
func (c *Leftovers) failed(ctx context.Context, l *api.Leftover, cause error) (controller.Result, error) {
	if ours(cause) {
		return controller.Result{}, cause
	}
	if message := reasonOf(cause).Message; l.Status.Message != message {
		c.log.Warn("leftover stays for now", "leftover", l.Metadata.Name, "cluster", l.Spec.Identity, "error", cause)
		_, err := c.set.PatchStatus(ctx, l, map[string]any{"status": map[string]any{
			"attempts": l.Status.Attempts + 1, "message": message,
		}})
		if err != nil {
			return controller.Result{}, err
		}
	}
	return controller.Result{After: c.retry}, nil
}
