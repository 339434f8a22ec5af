package scheduler

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/metrics"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// needed are the metrics that clusters, clouds and projects refer to.
func (s *Scheduler) needed() []metrics.Needed {
	return slices.Concat(s.health.needed(), s.sky.clouds.needed(), s.sky.globals.needed(), s.magnum.health.needed())
}

// measure adds to a cluster what it takes over from its cloud, what its metrics say, and how much room it has.
func (s *Scheduler) measure(c *api.Cluster, into *core.Cluster) {
	labels, refs, gone := s.sky.inherited(c)
	into.Labels, into.Room = labels, s.Room(c)
	into.Readings, _, _ = s.gauge.readings(c.Metadata.NamespaceOrEmpty(), refs)
	if gone && into.Note == "" {
		into.Note = cloudGone
	}
}

// cloudGone is what is odd about a cluster that cannot take over anything.
const cloudGone = "the cloud that it is on is gone, so it takes over nothing from it"

// metricsOf are those of a cluster, with those of its cloud that it takes over.
func (s *Scheduler) metricsOf(c *api.Cluster) []api.MetricRef {
	_, refs, _ := s.sky.inherited(c)
	return refs
}

// remeasured has everything looked at that new values of metrics may change: what has no place and may find one,
// applications that may have to leave theirs or for which another has become better, and what those that have metrics say
// of them.
func (s *Scheduler) remeasured() {
	before, after := s.view.renewed()
	measured := s.health.rated()
	s.health.ctl.Enqueue(controller.KeysOf(measured)...)
	s.sky.remeasured()
	s.magnum.remeasured()
	var spaces []string
	for _, c := range measured {
		if space := c.Metadata.NamespaceOrEmpty(); !slices.Contains(spaces, space) {
			spaces = append(spaces, space)
			s.ctl.Enqueue(controller.KeysOf(s.index.waiting.Get(space))...)
		}
	}
	for _, ref := range core.Concerned(before, after) {
		s.ctl.Enqueue(controller.KeysOf(s.index.bound.Get(controller.Key{Namespace: ref.NamespaceOrEmpty(), Name: ref.Name}))...)
	}
	s.ctl.Enqueue(s.guards.keys("")...)
	s.ctl.Enqueue(s.demanders("")...)
}

// judged makes of failures the condition, and the reasons by metric.
func judged(failures []metrics.Failure) (api.Condition, map[string]api.Reason) {
	if len(failures) == 0 {
		return api.Condition{Type: api.MetricsReadable, Status: api.True, Reason: "Read"}, map[string]api.Reason{}
	}
	reasons := map[string]api.Reason{}
	for _, f := range failures {
		reasons[f.Name] = f.Reason
	}
	var texts []string
	for name, reason := range reasons {
		texts = append(texts, fmt.Sprintf("%s: %s", name, reason.Message))
	}
	slices.Sort(texts)
	return api.Condition{Type: api.MetricsReadable, Status: api.False, Reason: string(failures[0].Reason.Code),
		Message: strings.Join(texts, "; ")}, reasons
}
