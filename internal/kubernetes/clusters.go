package kubernetes

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/fleet"
)

// ClusterOptions say how the cluster controller works.
type ClusterOptions struct {
	Client   *client.Client
	Clusters *client.Cache[api.Cluster, *api.Cluster]
	Fleet    *fleet.Fleet
	Log      *slog.Logger
	Events   *controller.Recorder
	// Interval is how often a cluster is asked how it is; 3 seconds when zero.
	Interval time.Duration
	Now      func() time.Time // replaces the clock
}

// Clusters is the cluster controller: it asks every registered cluster how it is and writes down what has changed.
type Clusters struct {
	client   *client.Client
	here     installation
	clusters *client.Cache[api.Cluster, *api.Cluster]
	set      client.Set[api.Cluster, *api.Cluster]
	fleet    *fleet.Fleet
	log      *slog.Logger
	events   *controller.Recorder
	interval time.Duration
	clock    func() time.Time
	ctl      *controller.Controller

	mu     sync.Mutex
	misses map[controller.Key]misses
	warned map[controller.Key]time.Time // when it was told that credentials end

	counted map[controller.Key]time.Time // when the pods of a cluster were counted
}

// misses counts failed attempts in a row.
type misses struct {
	count int
	since time.Time
}

// An answer that fails to come is no reason to act: a cluster that was reached before is given up only after this many
// attempts and this long.
const (
	missesAllowed  = 3
	silenceAllowed = 10 * time.Second
)

// NewClusters returns the controller, connected to its cache.
func NewClusters(o ClusterOptions) *Clusters {
	c := &Clusters{
		client: o.Client, counted: map[controller.Key]time.Time{}, clusters: o.Clusters, set: client.Of[api.Cluster](o.Client), fleet: o.Fleet, log: o.Log, events: o.Events, clock: o.Now,
		interval: orDefault(o.Interval, 3*time.Second), misses: map[controller.Key]misses{},
		warned: map[controller.Key]time.Time{},
	}
	if c.clock == nil {
		c.clock = time.Now
	}
	c.ctl = controller.New(controller.Config{Name: "kubernetes-cluster", Reconcile: c.reconcile, Workers: workers, Log: o.Log})
	controller.For(c.ctl, o.Clusters, func(before, after *api.Cluster) bool {
		return before.Metadata.Generation != after.Metadata.Generation || watched(before) != watched(after)
	})
	return c
}

// Run works until ctx ends.
func (c *Clusters) Run(ctx context.Context) error {
	c.forgetAll() // another process may have done the work since the last run
	return c.ctl.Run(ctx)
}

func (c *Clusters) reconcile(ctx context.Context, key controller.Key) (controller.Result, error) {
	cluster := c.clusters.Get(key.Namespace, key.Name)
	if cluster == nil || !watched(cluster) {
		c.forget(key)
		c.unwarn(key)
		c.uncount(key)
		return controller.Result{}, nil
	}
	report, err := c.probe(ctx, cluster)
	if ctx.Err() != nil {
		return controller.Result{}, ctx.Err()
	}
	if err == nil {
		c.forget(key)
		c.warn(key, cluster, report)
	} else if c.tolerable(key, cluster, err) {
		return controller.Result{After: c.interval}, nil
	}
	patch := assess(cluster, report, err, api.At(c.clock()))
	if patch == nil {
		return controller.Result{After: c.interval}, nil
	}
	updated, err := c.set.PatchStatus(ctx, cluster, map[string]any{"status": patch})
	if err != nil {
		c.uncount(key) // what was counted is not written down
	}
	if client.NotFound(err) {
		return controller.Result{}, nil
	}
	if err != nil {
		return controller.Result{}, err
	}
	if updated.Status.State != cluster.Status.State {
		c.log.Info("cluster", "cluster", key, "state", updated.Status.State, "before", cluster.Status.State,
			"message", updated.Status.Conditions.Get(api.Reachable).Message)
		c.tell(updated)
	}
	if updated.Status.State == api.ClusterConnecting {
		return controller.Result{After: time.Second}, nil
	}
	return controller.Result{After: c.interval}, nil
}

// tell writes an event about the state that a cluster has now.
func (c *Clusters) tell(cluster *api.Cluster) {
	switch cluster.Status.State {
	case api.ClusterOnline:
		c.events.Normal(cluster, "Online", "The cluster answers and its nodes are well.")
	case api.ClusterConnecting:
	default:
		message := cluster.Status.Conditions.Get(api.Reachable).Message
		if message == "" {
			message = cluster.Status.Conditions.Get(api.Healthy).Message
		}
		c.events.Warning(cluster, "NotOnline", "The cluster is %s: %s", cluster.Status.State, message)
	}
}

// watched says whether a cluster is looked at: not while it is made or changed by the infrastructure (an API that
// answers early must not turn it ONLINE), and not when it is going away.
func watched(c *api.Cluster) bool {
	switch c.Status.State {
	case api.ClusterCreating, api.ClusterReconciling, api.ClusterFailed:
		return false
	}
	leaving := c.Metadata.Deleted != nil && c.Metadata.Deletion != api.Evacuate
	return !leaving && len(c.Spec.Kubeconfig) > 0
}

// probeTime is how long a cluster may take to say how it is.
const probeTime = 10 * time.Second

func (c *Clusters) probe(ctx context.Context, cluster *api.Cluster) (fleet.Report, error) {
	probing, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	m, err := c.fleet.MemberOf(probing, cluster.Spec.Kubeconfig, cluster.Status.Identity)
	if err != nil {
		return fleet.Report{}, err
	}
	report, err := m.Probe(probing)
	if err == nil && cluster.Status.Identity != "" && report.Identity != cluster.Status.Identity {
		return report, &anotherCluster{}
	}
	if err == nil {
		c.count(ctx, cluster, m, &report)
	}
	return report, err
}

// anotherCluster says that a kubeconfig leads elsewhere than it did.
type anotherCluster struct{}

func (*anotherCluster) Error() string {
	return "the kubeconfig leads to another cluster than the one that was registered; nothing is applied or deleted there"
}

// tolerable counts a failure and says whether the cluster is to be given more time.
func (c *Clusters) tolerable(key controller.Key, cluster *api.Cluster, err error) bool {
	if errors.As(err, new(*anotherCluster)) || cluster.Status.Identity == "" ||
		cluster.Status.Conditions.Get(api.Reachable).Status == api.False {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.misses[key]
	if m.count == 0 {
		m.since = c.clock()
	}
	m.count++
	c.misses[key] = m
	return m.count < missesAllowed || c.clock().Sub(m.since) < silenceAllowed
}

func (c *Clusters) forget(key controller.Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.misses, key)
}

func (c *Clusters) forgetAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.misses)
}

// assess gives the merge patch of the status after an attempt to ask a cluster, nil when nothing has changed.
func assess(cluster *api.Cluster, report fleet.Report, failure error, now api.Time) map[string]any {
	s := cluster.Status
	patch := map[string]any{}
	conditions := counted(patch, cluster, report, now)
	set := func(c api.Condition) {
		c.ObservedGeneration = cluster.Metadata.Generation
		conditions = setIfNew(conditions, c, now)
	}
	if failure != nil {
		set(api.Condition{Type: api.Reachable, Status: api.False, Reason: string(api.ClusterNotReachable), Message: failure.Error()})
		if len(s.Nodes) > 0 {
			patch["nodes"] = []api.ClusterNode{}
		}
	} else {
		reason := api.Answers
		if s.State == api.ClusterOffline {
			reason = api.Reconnected
		}
		set(api.Condition{Type: api.Reachable, Status: api.True, Reason: reason})
		set(nodesCondition(report))
		learned(patch, s, report)
	}
	if len(conditions) > 0 && !wire.Equal(conditions, s.Conditions) {
		patch["conditions"] = conditions
	}
	if len(patch) == 0 {
		return nil
	}
	patch["kube_controller_triggered"] = now
	return patch
}

func endOf(r fleet.Report) *api.Time {
	if r.Expires.IsZero() {
		return nil
	}
	end := api.At(r.Expires)
	return &end
}

// expiresSoon is how long before their end credentials are worth a warning.
const expiresSoon = 14 * 24 * time.Hour

// warn writes an event about credentials that end soon, once a day at most.
func (c *Clusters) warn(key controller.Key, cluster *api.Cluster, r fleet.Report) {
	now := c.clock()
	if r.Expires.IsZero() || r.Expires.Sub(now) > expiresSoon {
		return
	}
	c.mu.Lock()
	told, ok := c.warned[key]
	if ok = ok && now.Sub(told) < 24*time.Hour; !ok {
		c.warned[key] = now
	}
	c.mu.Unlock()
	if !ok {
		c.log.Warn("the credentials of a cluster end soon", "cluster", key, "end", r.Expires)
		c.events.Warning(cluster, "CredentialsExpire", "The credentials in the kubeconfig end at %s.", r.Expires.UTC().Format(time.RFC3339))
	}
}

func (c *Clusters) unwarn(key controller.Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.warned, key)
}

// nodesCondition is about the first node with which something is wrong, as in the reference.
func nodesCondition(r fleet.Report) api.Condition {
	if r.NodesHidden != "" {
		return api.Condition{Type: api.Healthy, Status: api.Unknown, Reason: "NodesHidden",
			Message: "Whether its nodes are well is not known: " + r.NodesHidden}
	}
	if len(r.Findings) == 0 {
		return api.Condition{Type: api.Healthy, Status: api.True, Reason: "Ready"}
	}
	reason := api.NotReady
	if r.Findings[0].Pressure {
		reason = api.Pressure
	}
	return api.Condition{Type: api.Healthy, Status: api.False, Reason: reason, Message: r.Findings[0].Message}
}

// learned notes what is new in a report.
func learned(patch map[string]any, s api.ClusterStatus, r fleet.Report) {
	if s.Identity == "" {
		patch["identity"] = r.Identity
	}
	if s.Version != r.Version {
		patch["version"] = r.Version
	}
	if !wire.Equal(s.Nodes, r.Nodes) {
		patch["nodes"] = r.Nodes
	}
	if end := endOf(r); !wire.Equal(s.CredentialsExpire, end) {
		patch["credentials_expire"] = end
	}
	replace(patch, "allocatable", s.Allocatable, r.Allocatable)
}

// replace notes in a patch that a map is another one now, if it is.
func replace(patch map[string]any, field string, before, after map[string]string) {
	if maps.Equal(before, after) {
		return
	}
	change := map[string]any{}
	for name := range before {
		change[name] = nil
	}
	for name, quantity := range after {
		change[name] = quantity
	}
	patch[field] = change
}
