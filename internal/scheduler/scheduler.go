package scheduler

import (
	"context"
	"log/slog"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// Options say what the scheduler works on.
type Options struct {
	Client *client.Client
	// Apps and Clusters are the caches of this process; the scheduler connects to them, somebody else runs them.
	Apps     *client.Cache[api.Application, *api.Application]
	Clusters *client.Cache[api.Cluster, *api.Cluster]
	Log      *slog.Logger
	// Now replaces the clock.
	Now func() time.Time
}

// Scheduler puts applications on clusters.
type Scheduler struct {
	apps     *client.Cache[api.Application, *api.Application]
	set      client.Set[api.Application, *api.Application]
	clusters client.Set[api.Cluster, *api.Cluster]
	view     *view
	index    *index
	log      *slog.Logger
	now      func() time.Time
	ctl      *controller.Controller
}

// workers is how many decisions are written at the same time; deciding takes much less than the answer of the API.
const workers = 10

// New returns a scheduler that is connected to its caches.
func New(o Options) *Scheduler {
	s := &Scheduler{
		apps: o.Apps, set: client.Of[api.Application](o.Client), clusters: client.Of[api.Cluster](o.Client),
		view: &view{clusters: o.Clusters}, index: newIndex(), log: o.Log, now: o.Now,
	}
	if s.now == nil {
		s.now = time.Now
	}
	o.Apps.Handle(s.index.update) // before the queue hears of it
	s.ctl = controller.New(controller.Config{Name: "scheduler", Reconcile: s.reconcile, Workers: workers, Log: o.Log})
	controller.For(s.ctl, o.Apps)
	controller.OnChange(s.ctl, o.Clusters, s.concerned)
	return s
}

// Run schedules until ctx ends.
func (s *Scheduler) Run(ctx context.Context) error { return s.ctl.Run(ctx) }

// ProjectApplication drops from an application what the scheduler does not need, for the cache of a process in which
// nobody else does.
func ProjectApplication(a *api.Application) {
	spec, status := &a.Spec, &a.Status
	spec.Manifest, spec.Tosca, spec.Csar, spec.ObserverSchema = nil, api.ToscaSource{}, nil, nil
	*status = api.ApplicationStatus{
		State: status.State, KubeControllerTriggered: status.KubeControllerTriggered, ScheduledTo: status.ScheduledTo,
		Retries: status.Retries, ScheduledRetry: status.ScheduledRetry, MigrationTimeout: status.MigrationTimeout,
		Conditions: status.Conditions, ScheduledGeneration: status.ScheduledGeneration,
	}
}

// ProjectCluster drops from a cluster what the scheduler does not need, like ProjectApplication.
func ProjectCluster(c *api.Cluster) {
	c.Spec = api.ClusterSpec{CustomResources: c.Spec.CustomResources}
	c.Status = api.ClusterStatus{State: c.Status.State}
}

// concerned names the applications that a change of a cluster may matter to.
func (s *Scheduler) concerned(before, after *api.Cluster) []controller.Key {
	change := core.Compare(before, after)
	if change.Any {
		s.view.outdate()
	}
	c := after
	if c == nil {
		c = before
	}
	var keys []controller.Key
	if change.Bound {
		keys = append(keys, s.index.boundTo(controller.KeyOf(c))...)
	}
	if change.Waiting {
		keys = append(keys, s.index.waitingIn(c.Metadata.NamespaceOrEmpty())...)
	}
	return keys
}

// reconcile decides on one application and writes what follows.
func (s *Scheduler) reconcile(ctx context.Context, key controller.Key) (controller.Result, error) {
	a := s.apps.Get(key.Namespace, key.Name)
	if a == nil || a.Metadata.Deleted != nil {
		return controller.Result{}, nil
	}
	snapshot := s.view.snapshot()
	if settled(a) && core.Stays(snapshot, a) {
		return controller.Result{}, nil
	}
	if exists, err := s.reappears(ctx, snapshot, a); exists || err != nil {
		return controller.Result{After: time.Second}, err
	}
	next := s.decide(snapshot, a)
	if next.final {
		fresh, err := s.fresh(ctx, key.Namespace)
		if err != nil {
			return controller.Result{}, err
		}
		next = s.decide(fresh, a)
	}
	err := s.apply(ctx, a, next)
	if client.NotFound(err) {
		return controller.Result{}, nil // removed meanwhile
	}
	return controller.Result{After: next.again}, err
}

func (s *Scheduler) decide(snapshot *core.Snapshot, a *api.Application) step {
	now := s.now()
	return plan(a, core.Decide(snapshot, a, now), core.Stays(snapshot, a), now)
}

// fresh reads the clusters of a namespace from the API. The last word on an application, after which only its user can
// revive it, must not rest on a cache that has not heard of a new cluster yet.
func (s *Scheduler) fresh(ctx context.Context, namespace string) (*core.Snapshot, error) {
	list, _, err := s.clusters.List(ctx, namespace)
	if err != nil {
		return nil, err
	}
	return snapshotOf(list), nil
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
