package scheduler

import (
	"context"
	"maps"
	"slices"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// sky is all clouds, and gives them the clusters that are to be made there.
type sky struct {
	clouds   carriers[api.Cloud, *api.Cloud]
	globals  carriers[api.GlobalCloud, *api.GlobalCloud]
	clusters matching[api.Cluster, *api.Cluster]
	// on finds clusters by the cloud that they are on, by its reference.
	on *client.IndexOf[string, *api.Cluster]
}

func newSky(s *Scheduler, o Options) *sky {
	k := &sky{
		clouds: carriers[api.Cloud, *api.Cloud]{
			gauge: s.gauge, set: client.Of[api.Cloud](o.Client), log: o.Log, events: o.Events, now: s.now,
			refs: func(c *api.Cloud) []api.MetricRef { return c.Spec.Metrics() },
			status: func(c *api.Cloud) (api.Conditions, map[string]api.Reason) {
				return c.Status.Conditions, c.Status.MetricsReasons
			},
		},
		globals: carriers[api.GlobalCloud, *api.GlobalCloud]{
			gauge: s.gauge, set: client.Of[api.GlobalCloud](o.Client), log: o.Log, events: o.Events, now: s.now,
			refs: func(c *api.GlobalCloud) []api.MetricRef { return c.Spec.Metrics() },
			status: func(c *api.GlobalCloud) (api.Conditions, map[string]api.Reason) {
				return c.Status.Conditions, c.Status.MetricsReasons
			},
		},
		clusters: matching[api.Cluster, *api.Cluster]{
			set: s.clusters, cache: o.Clusters, log: o.Log, events: o.Events, now: s.now,
			seeks:  func(c *api.Cluster) bool { return seeksCloud(c, s.rules) },
			moot:   func(c *api.Cluster) bool { return len(c.Spec.Kubeconfig) > 0 },
			wish:   wishOfCluster,
			status: func(c *api.Cluster) api.Conditions { return c.Status.Conditions },
		},
	}
	k.clouds.cache = client.NewCache(k.clouds.set, o.Log, client.Project(func(c *api.Cloud) { withoutSecrets(&c.Spec) }))
	k.globals.cache = client.NewCache(k.globals.set, o.Log, client.Project(func(c *api.GlobalCloud) { withoutSecrets(&c.Spec) }))
	k.clusters.market, k.clusters.bind = k.market, k.bind
	k.on = client.Index(o.Clusters, func(c *api.Cluster) []string {
		if !core.Inherits(c) {
			return nil
		}
		return []string{c.Status.ScheduledTo.String()}
	})
	k.clouds.connect()
	k.globals.connect()
	k.clusters.connect("clusters-to-clouds")
	controller.OnChange(k.clusters.ctl, k.clouds.cache, func(before, after *api.Cloud) []controller.Key {
		if c := present(before, after); offersOtherwise(before, after) {
			return k.clusters.in(c.Metadata.NamespaceOrEmpty())
		}
		return nil
	})
	controller.OnChange(k.clusters.ctl, k.globals.cache, func(before, after *api.GlobalCloud) []controller.Key {
		if offersOtherwise(before, after) {
			return k.clusters.all()
		}
		return nil
	})
	return k
}

// withoutSecrets drops from a cloud how to log in there.
func withoutSecrets(s *api.CloudSpec) {
	if s.OpenStack != nil {
		s.OpenStack = &api.OpenStackCloud{Metrics: s.OpenStack.Metrics}
	}
}

// seeksCloud says whether a cluster is to be given a cloud: it is to be made, and has not failed for another reason than
// that there was none. In the reference that is the end, too.
func seeksCloud(c *api.Cluster, rules core.Rules) bool {
	failed := c.Status.State == api.ClusterFailed && (rules.Compat || !c.Status.Reason.Unplaced())
	return c.Metadata.Deleted == nil && len(c.Spec.Kubeconfig) == 0 && c.Status.ScheduledTo == nil && !failed
}

func wishOfCluster(c *api.Cluster) core.Wish {
	wanted := &c.Spec.Constraints.Cloud
	return core.Wish{UID: c.Metadata.UID, Generation: c.Metadata.Generation, Labels: wanted.Labels, Metrics: wanted.Metrics}
}

// market has the clouds of a namespace, and those for everybody for when none of these matches.
func (k *sky) market(ctx context.Context, namespace string, fresh bool) (core.Market, bool, error) {
	own := k.clouds.cache.List(func(c *api.Cloud) bool { return c.Metadata.NamespaceOrEmpty() == namespace })
	global := k.globals.cache.List(nil)
	if fresh {
		var err error
		if own, _, err = k.clouds.set.List(ctx, namespace); err != nil {
			return core.Market{}, false, err
		}
		if global, _, err = k.globals.set.List(ctx, ""); err != nil {
			return core.Market{}, false, err
		}
	}
	m := core.Market{Noun: "cloud", Tiers: make([][]core.Place, 2), Unmatched: "No matching cloud found"}
	allReady := true
	for _, c := range own {
		p, ready := k.clouds.gauge.placeOf(api.CloudKind, &c.Metadata, c.Spec.Metrics())
		m.Tiers[0], allReady = append(m.Tiers[0], p), allReady && ready
	}
	for _, c := range global {
		p, ready := k.globals.gauge.placeOf(api.GlobalCloudKind, &c.Metadata, c.Spec.Metrics())
		m.Tiers[1], allReady = append(m.Tiers[1], p), allReady && ready
	}
	return m, allReady, nil
}

func (k *sky) bind(ctx context.Context, c *api.Cluster, to *core.Place, record *api.Placement) error {
	m := &c.Metadata
	_, err := k.clusters.set.Do(ctx, m.NamespaceOrEmpty(), m.Name, "binding", &api.CloudBinding{
		Cloud: to.Ref, UID: m.UID, Generation: m.Generation, Expected: api.Expect(nil), Placement: record,
	})
	return err
}

// remeasured has clouds say what is known of their metrics, and looks again for clusters without one.
func (k *sky) remeasured() {
	k.clouds.ctl.Enqueue(controller.KeysOf(k.clouds.rated())...)
	k.globals.ctl.Enqueue(controller.KeysOf(k.globals.rated())...)
	k.clusters.ctl.Enqueue(k.clusters.all()...)
}

// inherited returns the labels and metrics of a cluster, with what it takes over from its cloud; gone says that the cloud
// is not there any more.
func (k *sky) inherited(c *api.Cluster) (labels map[string]string, refs []api.MetricRef, gone bool) {
	if !core.Inherits(c) {
		return c.Metadata.Labels, c.Spec.Metrics, false
	}
	ref := *c.Status.ScheduledTo
	var cloud *api.Metadata
	var metrics []api.MetricRef
	if ref.Kind == api.CloudKind.Name {
		if found := k.clouds.cache.Get(ref.NamespaceOrEmpty(), ref.Name); found != nil {
			cloud, metrics = &found.Metadata, found.Spec.Metrics()
		}
	} else if found := k.globals.cache.Get("", ref.Name); found != nil {
		cloud, metrics = &found.Metadata, found.Spec.Metrics()
	}
	if cloud == nil {
		return c.Metadata.Labels, c.Spec.Metrics, true
	}
	labels, refs = core.Inherit(c, cloud.Labels, metrics)
	return labels, refs, false
}

// offersOtherwise says whether a change of a cloud or project may matter to decisions: values of metrics are told of
// otherwise, and what its status says does not matter.
func offersOtherwise[P interface {
	api.Resource
	comparable
}](before, after P) bool {
	var none P
	if before == none || after == none {
		return true
	}
	b, a := api.Meta(before), api.Meta(after)
	return b.UID != a.UID || b.Generation != a.Generation || (b.Deleted == nil) != (a.Deleted == nil) || !maps.Equal(b.Labels, a.Labels)
}

// present is the object as it is, or was before it went.
func present[P comparable](before, after P) P {
	var none P
	if after == none {
		return before
	}
	return after
}

// clouded is called when a cloud has changed: the clusters there may have other labels and metrics now.
func (s *Scheduler) clouded(ref api.ResourceRef) []controller.Key {
	s.view.outdate()
	s.metrics.Look()
	var keys []controller.Key
	for _, c := range s.sky.on.Get(ref.String()) {
		s.health.ctl.Enqueue(controller.KeyOf(c))
		namespace := c.Metadata.NamespaceOrEmpty()
		keys = slices.Concat(keys, controller.KeysOf(s.index.bound.Get(controller.KeyOf(c))),
			controller.KeysOf(s.index.waiting.Get(namespace)), controller.KeysOf(s.index.placed.Get(namespace)))
	}
	return keys
}
