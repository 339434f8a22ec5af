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
	namespace   string
	clusters    []*api.Cluster
	stated      map[string]float64
	definitions map[definition]*api.MetricSpec // of the metrics whose values are stated; nil for one that does not exist
	known       Knowledge                      // nil if the scheduler that decides runs elsewhere
}

// definition names one. References say by themselves whether they mean a metric of the namespace.
type definition struct {
	namespaced bool
	name       string
}

// scene reads the clusters of a namespace and changes what the question says.
func (p *Preview) scene(ctx context.Context, namespace string, draft *api.PlacementDraft) (*scene, error) {
	stored, _, err := p.clusters.List(ctx, namespace)
	if err != nil {
		return nil, err
	}
	s := &scene{namespace: namespace, stated: draft.Metrics, definitions: map[definition]*api.MetricSpec{}, known: p.known()}
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

// define reads the definitions of the metrics whose values the question states.
func (p *Preview) define(ctx context.Context, s *scene) error {
	used := map[string]bool{}
	for _, c := range s.clusters {
		for _, ref := range c.Spec.Metrics {
			of := definition{ref.Namespaced, ref.Name}
			if _, read := s.definitions[of]; read {
				continue
			}
			if _, stated := s.stated[ref.Name]; !stated {
				continue
			}
			used[ref.Name] = true
			spec, err := p.definition(ctx, s.namespace, of)
			if err != nil {
				return err
			}
			s.definitions[of] = spec
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

func (p *Preview) definition(ctx context.Context, namespace string, of definition) (*api.MetricSpec, error) {
	var spec *api.MetricSpec
	var err error
	if of.namespaced {
		var m *api.Metric
		if m, err = client.Of[api.Metric](p.client).Get(ctx, namespace, of.name); err == nil {
			spec = &m.Spec
		}
	} else {
		var m *api.GlobalMetric
		if m, err = client.Of[api.GlobalMetric](p.client).Get(ctx, "", of.name); err == nil {
			spec = &m.Spec
		}
	}
	if client.NotFound(err) {
		err = nil
	}
	return spec, err
}

func (s *scene) snapshot() *core.Snapshot { return scheduler.SnapshotOf(s.clusters, s.measure) }

// measure adds to a cluster what its metrics say: those that are stated, and otherwise what the scheduler knows.
func (s *scene) measure(c *api.Cluster, into *core.Cluster) {
	var values []metrics.Value
	var failures []metrics.Failure
	unread := ""
	for _, ref := range c.Spec.Metrics {
		raw, stated := s.stated[ref.Name]
		switch {
		case stated:
			value, reason := s.valueOf(ref, raw)
			if reason != nil {
				failures = append(failures, metrics.Failure{Name: ref.Name, Reason: *reason})
			}
			values = append(values, value)
		case s.known == nil:
			unread = "this server does not know their values"
		default:
			v, f, read := s.known.Values(s.namespace, []api.MetricRef{ref})
			if !read {
				unread = "they have not been read yet"
			}
			values, failures = append(values, v...), append(failures, f...)
		}
	}
	if unread != "" && len(failures) == 0 {
		into.Unread = unread
		return
	}
	scheduler.Measured(values, failures, into)
}

// valueOf is what a value means that the question states.
func (s *scene) valueOf(ref api.MetricRef, raw float64) (metrics.Value, *api.Reason) {
	spec := s.definitions[definition{ref.Namespaced, ref.Name}]
	if spec == nil {
		return metrics.Value{}, &api.Reason{Code: api.UnknownMetric, Message: fmt.Sprintf("The metric '%s' was not found in the Krake database.", ref.Name)}
	}
	v, err := metrics.ValueOf(ref, *spec, raw)
	if err != nil {
		return v, &api.Reason{Code: api.InvalidMetric, Message: err.Error()}
	}
	return v, nil
}

// notes say what else has to be known to judge the answer.
func (s *scene) notes() []string {
	asks := func(c *api.Cluster) bool {
		return slices.ContainsFunc(c.Spec.Metrics, func(ref api.MetricRef) bool { _, stated := s.stated[ref.Name]; return !stated })
	}
	if s.known == nil && slices.ContainsFunc(s.clusters, asks) {
		return []string{"This server does not know the values of metrics, because the scheduler runs in another process. " +
			"Clusters with metrics count as unread here, unless the question states all their values."}
	}
	return []string{}
}
