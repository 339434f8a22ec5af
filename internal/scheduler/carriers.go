package scheduler

import (
	"context"
	"log/slog"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/metrics"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// gauge reads what the metrics of something say.
type gauge struct {
	reader *metrics.Reader
	rules  core.Rules
}

// readings are the values of metrics that somebody in a namespace refers to. If not all can be read, all are as good as
// unread. read is false while something was not asked for yet.
func (g gauge) readings(namespace string, refs []api.MetricRef) (r core.Readings, failures []metrics.Failure, read bool) {
	if len(refs) == 0 {
		return r, nil, true
	}
	values, failures, read := g.reader.Values(namespace, refs)
	if read || len(failures) > 0 {
		return Measured(values, failures, g.rules), failures, read
	}
	r.Unread = "they have not been read yet"
	if g.rules.Compat {
		r.AsReference()
	}
	return r, failures, read
}

// Measured is what is known of metrics, by the rules of who decides.
func Measured(values []metrics.Value, failures []metrics.Failure, rules core.Rules) (r core.Readings) {
	if len(failures) > 0 {
		r.Unread = failures[0].Reason.Message
	} else {
		measured := make([]core.Measurement, len(values))
		for i, v := range values {
			measured[i] = core.Measurement{Name: v.Name, Weight: v.Weight, Raw: v.Raw, Normalised: v.Normalised, Merit: v.Merit, Read: v.At, Held: v.Held,
				Scale: scaleOf(v)}
		}
		r.Measure(measured)
	}
	if rules.Compat {
		r.AsReference()
	}
	return r
}

// scaleOf says which other values a metric could have.
func scaleOf(v metrics.Value) *core.Scale {
	allowed := make([]float64, len(v.Definition.AllowedValues))
	for i, a := range v.Definition.AllowedValues {
		allowed[i] = float64(a)
	}
	ref := api.MetricRef{Name: v.Name, Weight: v.Weight}
	return &core.Scale{Min: v.Definition.Min, Max: v.Definition.Max, Allowed: allowed, Of: func(raw float64) (normalised, merit float64, ok bool) {
		other, err := metrics.ValueOf(ref, v.Definition, raw)
		return other.Normalised, other.Merit, err == nil
	}}
}

// carriers are the objects of one kind that have metrics. They are told whether these can be read.
type carriers[T any, P client.Pointer[T]] struct {
	gauge  gauge
	set    client.Set[T, P]
	cache  *client.Cache[T, P]
	refs   func(P) []api.MetricRef
	status func(P) (api.Conditions, map[string]api.Reason)
	log    *slog.Logger
	events *controller.Recorder
	now    func() time.Time
	ctl    *controller.Controller
}

// connect has every object looked at, and each again when it changes.
func (c *carriers[T, P]) connect() {
	c.ctl = controller.New(controller.Config{Name: c.set.Kind().Plural + "-metrics", Reconcile: c.judge, Log: c.log})
	controller.For(c.ctl, c.cache)
}

// rated are those that have metrics.
func (c *carriers[T, P]) rated() []P {
	return c.cache.List(func(o P) bool { return len(c.refs(o)) > 0 })
}

// needed are the metrics that are referred to.
func (c *carriers[T, P]) needed() []metrics.Needed {
	var out []metrics.Needed
	for _, o := range c.cache.List(nil) {
		for _, ref := range c.refs(o) {
			out = append(out, metrics.Needed{Namespace: api.Meta(o).NamespaceOrEmpty(), Ref: ref})
		}
	}
	return out
}

// judge writes down whether the metrics of an object can be read, when that has changed.
func (c *carriers[T, P]) judge(ctx context.Context, key controller.Key) (controller.Result, error) {
	o := c.cache.Get(key.Namespace, key.Name)
	if o == nil || api.Meta(o).Deleted != nil {
		return controller.Result{}, nil
	}
	conditions, reasonsBefore := c.status(o)
	was := conditions.Get(api.MetricsReadable)
	refs := c.refs(o)
	if len(refs) == 0 && was.Reason == "" && len(reasonsBefore) == 0 {
		return controller.Result{}, nil // it never had any
	}
	readings, failures, read := c.gauge.readings(key.Namespace, refs)
	if !read {
		return controller.Result{}, nil // the next round of reading comes back to it
	}
	is, reasons := judged(failures)
	is.ObservedGeneration = api.Meta(o).Generation
	if len(failures) == 0 {
		if is.Message = readings.Note; readings.Held {
			is.Reason = "Held"
		}
	}
	if was.Status == is.Status && was.Reason == is.Reason && was.Message == is.Message && wire.Equal(reasonsBefore, reasons) {
		return controller.Result{}, nil
	}
	patch := map[string]any{}
	for name := range reasonsBefore {
		patch[name] = nil
	}
	for name, reason := range reasons {
		patch[name] = reason
	}
	_, err := c.set.PatchStatus(ctx, o, map[string]any{"status": map[string]any{
		"conditions": conditions.With(is, api.At(c.now())), "metrics_reasons": patch,
	}})
	if client.NotFound(err) {
		return controller.Result{}, nil
	}
	if err == nil && is.Status == api.False {
		c.log.Warn("metrics cannot be read", "kind", c.set.Kind().Name, "object", key, "reason", is.Message)
		c.events.Warning(o, "MetricsUnread", "%s", is.Message)
	}
	return controller.Result{}, err
}
