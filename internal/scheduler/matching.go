package scheduler

import (
	"context"
	"log/slog"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// matching gives each object of one kind the place where it is to be made: clusters a cloud, Magnum clusters a project.
// That happens once. What finds no place says so, and is looked at again whenever the places or their metrics change.
type matching[T any, P client.Pointer[T]] struct {
	set    client.Set[T, P]
	cache  *client.Cache[T, P]
	seeks  func(P) bool // whether a place is to be found
	moot   func(P) bool // whether it needs none any more: what was said of that it has none is withdrawn
	wish   func(P) core.Wish
	status func(P) api.Conditions
	// market is what there is to choose from in a namespace: as the caches know it, or, if fresh, as the API does. ready is
	// false while metrics are being read for the first time; a place must not be given away for good before that.
	market func(ctx context.Context, namespace string, fresh bool) (m core.Market, ready bool, err error)
	// bind writes a decision.
	bind    func(ctx context.Context, o P, to *core.Place, record *api.Placement) error
	log     *slog.Logger
	events  *controller.Recorder
	now     func() time.Time
	ctl     *controller.Controller
	waiting *client.IndexOf[string, P] // by namespace
}

// notRead is after which time it is looked again whether the metrics of all places were read.
const notRead = time.Second

// connect has every object looked at, and each again when it changes.
func (m *matching[T, P]) connect(name string) {
	m.ctl = controller.New(controller.Config{Name: name, Reconcile: m.reconcile, Log: m.log})
	controller.For(m.ctl, m.cache)
	m.waiting = client.Index(m.cache, func(o P) []string {
		if !m.seeks(o) {
			return nil
		}
		return []string{api.Meta(o).NamespaceOrEmpty()}
	})
}

// all are all those without a place.
func (m *matching[T, P]) all() []controller.Key { return controller.KeysOf(m.cache.List(m.seeks)) }

// in are those without a place in a namespace.
func (m *matching[T, P]) in(namespace string) []controller.Key {
	return controller.KeysOf(m.waiting.Get(namespace))
}

func (m *matching[T, P]) reconcile(ctx context.Context, key controller.Key) (controller.Result, error) {
	o := m.cache.Get(key.Namespace, key.Name)
	if o == nil {
		return controller.Result{}, nil
	}
	if conditions := m.status(o); m.moot(o) && conditions.Get(api.Scheduled).Status == api.False {
		_, err := m.set.PatchStatus(ctx, o, map[string]any{"status": map[string]any{"conditions": conditions.Without(api.Scheduled)}})
		if client.NotFound(err) {
			err = nil
		}
		return controller.Result{}, err
	}
	if !m.seeks(o) {
		return controller.Result{}, nil
	}
	place, d, ready, err := m.choose(ctx, o, false)
	if err == nil && ready && place == nil {
		// The cache may not have heard of a new place yet, and a refusal is for everybody to see.
		place, d, ready, err = m.choose(ctx, o, true)
	}
	if err != nil || !ready {
		return controller.Result{After: notRead}, err
	}
	if err = m.write(ctx, o, place, d); client.NotFound(err) {
		return controller.Result{}, nil // removed meanwhile
	}
	return controller.Result{}, err
}

func (m *matching[T, P]) choose(ctx context.Context, o P, fresh bool) (*core.Place, api.Decision, bool, error) {
	market, ready, err := m.market(ctx, api.Meta(o).NamespaceOrEmpty(), fresh)
	if err != nil || !ready {
		return nil, api.Decision{}, ready, err
	}
	place, d := core.Choose(market, m.wish(o), m.now())
	return place, d, true, nil
}

// write binds an object to a place, or says that there is none, unless that is said already.
func (m *matching[T, P]) write(ctx context.Context, o P, place *core.Place, d api.Decision) error {
	was := m.status(o).Get(api.Scheduled)
	is := api.Condition{Type: api.Scheduled, Status: api.False, Reason: string(api.NoSuitableResource), Message: d.Reason,
		ObservedGeneration: api.Meta(o).Generation}
	if place == nil && was.Status == is.Status && was.Message == is.Message && was.ObservedGeneration == is.ObservedGeneration {
		return nil
	}
	var record api.Placement
	if _, err := m.set.GetPart(ctx, o, api.PlacementPart, &record); err != nil {
		return err
	}
	record = core.Remember(record, d)
	var err error
	if place != nil {
		err = m.bind(ctx, o, place, &record)
	} else {
		_, err = m.set.PatchStatus(ctx, o, map[string]any{
			"status": map[string]any{"conditions": m.status(o).With(is, api.At(m.now()))},
			"parts":  map[string]any{api.PlacementPart: record},
		})
	}
	if err != nil {
		return err
	}
	m.log.Info("decided", "kind", m.set.Kind().Name, "object", controller.KeyOf(o), "outcome", d.Outcome, "place", d.Chosen, "reason", d.Reason)
	if place == nil {
		m.events.Warning(o, "NoPlace", "%s", d.Reason)
	}
	return nil
}

// placeOf is what of a cloud or project decisions depend on. ready is false while its metrics are being read for the first
// time.
func (g gauge) placeOf(kind *api.Kind, o *api.Metadata, refs []api.MetricRef) (p core.Place, ready bool) {
	p = core.Place{Ref: kind.Ref(o.NamespaceOrEmpty(), o.Name), UID: o.UID, Labels: o.Labels, Deleting: o.Deleted != nil, Rated: len(refs) > 0}
	p.Readings, _, ready = g.readings(o.NamespaceOrEmpty(), refs)
	return p, ready
}
