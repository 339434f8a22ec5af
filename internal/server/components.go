package server

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/fleet"
	"github.com/rak-n-rok/krake/internal/gc"
	"github.com/rak-n-rok/krake/internal/kubernetes"
	"github.com/rak-n-rok/krake/internal/scheduler"
)

// Settings are what can be adjusted in the components; zero values are the defaults.
type Settings struct {
	ClusterInterval time.Duration // how often a cluster is asked how it is
	MoveTimeout     time.Duration // how long the target of a move may take to be ready, and the copy that is left to go
	Settle          time.Duration // how long a copy has to be ready on the target before a move switches over
	Drain           time.Duration // how long both copies run after a move has switched over
	RefusedRetry    time.Duration // how often a manifest that a cluster refused is tried again
}

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
}

func (e *environment) run(name string, run func(context.Context) error) {
	e.running = append(e.running, controller.Component{Name: name, Run: run})
}

// applications is the cache of applications. A scheduler that is alone needs no manifests.
func (e *environment) applications() *client.Cache[api.Application, *api.Application] {
	if e.apps == nil {
		var options []client.CacheOption[*api.Application]
		if !slices.Contains(e.names, "kubernetes-application") {
			options = append(options, client.Project(scheduler.ProjectApplication))
		}
		e.apps = client.NewCache(client.Of[api.Application](e.caches), e.log, options...)
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
		e.fleet = fleet.New(fleet.Options{Logger: e.log, OnChange: func(_, appUID string) {
			if e.changed != nil {
				e.changed(appUID)
			}
		}})
	}
	return e.fleet
}

// RunComponents runs components against an API until ctx ends.
func RunComponents(ctx context.Context, names []string, settings Settings, endpoint string, log *slog.Logger) error {
	return runComponents(ctx, names, settings, func(user string) (*client.Client, error) {
		return client.New(client.Config{URL: endpoint, UserAgent: user})
	}, log)
}

func runComponents(ctx context.Context, names []string, settings Settings, connect func(user string) (*client.Client, error), log *slog.Logger) error {
	if len(names) == 0 {
		<-ctx.Done()
		return nil
	}
	reader, err := connect("system:cache")
	if err != nil {
		return err
	}
	e := &environment{names: names, log: log, settings: settings, caches: reader}
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
	return controller.Supervise(ctx, log, e.running...)
}

func addApplications(e *environment, c *client.Client) error {
	apps := kubernetes.NewApplications(kubernetes.Options{
		Client: c, Apps: e.applications(), Clusters: e.allClusters(), Fleet: e.members(), Log: e.log,
		MoveTimeout: e.settings.MoveTimeout, Settle: e.settings.Settle, Drain: e.settings.Drain, RefusedRetry: e.settings.RefusedRetry,
	})
	e.changed = apps.Changed
	e.run("kubernetes-application", apps.Run)
	leftovers := client.NewCache(client.Of[api.Leftover](e.caches), e.log)
	e.run("cache of leftovers", leftovers.Run)
	e.run("leftovers", kubernetes.NewLeftovers(kubernetes.LeftoverOptions{
		Client: c, Leftovers: leftovers, Apps: e.applications(), Clusters: e.allClusters(), Fleet: e.members(), Log: e.log,
	}).Run)
	return nil
}

func addCollector(e *environment, c *client.Client) error {
	e.run("gc", gc.New(gc.Options{Client: c, Log: e.log}).Run)
	return nil
}

func addScheduler(e *environment, c *client.Client) error {
	e.run("scheduler", scheduler.New(scheduler.Options{
		Client: c, Apps: e.applications(), Clusters: e.allClusters(), Log: e.log,
	}).Run)
	return nil
}

func addClusters(e *environment, c *client.Client) error {
	e.run("kubernetes-cluster", kubernetes.NewClusters(kubernetes.ClusterOptions{
		Client: c, Clusters: e.allClusters(), Fleet: e.members(), Log: e.log, Interval: e.settings.ClusterInterval,
	}).Run)
	return nil
}
