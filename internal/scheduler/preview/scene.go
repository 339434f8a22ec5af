package preview

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/metrics"
	"github.com/rak-n-rok/krake/internal/scheduler"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// scene is what a question lets the scheduler see.
type scene struct {
	namespace string
	clusters  []*api.Cluster
	stated    map[string]float64
	stored    map[metricName]*metric // those whose values the scheduler of this process does not give; nil for one that does not exist
	known     Knowledge              // nil if the scheduler that decides runs elsewhere
	rules     core.Rules
}

// inherited are the labels and metrics of a cluster, with what it takes over from its cloud, which only the scheduler knows.
func (s *scene) inherited(c *api.Cluster) (labels map[string]string, refs []api.MetricRef) {
	if s.known != nil {
		return s.known.Inherited(c)
	}
	return c.Metadata.Labels, c.Spec.Metrics
}

// metricName names a metric. References say by themselves whether they mean one of the namespace.
type metricName struct {
	namespaced bool
	name       string
}

// metric is what is stored of one: its definition, and what was written down of its value.
type metric struct {
	spec   api.MetricSpec
	status api.MetricStatus
}

// scene reads the clusters of a namespace and changes what the question says.
func (p *Preview) scene(ctx context.Context, namespace string, draft *api.PlacementDraft) (*scene, error) {
	stored, _, err := p.clusters.List(ctx, namespace)
	if err != nil {
		return nil, err
	}
	s := &scene{namespace: namespace, stated: draft.Metrics, stored: map[metricName]*metric{}, known: p.known(), rules: p.rules}
	if s.clusters, err = altered(namespace, stored, draft.Clusters); err != nil {
		return nil, err
	}
	if draft.About != "" && !slices.ContainsFunc(s.clusters, func(c *api.Cluster) bool { return c.Metadata.Name == draft.About }) {
		errs := &wire.Errors{}
		errs.At("about").Add("There is no such cluster.")
		return nil, errs
	}
	return s, p.define(ctx, s)
}

// altered are the clusters as the patches of a question make them.
func altered(namespace string, stored []*api.Cluster, patches map[string]any) ([]*api.Cluster, error) {
	var out []*api.Cluster
	known := map[string]bool{}
	for _, c := range stored {
		known[c.Metadata.Name] = true
		patch, named := patches[c.Metadata.Name]
		switch {
		case !named:
			out = append(out, c)
		case patch != nil:
			next, err := changed(c, patch.(map[string]any))
			if err != nil {
				return nil, err
			}
			out = append(out, next)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(patches)) {
		switch patch := patches[name]; {
		case known[name]:
		case patch == nil:
			errs := &wire.Errors{}
			errs.At("clusters").At(name).Add("There is no such cluster to leave out.")
			return nil, errs
		default:
			next, err := changed(newCluster(namespace, name), patch.(map[string]any))
			if err != nil {
				return nil, err
			}
			out = append(out, next)
		}
	}
	return out, nil
}

// define reads the metrics whose values the question states, and without a scheduler in this process all of them.
func (p *Preview) define(ctx context.Context, s *scene) error {
	used := map[string]bool{}
	for _, c := range s.clusters {
		_, refs := s.inherited(c)
		for _, ref := range refs {
			of := metricName{ref.Namespaced, ref.Name}
			_, stated := s.stated[ref.Name]
			used[ref.Name] = used[ref.Name] || stated
			if _, read := s.stored[of]; read || !stated && s.known != nil {
				continue
			}
			m, err := p.metric(ctx, s.namespace, of)
			if err != nil {
				return err
			}
			s.stored[of] = m
		}
	}
	errs := &wire.Errors{}
	for _, name := range slices.Sorted(maps.Keys(s.stated)) {
		if !used[name] {
			errs.At("metrics").At(name).Add("No cluster has this metric.")
		}
	}
	return errs.Err()
}

func (p *Preview) metric(ctx context.Context, namespace string, of metricName) (*metric, error) {
	if of.namespaced {
		m, err := client.Of[api.Metric](p.client).Get(ctx, namespace, of.name)
		if err != nil {
			return nil, unlessNotFound(err)
		}
		return &metric{m.Spec, m.Status}, nil
	}
	m, err := client.Of[api.GlobalMetric](p.client).Get(ctx, "", of.name)
	if err != nil {
		return nil, unlessNotFound(err)
	}
	return &metric{m.Spec, m.Status}, nil
}

func unlessNotFound(err error) error {
	if client.NotFound(err) {
		return nil
	}
	return err
}

func (s *scene) snapshot() *core.Snapshot { return scheduler.SnapshotOf(s.clusters, s.measure) }

// measure adds to a cluster what its metrics say: what is stated, and otherwise what the scheduler knows, or has written down
// if it runs elsewhere; and how much room it has, which only the scheduler knows.
func (s *scene) measure(c *api.Cluster, into *core.Cluster) {
	labels, refs := s.inherited(c)
	if into.Labels = labels; s.known != nil {
		into.Room = s.known.Room(c)
	}
	var values []metrics.Value
	var failures []metrics.Failure
	unread := ""
	for _, ref := range refs {
		raw, stated := s.stated[ref.Name]
		if !stated && s.known != nil {
			v, f, read := s.known.Values(s.namespace, []api.MetricRef{ref})
			if !read {
				unread = "they have not been read yet"
			}
			values, failures = append(values, v...), append(failures, f...)
			continue
		}
		m := s.stored[metricName{ref.Namespaced, ref.Name}]
		if !stated && m != nil && m.status.Value == nil && m.status.Error == nil {
			unread = "this server does not know their values"
			continue
		}
		value, reason := valueOf(ref, m, raw, stated)
		if reason != nil {
			failures = append(failures, metrics.Failure{Name: ref.Name, Reason: *reason})
		}
		values = append(values, value)
	}
	if unread != "" && len(failures) == 0 {
		into.Unread = unread
		return
	}
	into.Readings = scheduler.Measured(values, failures, s.rules)
}

// valueOf is what a value means that the question states, or else the one that was written down.
func valueOf(ref api.MetricRef, m *metric, raw float64, stated bool) (metrics.Value, *api.Reason) {
	switch {
	case m == nil:
		return metrics.Value{}, &api.Reason{Code: api.UnknownMetric, Message: fmt.Sprintf("The metric '%s' was not found in the Krake database.", ref.Name)}
	case !stated && m.status.Error != nil:
		return metrics.Value{}, m.status.Error
	case !stated:
		raw = *m.status.Value
	}
	v, err := metrics.ValueOf(ref, m.spec, raw)
	if err != nil {
		return v, &api.Reason{Code: api.InvalidMetric, Message: err.Error()}
	}
	if !stated && m.status.ReadAt != nil {
		v.At = m.status.ReadAt.Time()
	}
	return v, nil
}

// notes say what else has to be known to judge the answer.
func (s *scene) notes() []string {
	notes := []string{}
	if s.known != nil {
		return notes
	}
	asks := func(c *api.Cluster) bool {
		return slices.ContainsFunc(c.Spec.Metrics, func(ref api.MetricRef) bool { _, stated := s.stated[ref.Name]; return !stated })
	}
	if slices.ContainsFunc(s.clusters, asks) {
		notes = append(notes, "The scheduler runs in another process. Values of metrics that the question does not state are those that it "+
			"has written down, which may be a minute old.")
	}
	if slices.ContainsFunc(s.clusters, core.Inherits) {
		notes = append(notes, "The scheduler runs in another process. What clusters take over from their clouds is not looked at here.")
	}
	if slices.ContainsFunc(s.clusters, func(c *api.Cluster) bool { return c.Spec.CheckCapacity }) {
		notes = append(notes, "The scheduler runs in another process. Whether clusters have room is not looked at here.")
	}
	return notes
}
