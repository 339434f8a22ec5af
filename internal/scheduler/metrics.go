package scheduler

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/metrics"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// needed are the metrics that clusters refer to.
func (s *Scheduler) needed() []metrics.Needed {
	var out []metrics.Needed
	for _, c := range s.known.List(nil) {
		for _, ref := range c.Spec.Metrics {
			out = append(out, metrics.Needed{Namespace: c.Metadata.NamespaceOrEmpty(), Ref: ref})
		}
	}
	return out
}

// measure adds to a cluster what its metrics say, and how much room it has. One of which not all metrics can be read is as
// good as unread.
func (s *Scheduler) measure(c *api.Cluster, into *core.Cluster) {
	into.Room = s.roomOf(c)
	if len(c.Spec.Metrics) == 0 {
		return
	}
	values, failures, read := s.metrics.Values(c.Metadata.NamespaceOrEmpty(), c.Spec.Metrics)
	switch {
	case len(failures) > 0:
		into.Unread = failures[0].Reason.Message
	case !read:
		into.Unread = "they have not been read yet"
	default:
		measured := make([]core.Measurement, len(values))
		for i, v := range values {
			measured[i] = core.Measurement{Name: v.Name, Weight: v.Weight, Normalised: v.Normalised, Merit: v.Merit, Held: v.Held}
		}
		into.Measure(measured)
	}
}

// remeasured has everything looked at that new values of metrics may change: applications without a place, which may find
// one, those that may have to leave theirs or for which another has become better, and what clusters say of their metrics.
func (s *Scheduler) remeasured() {
	before, after := s.view.renewed()
	measured := s.known.List(func(c *api.Cluster) bool { return len(c.Spec.Metrics) > 0 })
	s.health.Enqueue(controller.KeysOf(measured)...)
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
}

// judgeMetrics writes down whether the metrics of a cluster can be read, when that has changed.
func (s *Scheduler) judgeMetrics(ctx context.Context, key controller.Key) (controller.Result, error) {
	c := s.known.Get(key.Namespace, key.Name)
	if c == nil || c.Metadata.Deleted != nil {
		return controller.Result{}, nil
	}
	was := c.Status.Conditions.Get(api.MetricsReadable)
	if len(c.Spec.Metrics) == 0 && was.Reason == "" {
		return controller.Result{}, nil // it never had any
	}
	_, failures, read := s.metrics.Values(c.Metadata.NamespaceOrEmpty(), c.Spec.Metrics)
	if !read {
		return controller.Result{}, nil // remeasured comes back to it
	}
	is, reasons := judged(failures)
	is.ObservedGeneration = c.Metadata.Generation
	if len(failures) == 0 {
		var measured core.Cluster
		s.measure(c, &measured)
		if is.Message = measured.Note; measured.Held {
			is.Reason = "Held"
		}
	}
	if was.Status == is.Status && was.Reason == is.Reason && was.Message == is.Message && wire.Equal(c.Status.MetricsReasons, reasons) {
		return controller.Result{}, nil
	}
	patch := map[string]any{}
	for name := range c.Status.MetricsReasons {
		patch[name] = nil
	}
	for name, reason := range reasons {
		patch[name] = reason
	}
	_, err := s.clusters.PatchStatus(ctx, c, map[string]any{"status": map[string]any{
		"conditions": c.Status.Conditions.With(is, api.At(s.now())), "metrics_reasons": patch,
	}})
	if client.NotFound(err) {
		return controller.Result{}, nil
	}
	if err == nil && is.Status == api.False {
		s.log.Warn("metrics cannot be read", "cluster", key, "reason", is.Message)
		s.events.Warning(c, "MetricsUnread", "%s", is.Message)
	}
	return controller.Result{}, err
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
