package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"sigs.k8s.io/yaml"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/fleet"
	"github.com/rak-n-rok/krake/internal/gc"
	"github.com/rak-n-rok/krake/internal/kubernetes"
	"github.com/rak-n-rok/krake/internal/scheduler"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
	"github.com/rak-n-rok/krake/internal/scheduler/preview"
)

// Settings are what can be adjusted in the components; zero values are the defaults.
type Settings struct {
	ClusterInterval time.Duration  // how often a cluster is asked how it is
	MoveTimeout     time.Duration  // how long the target of a move may take to be ready, and the copy that is left to go
	Settle          time.Duration  // how long a copy has to be ready on the target before a move switches over
	Drain           time.Duration  // how long both copies run after a move has switched over
	KeepVolumes     *time.Duration // how long claims are kept that an application has left; nil is the default
	VolumeImage     string         // the image with which volumes are copied; without one, none are
	RefusedRetry    time.Duration  // how often a manifest that a cluster refused is tried again
	Rules           core.Rules     // when a better place pays for a move
	Demand          *core.Demand   // when clusters are made for applications; nil is the default
	// ClusterTemplate is a file with the TOSCA template of clusters that are made for applications; empty for none.
	ClusterTemplate string
	// Removals bounds how many objects go from a cluster at once that nobody asked for by name; nil is the default.
	Removals      *kubernetes.RemovalLimit
	OwnNamespaces bool // each namespace of Krake has a Kubernetes namespace of its own
	// ClusterWideKinds are kinds without a namespace that are allowed all the same, as KIND or KIND.GROUP.
	ClusterWideKinds []string
	Lease            controller.LeaseTimes
}

// confinement is where objects may be, nil for anywhere.
func (s Settings) confinement() *fleet.Confinement {
	if !s.OwnNamespaces {
		return nil
	}
	return &fleet.Confinement{ClusterWide: s.ClusterWideKinds}
}

func (s Settings) check() error {
	if s.KeepVolumes != nil && *s.KeepVolumes < 0 {
		return errors.New("--keep-volumes must not be negative")
	}
	if len(s.ClusterWideKinds) > 0 && !s.OwnNamespaces {
		return errors.New("--cluster-wide-kinds needs --own-namespaces: without it all kinds are allowed")
	}
	return nil
}

// demand is when clusters are made for applications, with the template from its file.
func (s Settings) demand() (core.Demand, error) {
	d := core.DefaultDemand
	if s.Demand != nil {
		d = *s.Demand
	}
	if err := d.Check(); err != nil {
		return d, err
	}
	if s.ClusterTemplate == "" {
		return d, nil
	}
	data, err := os.ReadFile(s.ClusterTemplate)
	if err != nil {
		return d, fmt.Errorf("reading the template of clusters: %w", err)
	}
	if err = yaml.Unmarshal(data, &d.Template); err != nil {
		return d, fmt.Errorf("the template of clusters, %s: %w", s.ClusterTemplate, err)
	}
	if err = api.CheckClusterTemplate(d.Template); err != nil {
		return d, fmt.Errorf("the template of clusters, %s: %w", s.ClusterTemplate, err)
	}
	return d, nil
}

// DefaultRemovalLimit holds where Settings have none.
var DefaultRemovalLimit = kubernetes.DefaultRemovalLimit

// DefaultKeepVolumes holds where Settings have nothing else.
const DefaultKeepVolumes = kubernetes.DefaultKeepVolumes

// A component is a part of Krake that can run in a process of its own.
type component struct {
	name string
	user string // who it is to the API
	add  func(e *environment, c *client.Client) error
}

// components is the table of all of them, in the order in which they start.
var components = []component{
	{"scheduler", "system:scheduler", addScheduler},
	{"kubernetes-application", "system:kubernetes-application", addApplications},
	{"kubernetes-cluster", "system:kubernetes-cluster", addClusters},
	{"gc", "system:gc", addCollector},
}

// Components lists the names of all components.
func Components() []string {
	names := make([]string, 0, len(components))
	for _, c := range components {
		names = append(names, c.name)
	}
	return names
}

// Without returns all components but these.
func Without(left []string) ([]string, error) {
	for _, name := range left {
		if !slices.Contains(Components(), name) {
			return nil, fmt.Errorf("there is no component %q; there are %s", name, strings.Join(Components(), ", "))
		}
	}
	return slices.DeleteFunc(Components(), func(name string) bool { return slices.Contains(left, name) }), nil
}

// environment is what the components of one process share: one cache of each kind, one fleet.
type environment struct {
	names    []string // of the components
	log      *slog.Logger
	settings Settings
	caches   *client.Client // reads for all
	apps     *client.Cache[api.Application, *api.Application]
	clusters *client.Cache[api.Cluster, *api.Cluster]
	fleet    *fleet.Fleet
	changed  func(appUID string) // is told of changes on clusters; set before anything runs
	running  []controller.Component
	leases   *client.Client
	holder   string           // who this process is to others that could do the same work
	preview  *preview.Preview // rests on what the scheduler knows; nil if this process has no API
}

func (e *environment) run(name string, run func(context.Context) error) {
	e.running = append(e.running, controller.Component{Name: name, Run: run})
}

// lead is run for a work that only one process may do at a time.
func (e *environment) lead(name string, run func(context.Context) error) {
	lease := controller.Lease{Client: e.leases, Name: name, Holder: e.holder, Log: e.log, Times: e.settings.Lease}
	e.run(name, func(ctx context.Context) error { return lease.Run(ctx, run) })
}

// recorder tells people what a component sees happen.
func (e *environment) recorder(name string, c *client.Client) *controller.Recorder {
	r := controller.NewRecorder(c, name, e.log)
	e.run("events of "+name, r.Run)
	return r
}

// applications is the cache of applications. Nobody needs manifests of it; a scheduler that is alone needs even less.
func (e *environment) applications() *client.Cache[api.Application, *api.Application] {
	if e.apps == nil {
		project := kubernetes.ProjectApplication
		if !slices.Contains(e.names, "kubernetes-application") {
			project = scheduler.ProjectApplication
		}
		e.apps = client.NewCache(client.Of[api.Application](e.caches), e.log, client.Project(project))
		e.run("cache of applications", e.apps.Run)
	}
	return e.apps
}

// allClusters is the cache of clusters. A scheduler that is alone needs no kubeconfigs.
func (e *environment) allClusters() *client.Cache[api.Cluster, *api.Cluster] {
	if e.clusters == nil {
		var options []client.CacheOption[*api.Cluster]
		if !slices.ContainsFunc(e.names, func(name string) bool { return strings.HasPrefix(name, "kubernetes-") }) {
			options = append(options, client.Project(scheduler.ProjectCluster))
		}
		e.clusters = client.NewCache(client.Of[api.Cluster](e.caches), e.log, options...)
		e.run("cache of clusters", e.clusters.Run)
	}
	return e.clusters
}

func (e *environment) members() *fleet.Fleet {
	if e.fleet == nil {
		e.fleet = fleet.New(fleet.Options{Logger: e.log, MayWrite: controller.Held, OnChange: func(_, appUID string) {
			if e.changed != nil {
				e.changed(appUID)
			}
		}})
	}
	return e.fleet
}

// RunComponents runs components against an API until ctx ends.
func RunComponents(ctx context.Context, names []string, settings Settings, endpoint string, log *slog.Logger) error {
	if err := settings.check(); err != nil {
		return err
	}
	return runComponents(ctx, names, settings, uniqueHolder(), func(user string) (*client.Client, error) {
		return client.New(client.Config{URL: endpoint, UserAgent: user})
	}, nil, log)
}

// embeddedHolder is a server with an embedded etcd. There is only one at a time, and it need not wait for its own leases
// of before a crash.
const embeddedHolder = "server with the embedded etcd"

// uniqueHolder is a process of which there may be others.
func uniqueHolder() string {
	host, _ := os.Hostname()
	return fmt.Sprintf("%s, process %d, %s", host, os.Getpid(), uuid.NewString())
}

func runComponents(ctx context.Context, names []string, settings Settings, holder string, connect func(user string) (*client.Client, error), look *preview.Preview, log *slog.Logger) error {
	if len(names) == 0 {
		<-ctx.Done()
		return nil
	}
	reader, err := connect("system:cache")
	if err != nil {
		return err
	}
	leases, err := connect("system:leases")
	if err != nil {
		return err
	}
	e := &environment{names: names, log: log, settings: settings, caches: reader, leases: leases, holder: holder, preview: look}
	for _, c := range components {
		if !slices.Contains(names, c.name) {
			continue
		}
		own, err := connect(c.user)
		if err != nil {
			return err
		}
		if err := c.add(e, own); err != nil {
			return fmt.Errorf("starting %s: %w", c.name, err)
		}
	}
	if e.fleet != nil {
		defer e.fleet.Close()
	}
	go e.tidyUp(ctx)
	return controller.Supervise(ctx, log, e.running...)
}

// calm is how long after the caches have filled the start is over: then the controllers have looked at everything.
const calm = 5 * time.Second

// tidyUp gives the memory back that only the start needed, in which everything is read several times over. By itself the
// runtime would do that at the next collection, which is minutes away when little happens.
func (e *environment) tidyUp(ctx context.Context) {
	if e.apps != nil {
		select {
		case <-e.apps.Synced():
		case <-ctx.Done():
			return
		}
	}
	select {
	case <-time.After(calm):
		debug.FreeOSMemory()
	case <-ctx.Done():
	}
}

func addApplications(e *environment, c *client.Client) error {
	events, budget := e.recorder("kubernetes-application", c), kubernetes.NewBudget(c, e.applications(), e.settings.Removals)
	rules := client.NewCache(client.Of[api.GlobalObjectRule](e.caches), e.log)
	e.run("cache of object rules", rules.Run)
	apps := kubernetes.NewApplications(kubernetes.Options{
		Client: c, Apps: e.applications(), Clusters: e.allClusters(), Rules: rules, Fleet: e.members(), Log: e.log,
		Events: events, Budget: budget, MoveTimeout: e.settings.MoveTimeout, Settle: e.settings.Settle, Drain: e.settings.Drain, RefusedRetry: e.settings.RefusedRetry,
		KeepVolumes: e.settings.KeepVolumes, VolumeImage: e.settings.VolumeImage,
		Confined: e.settings.confinement(),
	})
	e.changed = apps.Changed
	e.lead("kubernetes-application", apps.Run)
	leftovers := client.NewCache(client.Of[api.Leftover](e.caches), e.log)
	e.run("cache of leftovers", leftovers.Run)
	e.lead("leftovers", kubernetes.NewLeftovers(kubernetes.LeftoverOptions{
		Client: c, Leftovers: leftovers, Apps: e.applications(), Clusters: e.allClusters(), Fleet: e.members(), Log: e.log,
		Events: events, Budget: budget,
	}).Run)
	e.lead("drains", kubernetes.NewDrains(kubernetes.DrainOptions{
		Client: c, Apps: e.applications(), Clusters: e.allClusters(), Log: e.log,
	}).Run)
	return nil
}

func addCollector(e *environment, c *client.Client) error {
	e.lead("gc", gc.New(gc.Options{Client: c, Log: e.log}).Run)
	return nil
}

func addScheduler(e *environment, c *client.Client) error {
	if err := e.settings.Rules.Check(); err != nil {
		return err
	}
	demand, err := e.settings.demand()
	if err != nil {
		return err
	}
	s := scheduler.New(scheduler.Options{
		Client: c, Apps: e.applications(), Clusters: e.allClusters(), Log: e.log, Events: e.recorder("scheduler", c),
		Rules: e.settings.Rules, Demand: demand,
	})
	if e.preview != nil {
		e.preview.Use(s)
	}
	e.lead("scheduler", s.Run)
	return nil
}

func addClusters(e *environment, c *client.Client) error {
	e.lead("kubernetes-cluster", kubernetes.NewClusters(kubernetes.ClusterOptions{
		Client: c, Clusters: e.allClusters(), Fleet: e.members(), Log: e.log, Interval: e.settings.ClusterInterval,
		Events: e.recorder("kubernetes-cluster", c),
	}).Run)
	return nil
}
