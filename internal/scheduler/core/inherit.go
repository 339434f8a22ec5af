package core

import (
	"maps"
	"slices"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/constraint"
)

// Inherit returns the labels and metrics that a cluster has together with those that it takes over from the cloud on which
// it is: all of them, if it asks for all, and those that its own constraints on the cloud speak of. A label of the cloud
// comes before one of the cluster, as in the reference; of a metric the cluster's own weight counts.
func Inherit(c *api.Cluster, labels map[string]string, metrics []api.MetricRef) (map[string]string, []api.MetricRef) {
	wanted := &c.Spec.Constraints.Cloud
	allLabels, allMetrics := maps.Clone(map[string]string(c.Metadata.Labels)), c.Spec.Metrics
	if allLabels == nil {
		allLabels = map[string]string{}
	}
	for key, value := range labels {
		if c.Metadata.InheritLabels || slices.ContainsFunc(wanted.Labels, func(l constraint.Label) bool { return l.Key() == key }) {
			allLabels[key] = value
		}
	}
	for _, m := range metrics {
		named := func(x constraint.Metric) bool { return x.Key() == m.Name }
		own := func(x api.MetricRef) bool { return x.Name == m.Name && x.Namespaced == m.Namespaced }
		if (c.Spec.InheritMetrics || slices.ContainsFunc(wanted.Metrics, named)) && !slices.ContainsFunc(allMetrics, own) {
			allMetrics = append(slices.Clip(allMetrics), m)
		}
	}
	return allLabels, allMetrics
}

// Inherits says whether a cluster takes anything over from the cloud on which it is.
func Inherits(c *api.Cluster) bool {
	wanted := &c.Spec.Constraints.Cloud
	return c.Status.ScheduledTo != nil &&
		(c.Metadata.InheritLabels || c.Spec.InheritMetrics || len(wanted.Labels) > 0 || len(wanted.Metrics) > 0)
}

// inheritsTheSame says whether two versions of a cluster take over the same things from the same cloud.
func inheritsTheSame(b, a *api.Cluster) bool {
	if !Inherits(b) && !Inherits(a) {
		return true
	}
	before, after := &b.Spec.Constraints.Cloud, &a.Spec.Constraints.Cloud
	return api.SameRef(b.Status.ScheduledTo, a.Status.ScheduledTo) && b.Metadata.InheritLabels == a.Metadata.InheritLabels &&
		b.Spec.InheritMetrics == a.Spec.InheritMetrics && slices.EqualFunc(before.Labels, after.Labels, constraint.Label.Equal) &&
		slices.EqualFunc(before.Metrics, after.Metrics, constraint.Metric.Equal)
}
