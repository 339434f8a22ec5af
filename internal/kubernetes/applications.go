package kubernetes

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/capacity"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/fleet"
)

// Options say how the application controller works.
type Options struct {
	Client   *client.Client
	Apps     *client.Cache[api.Application, *api.Application]
	Clusters *client.Cache[api.Cluster, *api.Cluster]
	Rules    *client.Cache[api.GlobalObjectRule, *api.GlobalObjectRule]
	Fleet    *fleet.Fleet
	Log      *slog.Logger
	Events   *controller.Recorder
	Budget   *Budget // of the removals that nobody asked for by name; nil for any number
	// MoveTimeout is how long the target of a move may take until it is ready, and how long the copy that is left may
	// take to go until it is left over; 5 minutes when zero.
	MoveTimeout time.Duration
	// Settle is how long a copy has to be ready on the target before a move switches over; 2 seconds when zero.
	Settle time.Duration
	// Drain is how long both copies run after a move has switched over; 5 seconds when zero.
	Drain time.Duration
	// KeepVolumes is how long the claims are kept that an application leaves behind when it moves; DefaultKeepVolumes when nil.
	KeepVolumes *time.Duration
	// VolumeImage is the image with which volumes are copied. Without one, none are.
	VolumeImage string
	// Resync is how often every application is looked at although nothing seems to have changed; a minute when zero.
	Resync time.Duration
	// RefusedRetry is how often a manifest that was refused is tried again although nobody changed it: what stood in its
	// way, a quota or a foreign object, may have gone. A minute when zero.
	RefusedRetry time.Duration
	// Confined, if set, gives each namespace a Kubernetes namespace of its own.
	Confined *fleet.Confinement
	// Now replaces the clock.
	Now func() time.Time
}

// DefaultKeepVolumes is how long claims are kept that an application has left behind.
const DefaultKeepVolumes = 24 * time.Hour

// Applications is the application controller: it makes the clusters hold what the applications ask for.
type Applications struct {
	client   *client.Client
	apps     *client.Cache[api.Application, *api.Application]
	clusters *client.Cache[api.Cluster, *api.Cluster]
	concerns *client.IndexOf[controller.Key, *api.Application] // by cluster
	ways     ways
	set      client.Set[api.Application, *api.Application]
	leftover client.Set[api.Leftover, *api.Leftover]
	fleet    *fleet.Fleet
	confined *fleet.Confinement
	rules    fleet.Rules
	log      *slog.Logger
	events   *controller.Recorder
	budget   *Budget
	limits   moveLimits
	keep     time.Duration
	image    string
	copying  copying
	resync   time.Duration
	refused  time.Duration
	clock    func() time.Time
	memory   memory
	lanes    lanes
	ctl      *controller.Controller

	here installation
}

// NewApplications returns the controller, connected to its caches.
func NewApplications(o Options) *Applications {
	c := &Applications{
		client: o.Client, apps: o.Apps, clusters: o.Clusters, fleet: o.Fleet, confined: o.Confined, log: o.Log, events: o.Events, budget: o.Budget, clock: o.Now,
		concerns: client.Index(o.Apps, clustersOf), ways: client.Index(o.Clusters, identified),
		set: client.Of[api.Application](o.Client), leftover: client.Of[api.Leftover](o.Client),
		limits: moveLimits{
			ready: orDefault(o.MoveTimeout, 5*time.Minute), settle: orDefault(o.Settle, 2*time.Second),
			drain: orDefault(o.Drain, 5*time.Second), clear: orDefault(o.MoveTimeout, 5*time.Minute),
			copy: orDefault(o.MoveTimeout, 5*time.Minute),
		},
		keep: DefaultKeepVolumes, image: o.VolumeImage,
		resync: orDefault(o.Resync, time.Minute), refused: orDefault(o.RefusedRetry, time.Minute),
	}
	if c.clock == nil {
		c.clock = time.Now
	}
	if o.KeepVolumes != nil {
		c.keep = *o.KeepVolumes
	}
	c.ctl = controller.New(controller.Config{Name: "kubernetes-application", Reconcile: c.reconcile, Workers: workers, Log: o.Log})
	controller.For(c.ctl, o.Apps, matters)
	controller.OnChange(c.ctl, o.Clusters, c.concerned)
	o.Rules.Handle(c.rules.Changed) // before the applications are looked at by them
	controller.OnChange(c.ctl, o.Rules, c.ruled)
	return c
}

func orDefault(d, fallback time.Duration) time.Duration {
	if d == 0 {
		return fallback
	}
	return d
}

// ProjectApplication drops from an application what the controller reads when it needs it, for the cache: its documents
// are nearly all of the memory that applications take. Of the manifest it leaves what the scheduler
// needs, and the sum of what its pods ask for.
func ProjectApplication(a *api.Application) {
	capacity.Summarise(a)
	a.Spec.Manifest, a.Spec.Tosca, a.Spec.ObserverSchema = a.Spec.Manifest.ForDecisions(), api.ToscaSource{}, nil
	s := &a.Status
	s.LastAppliedManifest, s.LastObservedManifest, s.MangledObserverSchema = nil, nil, nil
}

// matters says whether a change of an application's record asks for something to be done. Conditions, services and
// counts do not: they are what this controller itself writes. Only what waits for approval is others' business, too.
func matters(before, after *api.Application) bool {
	b, a := before.Status, after.Status
	return before.Metadata.UID != after.Metadata.UID || before.Metadata.Generation != after.Metadata.Generation ||
		(before.Metadata.Deleted == nil) != (after.Metadata.Deleted == nil) ||
		!slices.Equal(before.Metadata.Finalizers, after.Metadata.Finalizers) ||
		b.ScheduledGeneration != a.ScheduledGeneration || b.Cascaded != a.Cascaded || approvalChanged(b.Conditions, a.Conditions) ||
		!api.SameRef(b.ScheduledTo, a.ScheduledTo) || !api.SameRef(b.RunningOn, a.RunningOn)
}

// Run works until ctx ends.
func (c *Applications) Run(ctx context.Context) error {
	c.memory.clear() // another process may have done the work since the last run
	ctx, cancel := context.WithCancel(ctx)
	defer c.copying.close()
	defer cancel()
	c.copying.open(ctx)
	return c.ctl.Run(ctx)
}

// concerned names the applications that a change of a cluster's record may let go on: those bound to it or running on
// it, when it becomes known, answers again or leads elsewhere.
func (c *Applications) concerned(before, after *api.Cluster) []controller.Key {
	if before != nil && after != nil && before.Status.State == after.Status.State &&
		before.Status.Identity == after.Status.Identity && before.Metadata.Generation == after.Metadata.Generation {
		return nil
	}
	cluster := after
	if cluster == nil {
		cluster = before
	}
	return controller.KeysOf(c.concerns.Get(controller.KeyOf(cluster)))
}

// ruled names the applications that a change of a rule concerns: those that have objects of its kind. Those that are not
// remembered are about to be looked at anyway.
func (c *Applications) ruled(before, after *api.GlobalObjectRule) []controller.Key {
	if before != nil && after != nil && before.Metadata.Generation == after.Metadata.Generation {
		return nil
	}
	return c.memory.having(func(o api.InventoryObject) bool {
		for _, r := range []*api.GlobalObjectRule{before, after} {
			if r != nil && r.Spec.Group == o.Group && r.Spec.Kind == o.Kind {
				return true
			}
		}
		return false
	})
}

// clustersOf names the clusters that an application is bound to or runs on.
func clustersOf(a *api.Application) []controller.Key {
	var keys []controller.Key
	for _, ref := range []*api.ResourceRef{a.Status.ScheduledTo, a.Status.RunningOn} {
		if ref != nil {
			keys = append(keys, controller.Key{Namespace: ref.NamespaceOrEmpty(), Name: ref.Name})
		}
	}
	return keys
}

// Changed is to be told when objects of the application with this UID have changed on a cluster.
func (c *Applications) Changed(uid string) {
	if key, ok := c.memory.key(uid); ok {
		c.ctl.Enqueue(key)
	}
}

func (c *Applications) now() api.Time { return api.At(c.clock()) }

// reconcile brings one application a step further.
func (c *Applications) reconcile(ctx context.Context, key controller.Key) (controller.Result, error) {
	app := c.apps.Get(key.Namespace, key.Name)
	if app == nil {
		c.memory.remove(key)
		return controller.Result{}, nil
	}
	if untouched(app) {
		return controller.Result{}, nil // the change that makes it our business is on its way
	}
	clusters := c.clustersInUse(key, app)
	if !c.lanes.enter(clusters) {
		return controller.Result{After: crowded}, nil
	}
	defer c.lanes.leave(clusters)
	p, err := c.begin(ctx, key)
	if err != nil {
		if client.NotFound(err) {
			return controller.Result{}, nil
		}
		return controller.Result{}, err
	}
	result, err := p.work(ctx)
	if err != nil {
		c.memory.forget(key) // what is stored may be newer than what we remember
	}
	if client.NotFound(err) {
		return controller.Result{After: time.Second}, nil // most likely it was removed meanwhile, and is out of the cache then
	}
	return result, err
}

// untouched says whether an application has no place and nothing on any cluster: before anything is made there, the
// record gets the finalizer. Once it has a place, that is not relied on: an old client may have written back a record
// from before.
func untouched(a *api.Application) bool {
	return a.Status.ScheduledTo == nil && a.Status.RunningOn == nil && !slices.Contains(a.Metadata.Finalizers, api.FinalizerResources)
}

// work first sees to it that everything is known which the application has on clusters.
func (p *pass) work(ctx context.Context) (controller.Result, error) {
	if p.untracked() {
		if err := p.takeOver(ctx); err != nil {
			return p.blocked(ctx, err)
		}
	}
	return p.step(ctx)
}

// step does what is next for the application.
func (p *pass) step(ctx context.Context) (controller.Result, error) {
	s := p.app.Status
	if p.migration.Phase != api.PhaseCopying || p.app.Metadata.Deleted != nil {
		p.copying.end(p.app.Metadata.UID)
	}
	switch {
	case p.app.Metadata.Deleted != nil && p.app.Metadata.LastFinalizer() == api.FinalizerResources:
		return p.remove(ctx)
	case p.app.Metadata.Deleted != nil:
		return controller.Result{}, nil // somebody else's turn
	case p.migration.Phase != api.PhaseNone:
		return p.move(ctx)
	case s.ScheduledTo == nil || s.ScheduledGeneration < p.app.Metadata.Generation:
		return p.observe(ctx) // the scheduler comes first
	case s.RunningOn != nil && !api.SameRef(s.RunningOn, s.ScheduledTo):
		return p.beginMove(ctx)
	default:
		return p.deploy(ctx)
	}
}

// installation is the name of the Krake that the objects are marked with.
func (c *Applications) installation(ctx context.Context) (string, error) {
	return c.here.of(ctx, c.client)
}
