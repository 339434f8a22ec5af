package scheduler

import (
	"context"
	"fmt"
	"slices"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// magnum is all projects of OpenStack, and gives them the clusters that Magnum is to make there.
type magnum struct {
	health   carriers[api.Project, *api.Project]
	clusters matching[api.MagnumCluster, *api.MagnumCluster]
}

func newMagnum(s *Scheduler, o Options) *magnum {
	m := &magnum{
		health: carriers[api.Project, *api.Project]{
			gauge: s.gauge, set: client.Of[api.Project](o.Client), log: o.Log, events: o.Events, now: s.now,
			refs: func(p *api.Project) []api.MetricRef { return p.Spec.Metrics },
			status: func(p *api.Project) (api.Conditions, map[string]api.Reason) {
				return p.Status.Conditions, p.Status.MetricsReasons
			},
		},
		clusters: matching[api.MagnumCluster, *api.MagnumCluster]{
			set: client.Of[api.MagnumCluster](o.Client), log: o.Log, events: o.Events, now: s.now,
			seeks:  func(c *api.MagnumCluster) bool { return seeksProject(c, s.rules) },
			moot:   func(*api.MagnumCluster) bool { return false },
			wish:   wishOfMagnumCluster,
			status: func(c *api.MagnumCluster) api.Conditions { return c.Status.Conditions },
		},
	}
	m.health.cache = client.NewCache(m.health.set, o.Log, client.Project(func(p *api.Project) {
		p.Spec = api.ProjectSpec{Metrics: p.Spec.Metrics}
	}))
	m.clusters.cache = client.NewCache(m.clusters.set, o.Log)
	m.clusters.market, m.clusters.bind = m.market, m.bind
	m.health.connect()
	m.clusters.connect("magnum-clusters-to-projects")
	controller.OnChange(m.clusters.ctl, m.health.cache, func(before, after *api.Project) []controller.Key {
		if p := present(before, after); offersOtherwise(before, after) {
			s.metrics.Look()
			return m.clusters.in(p.Metadata.NamespaceOrEmpty())
		}
		return nil
	})
	return m
}

// seeksProject is to Magnum clusters what seeksCloud is to clusters.
func seeksProject(c *api.MagnumCluster, rules core.Rules) bool {
	failed := c.Status.State == api.MagnumFailed && (rules.Compat || !c.Status.Reason.Unplaced())
	return c.Metadata.Deleted == nil && c.Status.Project == nil && !failed
}

func wishOfMagnumCluster(c *api.MagnumCluster) core.Wish {
	w := core.Wish{UID: c.Metadata.UID, Generation: c.Metadata.Generation}
	if constraints := c.Spec.Constraints; constraints != nil && constraints.Project != nil {
		w.Labels = constraints.Project.Labels
	}
	return w
}

// market has the projects of a namespace.
func (m *magnum) market(ctx context.Context, namespace string, fresh bool) (core.Market, bool, error) {
	projects := m.health.cache.List(func(p *api.Project) bool { return p.Metadata.NamespaceOrEmpty() == namespace })
	if fresh {
		var err error
		if projects, _, err = m.health.set.List(ctx, namespace); err != nil {
			return core.Market{}, false, err
		}
	}
	out := core.Market{Noun: "project", Tiers: make([][]core.Place, 1), Strict: true,
		Unmatched: "No matching OpenStack project found", Unrated: "No OpenStack project available"}
	allReady := true
	for _, p := range projects {
		place, ready := m.health.gauge.placeOf(api.ProjectKind, &p.Metadata, p.Spec.Metrics)
		out.Tiers[0], allReady = append(out.Tiers[0], place), allReady && ready
	}
	return out, allReady, nil
}

// bind gives a cluster the labels and metrics of its project, which the cluster that Magnum makes will have, and then the
// project: when it has that, somebody makes it.
func (m *magnum) bind(ctx context.Context, c *api.MagnumCluster, to *core.Place, record *api.Placement) error {
	project, err := m.health.set.Get(ctx, to.Ref.NamespaceOrEmpty(), to.Ref.Name)
	if err != nil {
		return fmt.Errorf("the project %s: %v", to.Ref, err) // also when it is gone: that is not the cluster
	}
	if patch := takeOver(c, project); patch != nil {
		if c, err = m.clusters.set.Patch(ctx, c, patch); err != nil {
			return err
		}
	}
	_, err = m.clusters.set.Do(ctx, c.Metadata.NamespaceOrEmpty(), c.Metadata.Name, "binding", &api.MagnumClusterBinding{
		Project: to.Ref, Template: project.Spec.Template,
		UID: c.Metadata.UID, Generation: c.Metadata.Generation, Expected: api.Expect(nil), Placement: record,
	})
	return err
}

// takeOver is what changes in a Magnum cluster that takes over the labels and metrics of its project, nil for nothing. Its
// own come first.
func takeOver(c *api.MagnumCluster, p *api.Project) map[string]any {
	labels := map[string]any{}
	for key, value := range p.Metadata.Labels {
		if _, own := c.Metadata.Labels[key]; !own {
			labels[key] = value
		}
	}
	metrics := c.Spec.Metrics
	for _, ref := range p.Spec.Metrics {
		if !slices.ContainsFunc(c.Spec.Metrics, func(own api.MetricRef) bool { return own.Name == ref.Name }) {
			metrics = append(slices.Clip(metrics), ref)
		}
	}
	patch := map[string]any{}
	if len(labels) > 0 {
		patch["metadata"] = map[string]any{"labels": labels}
	}
	if len(metrics) > len(c.Spec.Metrics) {
		patch["spec"] = map[string]any{"metrics": metrics}
	}
	if len(patch) == 0 {
		return nil
	}
	return patch
}

// remeasured is to projects what that of the sky is to clouds.
func (m *magnum) remeasured() {
	m.health.ctl.Enqueue(controller.KeysOf(m.health.rated())...)
	m.clusters.ctl.Enqueue(m.clusters.all()...)
}
