package scheduler

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
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
	// Demand says when clusters are made for applications; core.DefaultDemand, but for the template, when it has no Timeout.
	Demand core.Demand
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
	gauge    gauge
	health   carriers[api.Cluster, *api.Cluster]
	sky      *sky
	magnum   *magnum
	demand   *demand
	empties  *empties
	synced   chan struct{} // closed once it is known which metrics are needed
	syncing  sync.Once
	known    *client.Cache[api.Cluster, *api.Cluster]
	rules    core.Rules
	deciding atomic.Bool // see Deciding
	guards   guards
	ledger   ledger
	silences silences
	pace     pace
	leases   client.Set[api.Lease, *api.Lease]
	tenants  *tenants
}

// workers is how many decisions are written at the same time; deciding takes much less than the answer of the API.
const workers = 10

// New returns a scheduler that is connected to its caches.
func New(o Options) *Scheduler {
	s := &Scheduler{
		apps: o.Apps, set: client.Of[api.Application](o.Client), clusters: client.Of[api.Cluster](o.Client),
		index: newIndex(o.Apps, o.Clusters), log: o.Log, events: o.Events, now: o.Now, known: o.Clusters, synced: make(chan struct{}),
		rules: cmp.Or(o.Rules, core.DefaultRules).InForce(), tenants: newTenants(), leases: client.Of[api.Lease](o.Client),
	}
	s.guards.clear()
	s.ledger.limit = s.rules.PerTarget
	s.ledger.clear()
	s.view = &view{clusters: o.Clusters, measure: s.appraise}
	if s.now == nil {
		s.now = time.Now
	}
	s.metrics = metrics.New(metrics.Options{Client: o.Client, Log: o.Log, Needed: s.needed, Synced: s.synced, Changed: s.remeasured, Period: o.MetricsPeriod, Strict: s.rules.Compat})
	s.gauge = gauge{s.metrics, s.rules}
	s.health = carriers[api.Cluster, *api.Cluster]{
		gauge: s.gauge, set: s.clusters, cache: o.Clusters, log: o.Log, events: o.Events, now: s.now, refs: s.metricsOf,
		status: func(c *api.Cluster) (api.Conditions, map[string]api.Reason) {
			return c.Status.Conditions, c.Status.MetricsReasons
		},
	}
	s.health.connect()
	s.sky, s.magnum = newSky(s, o), newMagnum(s, o)
	if o.Demand.Timeout == 0 {
		template := o.Demand.Template
		o.Demand = core.DefaultDemand
		o.Demand.Template = template
	}
	s.demand = &demand{Scheduler: s, rules: o.Demand}
	if s.rules.Compat {
		s.demand.rules.Margin = 0
	}
	s.empties = newEmpties(s, o.Demand.Retention, o.Apps, o.Clusters)
	s.ctl = controller.New(controller.Config{Name: "scheduler", Reconcile: s.reconcile, Workers: workers, Log: o.Log})
	controller.OnChange(s.ctl, o.Apps, s.roomFreed) // before anybody decides on what has changed
	controller.For(s.ctl, o.Apps)
	controller.OnChange(s.ctl, o.Clusters, s.concerned)
	controller.OnChange(s.ctl, s.sky.clouds.cache, func(before, after *api.Cloud) []controller.Key {
		if !offersOtherwise(before, after) {
			return nil
		}
		c := controller.KeyOf(present(before, after))
		return slices.Concat(s.clouded(api.CloudKind.Ref(c.Namespace, c.Name)), s.demanders(c.Namespace))
	})
	controller.OnChange(s.ctl, s.sky.globals.cache, func(before, after *api.GlobalCloud) []controller.Key {
		if !offersOtherwise(before, after) {
			return nil
		}
		return slices.Concat(s.clouded(api.GlobalCloudKind.Ref("", present(before, after).Metadata.Name)), s.demanders(""))
	})
	return s
}

// firstValues is how long the first decisions wait for the values of metrics.
const firstValues = 3 * time.Second

// Run schedules until ctx ends.
func (s *Scheduler) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running errgroup.Group
	for _, run := range []func(context.Context) error{
		filling(s.sky.clouds.cache), filling(s.sky.globals.cache), filling(s.magnum.health.cache), filling(s.magnum.clusters.cache), s.sync, s.metrics.Run,
		s.health.ctl.Run, s.sky.clouds.ctl.Run, s.sky.globals.ctl.Run, s.magnum.health.ctl.Run, s.begin,
	} {
		running.Go(func() error {
			err := run(ctx)
			if err != nil {
				cancel()
			}
			return err
		})
	}
	return running.Wait()
}

// filling runs a cache. That ctx ends is no error of it.
func filling[P api.Resource](c *client.CacheOf[P]) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := c.Run(ctx); ctx.Err() == nil {
			return err
		}
		return nil
	}
}

// sync waits until it is known which metrics are needed.
func (s *Scheduler) sync(ctx context.Context) error {
	for _, synced := range []<-chan struct{}{s.known.Synced(), s.sky.clouds.cache.Synced(), s.sky.globals.cache.Synced(), s.magnum.health.cache.Synced()} {
		select {
		case <-synced:
		case <-ctx.Done():
			return nil
		}
	}
	s.syncing.Do(func() { close(s.synced) })
	return nil
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
	s.pace.begin(s.now())
	s.view.outdate()
	s.deciding.Store(true)
	defer s.deciding.Store(false)
	var deciding errgroup.Group
	for _, c := range []*controller.Controller{s.ctl, s.sky.clusters.ctl, s.magnum.clusters.ctl, s.empties.ctl} {
		deciding.Go(func() error { return c.Run(ctx) })
	}
	return deciding.Wait()
}

// appraise adds to a cluster what its metrics say, and since when it has been silent as this process knows it.
func (s *Scheduler) appraise(c *api.Cluster, into *core.Cluster) {
	s.measure(c, into)
	into.SilentSince = s.silences.note(c, s.now()).since
}

// ProjectApplication drops from an application what the scheduler does not need, for the cache of a process in which
// nobody else does.
func ProjectApplication(a *api.Application) {
	spec, status := &a.Spec, &a.Status
	capacity.Summarise(a)
	spec.Manifest, spec.Tosca, spec.Csar, spec.ObserverSchema = spec.Manifest.ForDecisions(), api.ToscaSource{}, nil, nil
	*status = api.ApplicationStatus{
		State: status.State, KubeControllerTriggered: status.KubeControllerTriggered,
		Scheduled: status.Scheduled, ScheduledTo: status.ScheduledTo, RunningOn: status.RunningOn,
		AutoClusterCreateStarted: status.AutoClusterCreateStarted, Retries: status.Retries, MoveRequest: status.MoveRequest,
		ScheduledRetry: status.ScheduledRetry, MigrationTimeout: status.MigrationTimeout, MigrationRetries: status.MigrationRetries,
		Conditions: status.Conditions, ScheduledGeneration: status.ScheduledGeneration,
	}
}

// ProjectCluster drops from a cluster what the scheduler does not need, like ProjectApplication.
func ProjectCluster(c *api.Cluster) {
	c.Spec = api.ClusterSpec{CustomResources: c.Spec.CustomResources, Metrics: c.Spec.Metrics, Kubeconfig: anyKubeconfig(c.Spec.Kubeconfig),
		Constraints: c.Spec.Constraints, InheritMetrics: c.Spec.InheritMetrics, AutoGenerated: c.Spec.AutoGenerated,
		Unschedulable: c.Spec.Unschedulable, Drain: c.Spec.Drain, CheckCapacity: c.Spec.CheckCapacity}
	status := c.Status
	c.Status = api.ClusterStatus{State: status.State, Reason: status.Reason, ScheduledTo: status.ScheduledTo,
		Conditions: status.Conditions, MetricsReasons: status.MetricsReasons, Identity: status.Identity}
	if !c.Spec.CheckCapacity {
		return
	}
	c.Status.Allocatable, c.Status.Used, c.Status.UsedByOthers = status.Allocatable, status.Used, status.UsedByOthers
	for _, node := range status.Nodes { // how many there are
		c.Status.Nodes = append(c.Status.Nodes, api.ClusterNode{Metadata: node.Metadata})
	}
}

// anyKubeconfig keeps of a kubeconfig that there is one.
func anyKubeconfig(k api.Kubeconfig) api.Kubeconfig {
	if len(k) == 0 {
		return nil
	}
	return api.Kubeconfig{"kind": "Config"}
}

// concerned names the applications that a change of a cluster may matter to.
func (s *Scheduler) concerned(before, after *api.Cluster) []controller.Key {
	if after == nil {
		s.silences.forget(before)
	} else {
		s.silences.note(after, s.now())
	}
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
	if change.Waiting || change.Room || c.Spec.AutoGenerated && change.Any {
		keys = append(keys, controller.KeysOf(s.index.waiting.Get(c.Metadata.NamespaceOrEmpty()))...)
	}
	if change.Waiting && len(s.metricsOf(after)) > 0 {
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
	if s.rules.Dropped(a) {
		return controller.Result{}, nil
	}
	snapshot := s.view.snapshot()
	if a.Status.MoveRequest.Open() && a.Status.ScheduledTo != nil {
		return s.obey(ctx, snapshot, a)
	}
	if settled(a) && core.Stays(snapshot, a) {
		v := core.Rescue(s.Asking(snapshot, a), a, s.rules, s.now())
		if v.Code != "" || a.Status.Conditions.Get(api.Scheduled).Reason == stranded {
			return s.rescue(ctx, snapshot, a, v)
		}
		if enough, refused := core.RefusedBy(a); refused {
			return s.leaveRefusing(ctx, snapshot, a, enough)
		}
		result, err := s.reschedule(ctx, snapshot, a)
		result.After = soonest(result.After, v.Again)
		return result, err
	}
	if exists, err := s.reappears(ctx, snapshot, a); exists || err != nil {
		return controller.Result{After: time.Second}, err
	}
	snapshot, err := s.wary(ctx, snapshot, a)
	if err != nil {
		return controller.Result{}, err
	}
	if waits, again, err := s.demand.meet(ctx, snapshot, a); waits || err != nil {
		return again, err
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
	if next.bind != nil {
		if secured, after, err := s.secure(ctx, snapshot, a, next.bind.Name); !secured {
			return controller.Result{After: after}, err
		}
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
	snapshot = s.Asking(snapshot, a)
	d := core.Decide(snapshot, a, now)
	if d.Outcome == core.Kept && a.Status.ScheduledTo != nil {
		d.MoveAbove = s.rules.MoveAbove(snapshot.Find(*a.Status.ScheduledTo))
	}
	return plan(a, d, core.Stays(snapshot, a), now)
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
