package scheduler

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/capacity"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/metrics"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// Options say what the scheduler works on.
type Options struct {
	Client *client.Client
	// Apps and Clusters are the caches of this process; the scheduler connects to them, somebody else runs them.
	Apps     *client.Cache[api.Application, *api.Application]
	Clusters *client.Cache[api.Cluster, *api.Cluster]
	Log      *slog.Logger
	Events   *controller.Recorder
	// MetricsPeriod is how often the values of metrics are read; 10 seconds when zero.
	MetricsPeriod time.Duration
	// Rules say when a better place pays for a move; core.DefaultRules when zero.
	Rules core.Rules
	// Now replaces the clock.
	Now func() time.Time
}

// Scheduler puts applications on clusters.
type Scheduler struct {
	apps     *client.Cache[api.Application, *api.Application]
	set      client.Set[api.Application, *api.Application]
	clusters client.Set[api.Cluster, *api.Cluster]
	view     *view
	index    index
	log      *slog.Logger
	events   *controller.Recorder
	now      func() time.Time
	ctl      *controller.Controller
	metrics  *metrics.Reader
	health   *controller.Controller // of the clusters' metrics
	known    *client.Cache[api.Cluster, *api.Cluster]
	rules    core.Rules
	guards   guards
	ledger   ledger
	tenants  *tenants
}

// workers is how many decisions are written at the same time; deciding takes much less than the answer of the API.
const workers = 10

// New returns a scheduler that is connected to its caches.
func New(o Options) *Scheduler {
	s := &Scheduler{
		apps: o.Apps, set: client.Of[api.Application](o.Client), clusters: client.Of[api.Cluster](o.Client),
		index: newIndex(o.Apps, o.Clusters), log: o.Log, events: o.Events, now: o.Now, known: o.Clusters,
		rules: cmp.Or(o.Rules, core.DefaultRules), tenants: newTenants(),
	}
	s.guards.clear()
	s.ledger.limit = s.rules.PerTarget
	s.ledger.clear()
	s.view = &view{clusters: o.Clusters, measure: s.measure}
	if s.now == nil {
		s.now = time.Now
	}
	s.metrics = metrics.New(metrics.Options{Client: o.Client, Log: o.Log, Needed: s.needed, Synced: o.Clusters.Synced(), Changed: s.remeasured, Period: o.MetricsPeriod})
	s.health = controller.New(controller.Config{Name: "cluster-metrics", Reconcile: s.judgeMetrics, Log: o.Log})
	controller.For(s.health, o.Clusters)
	s.ctl = controller.New(controller.Config{Name: "scheduler", Reconcile: s.reconcile, Workers: workers, Log: o.Log})
	controller.OnChange(s.ctl, o.Apps, s.roomFreed) // before anybody decides on what has changed
	controller.For(s.ctl, o.Apps)
	controller.OnChange(s.ctl, o.Clusters, s.concerned)
	return s
}

// firstValues is how long the first decisions wait for the values of metrics.
const firstValues = 3 * time.Second

// Run schedules until ctx ends.
func (s *Scheduler) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running errgroup.Group
	for _, run := range []func(context.Context) error{s.metrics.Run, s.health.Run, s.begin} {
		running.Go(func() error {
			defer cancel()
			return run(ctx)
		})
	}
	return running.Wait()
}

// begin decides, once there are values to decide by, and it is known what has moved.
func (s *Scheduler) begin(ctx context.Context) error {
	select {
	case <-s.metrics.Read():
	case <-time.After(firstValues):
	case <-ctx.Done():
		return nil
	}
	select {
	case <-s.apps.Synced():
	case <-ctx.Done():
		return nil
	}
	if err := s.recount(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	s.view.outdate()
	return s.ctl.Run(ctx)
}

// ProjectApplication drops from an application what the scheduler does not need, for the cache of a process in which
// nobody else does.
func ProjectApplication(a *api.Application) {
	spec, status := &a.Spec, &a.Status
	capacity.Summarise(a)
	spec.Manifest, spec.Tosca, spec.Csar, spec.ObserverSchema = spec.Manifest.OnlyClaims(), api.ToscaSource{}, nil, nil
	*status = api.ApplicationStatus{
		State: status.State, KubeControllerTriggered: status.KubeControllerTriggered,
		Scheduled: status.Scheduled, ScheduledTo: status.ScheduledTo, RunningOn: status.RunningOn,
		Retries: status.Retries, ScheduledRetry: status.ScheduledRetry, MigrationTimeout: status.MigrationTimeout, MigrationRetries: status.MigrationRetries,
		Conditions: status.Conditions, ScheduledGeneration: status.ScheduledGeneration,
	}
}

// ProjectCluster drops from a cluster what the scheduler does not need, like ProjectApplication.
func ProjectCluster(c *api.Cluster) {
	c.Spec = api.ClusterSpec{CustomResources: c.Spec.CustomResources, Metrics: c.Spec.Metrics,
		Unschedulable: c.Spec.Unschedulable, Drain: c.Spec.Drain, CheckCapacity: c.Spec.CheckCapacity}
	status := c.Status
	c.Status = api.ClusterStatus{State: status.State, Conditions: status.Conditions, MetricsReasons: status.MetricsReasons, Identity: status.Identity}
	if !c.Spec.CheckCapacity {
		return
	}
	c.Status.Allocatable, c.Status.Used, c.Status.UsedByOthers = status.Allocatable, status.Used, status.UsedByOthers
	for _, node := range status.Nodes { // how many there are
		c.Status.Nodes = append(c.Status.Nodes, api.ClusterNode{Metadata: node.Metadata})
	}
}

// concerned names the applications that a change of a cluster may matter to.
func (s *Scheduler) concerned(before, after *api.Cluster) []controller.Key {
	change := core.Compare(before, after)
	if change.Any {
		s.view.outdate()
		s.metrics.Look()
	}
	c := after
	if c == nil {
		c = before
	}
	var keys []controller.Key
	if change.Bound {
		keys = append(keys, controller.KeysOf(s.index.bound.Get(controller.KeyOf(c)))...)
	}
	if change.Waiting || change.Room {
		keys = append(keys, controller.KeysOf(s.index.waiting.Get(c.Metadata.NamespaceOrEmpty()))...)
	}
	if change.Waiting && len(after.Spec.Metrics) > 0 {
		keys = append(keys, controller.KeysOf(s.index.placed.Get(c.Metadata.NamespaceOrEmpty()))...)
	}
	if change.Any {
		keys = append(keys, s.guards.keys(c.Metadata.NamespaceOrEmpty())...)
	}
	return keys
}

// reconcile decides on one application and writes what follows.
func (s *Scheduler) reconcile(ctx context.Context, key controller.Key) (controller.Result, error) {
	a := s.apps.Get(key.Namespace, key.Name)
	if a == nil || a.Metadata.Deleted != nil {
		s.guards.forget(key)
		return controller.Result{}, nil
	}
	s.release(a) // what an attempt whose end is not known has taken
	snapshot := s.view.snapshot()
	if settled(a) && core.Stays(snapshot, a) {
		if enough, refused := core.RefusedBy(a); refused {
			return s.leaveRefusing(ctx, snapshot, a, enough)
		}
		return s.reschedule(ctx, snapshot, a)
	}
	if exists, err := s.reappears(ctx, snapshot, a); exists || err != nil {
		return controller.Result{After: time.Second}, err
	}
	snapshot, err := s.wary(ctx, snapshot, a)
	if err != nil {
		return controller.Result{}, err
	}
	next := s.decide(snapshot, a)
	if next.final {
		fresh, err := s.fresh(ctx, key.Namespace)
		if err != nil {
			return controller.Result{}, err
		}
		snapshot = fresh
		next = s.decide(snapshot, a)
	}
	if next.bind != nil && !s.reserve(snapshot, a, next.bind.Name) {
		return controller.Result{After: outrun}, nil
	}
	err = s.apply(ctx, a, next)
	if client.NotFound(err) {
		return controller.Result{}, nil // removed meanwhile
	}
	return controller.Result{After: next.again}, err
}

// outrun is when an application is decided on again whose room others have taken since it was decided on.
const outrun = 10 * time.Millisecond

func (s *Scheduler) decide(snapshot *core.Snapshot, a *api.Application) step {
	now := s.now()
	snapshot = s.asking(snapshot, a)
	return plan(a, core.Decide(snapshot, a, now), core.Stays(snapshot, a), now)
}

// fresh reads the clusters of a namespace from the API. The last word on an application, after which only its user can
// revive it, must not rest on a cache that has not heard of a new cluster yet.
func (s *Scheduler) fresh(ctx context.Context, namespace string) (*core.Snapshot, error) {
	list, _, err := s.clusters.List(ctx, namespace)
	if err != nil {
		return nil, err
	}
	return snapshotOf(list, s.measure), nil
}

// reappears says whether the cluster that an application is bound to exists although the cache does not have it. The
// caches of applications and of clusters run apart; a binding may be seen before the cluster, and moving away from a
// cluster because of that would be a mistake.
func (s *Scheduler) reappears(ctx context.Context, snapshot *core.Snapshot, a *api.Application) (bool, error) {
	ref := a.Status.ScheduledTo
	if ref == nil || snapshot.Find(*ref) != nil || !api.ValidName(ref.Name) || !api.ValidName(ref.NamespaceOrEmpty()) {
		return false, nil
	}
	_, err := s.clusters.Get(ctx, ref.NamespaceOrEmpty(), ref.Name)
	if client.NotFound(err) {
		return false, nil
	}
	return err == nil, err
}
