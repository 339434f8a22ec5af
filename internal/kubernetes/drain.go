package kubernetes

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/controller"
)

// DrainOptions say how the controller of drains works.
type DrainOptions struct {
	Client   *client.Client
	Apps     *client.Cache[api.Application, *api.Application]
	Clusters *client.Cache[api.Cluster, *api.Cluster]
	Log      *slog.Logger
	// Retry is how often a cluster is looked at that applications have left and have not been removed from; 2 seconds
	// when zero.
	Retry time.Duration
	Now   func() time.Time // replaces the clock
}

// Drains follows the clusters that applications are to leave. The scheduler sends them away; here is told what is still
// there and why, and the record goes on whose deletion waits for that.
type Drains struct {
	clusters  *client.Cache[api.Cluster, *api.Cluster]
	on        *client.IndexOf[controller.Key, *api.Application] // by cluster
	ways      ways
	set       client.Set[api.Cluster, *api.Cluster]
	apps      client.Set[api.Application, *api.Application]
	leftovers client.Set[api.Leftover, *api.Leftover]
	log       *slog.Logger
	retry     time.Duration
	clock     func() time.Time
	ctl       *controller.Controller
}

// NewDrains returns the controller, connected to its caches.
func NewDrains(o DrainOptions) *Drains {
	c := &Drains{
		clusters: o.Clusters, on: client.Index(o.Apps, clustersOf), ways: client.Index(o.Clusters, identified),
		set: client.Of[api.Cluster](o.Client), apps: client.Of[api.Application](o.Client),
		leftovers: client.Of[api.Leftover](o.Client), log: o.Log, retry: orDefault(o.Retry, 2*time.Second), clock: o.Now,
	}
	if c.clock == nil {
		c.clock = time.Now
	}
	c.ctl = controller.New(controller.Config{Name: "drains", Reconcile: c.reconcile, Log: o.Log})
	controller.For(c.ctl, o.Clusters, func(before, after *api.Cluster) bool {
		return before.Metadata.Generation != after.Metadata.Generation || before.Metadata.Deletion != after.Metadata.Deletion ||
			before.Status.Identity != after.Status.Identity || !slices.Equal(before.Metadata.Finalizers, after.Metadata.Finalizers)
	})
	controller.OnChange(c.ctl, o.Apps, c.concerned)
	return c
}

// Run works until ctx ends.
func (c *Drains) Run(ctx context.Context) error { return c.ctl.Run(ctx) }

// concerned names the clusters that are being drained of those that an application was or is on.
func (c *Drains) concerned(before, after *api.Application) []controller.Key {
	var keys []controller.Key
	for _, a := range []*api.Application{before, after} {
		if a != nil {
			keys = append(keys, clustersOf(a)...)
		}
	}
	return slices.DeleteFunc(keys, func(key controller.Key) bool {
		cluster := c.clusters.Get(key.Namespace, key.Name)
		return cluster == nil || !cluster.Draining()
	})
}

func (c *Drains) reconcile(ctx context.Context, key controller.Key) (controller.Result, error) {
	cluster := c.clusters.Get(key.Namespace, key.Name)
	switch {
	case cluster == nil:
		return controller.Result{}, nil
	case !cluster.Draining():
		return controller.Result{}, c.forget(ctx, cluster)
	case cluster.Metadata.Deleted != nil && cluster.Metadata.Deletion != api.Evacuate:
		return controller.Result{}, nil // what is there goes with it
	}
	remains, err := c.remains(ctx, key, cluster)
	if err != nil {
		return controller.Result{}, err
	}
	if err := c.tell(ctx, cluster, drained(remains)); err != nil {
		return controller.Result{}, err
	}
	if len(remains) > 0 {
		return controller.Result{After: c.retry}, nil
	}
	return controller.Result{}, c.release(ctx, cluster)
}

// tell stores how far the cluster is.
func (c *Drains) tell(ctx context.Context, cluster *api.Cluster, is api.Condition) error {
	is.ObservedGeneration = cluster.Metadata.Generation
	was := timeless(cluster.Status.Conditions.Get(api.Drained))
	if is == was {
		return nil
	}
	c.log.Info("drain", "cluster", controller.KeyOf(cluster), "state", is.Reason, "message", is.Message)
	return c.store(ctx, cluster, cluster.Status.Conditions.With(is, api.At(c.clock())))
}

// forget takes back what was said of a drain that was called off.
func (c *Drains) forget(ctx context.Context, cluster *api.Cluster) error {
	if cluster.Status.Conditions.Get(api.Drained).Reason == "" {
		return nil
	}
	return c.store(ctx, cluster, cluster.Status.Conditions.Without(api.Drained))
}

func (c *Drains) store(ctx context.Context, cluster *api.Cluster, conditions api.Conditions) error {
	_, err := c.set.PatchStatus(ctx, cluster, map[string]any{"status": map[string]any{"conditions": conditions}})
	return gone(err)
}

// release lets the record go of a cluster whose deletion was to wait until it is empty.
func (c *Drains) release(ctx context.Context, cluster *api.Cluster) error {
	m := &cluster.Metadata
	if m.Deletion != api.Evacuate || m.LastFinalizer() != api.FinalizerEvacuation {
		return nil // it stays, or it is the turn of the garbage collector
	}
	c.log.Info("evacuated", "cluster", controller.KeyOf(cluster))
	_, err := c.set.Patch(ctx, cluster, map[string]any{"metadata": map[string]any{"finalizers": m.Finalizers[:len(m.Finalizers)-1]}})
	return gone(err)
}

// gone takes the news that a record does not exist for what it is: nothing is left to do.
func gone(err error) error {
	if client.NotFound(err) {
		return nil
	}
	return err
}
