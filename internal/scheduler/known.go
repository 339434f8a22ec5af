package scheduler

import (
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/metrics"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// Deciding says whether this is the scheduler that decides now. What the methods below say is as old as its last decision
// otherwise.
func (s *Scheduler) Deciding() bool { return s.deciding.Load() }

// Values gives what is known of metrics; see metrics.Reader.
func (s *Scheduler) Values(namespace string, refs []api.MetricRef) ([]metrics.Value, []metrics.Failure, bool) {
	return s.metrics.Values(namespace, refs)
}

// Full gives the clusters of a namespace to which no more applications may move at the moment, with the time when one may
// again.
func (s *Scheduler) Full(namespace string) map[string]time.Time {
	return s.ledger.full(namespace, s.now())
}

// SnapshotOf is what decisions see of clusters; measure adds what their metrics say.
func SnapshotOf(clusters []*api.Cluster, measure func(c *api.Cluster, into *core.Cluster)) *core.Snapshot {
	return snapshotOf(clusters, measure)
}

// remember adds a decision to the record of an application. A snapshot is kept for as long as the values in it do not
// change; the record says when they were read last.
func (s *Scheduler) remember(p api.Placement, a *api.Application, d api.Decision) api.Placement {
	namespace := a.Metadata.NamespaceOrEmpty()
	for _, candidate := range d.Candidates {
		c := s.known.Get(namespace, candidate.Name)
		if c == nil || len(candidate.Terms) == 0 {
			continue
		}
		values, _, _ := s.metrics.Values(namespace, s.metricsOf(c))
		for i := range candidate.Terms {
			term := &candidate.Terms[i]
			for _, v := range values {
				if v.Name == term.Metric && v.Raw == term.Value {
					at := api.At(v.At)
					term.Read = &at
				}
			}
		}
	}
	return core.Remember(p, d)
}

// Inherited gives the labels and metrics of a cluster, with what it takes over from its cloud; see sky.
func (s *Scheduler) Inherited(c *api.Cluster) (labels map[string]string, refs []api.MetricRef) {
	labels, refs, _ = s.sky.inherited(c)
	return labels, refs
}
