package metrics

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

// Options say what a Reader works on. Zero durations are the defaults.
type Options struct {
	Client *client.Client // reads definitions of metrics and providers
	Log    *slog.Logger
	// Needed gives the metrics that somebody wants to know, each with the namespace of who refers to it.
	Needed func() []Needed
	Synced <-chan struct{} // closed once Needed gives all of them
	// Changed is called after a round in which something was read that was not known before, or cannot be read any more.
	Changed func()
	Period  time.Duration // between two rounds; 10 s
	Timeout time.Duration // of one request to a provider; 20 s, as in the reference
	MaxAge  time.Duration // for which a value counts that cannot be read again; 5 min
	Strict  bool          // a value that cannot be read again counts as unread at once, as in the reference
	Now     func() time.Time
}

// Needed is a metric that is referred to.
type Needed struct {
	Namespace string // of who refers to it
	Ref       api.MetricRef
}

// atOnce is how many requests to providers are under way at a time.
const atOnce = 16

// A Reader keeps the values that somebody needs up to date.
type Reader struct {
	o             Options
	metrics       *client.Cache[api.Metric, *api.Metric]
	globals       *client.Cache[api.GlobalMetric, *api.GlobalMetric]
	providers     *client.Cache[api.MetricsProvider, *api.MetricsProvider]
	globalSources *client.Cache[api.GlobalMetricsProvider, *api.GlobalMetricsProvider]
	http          *http.Client
	wake          chan struct{}
	first         chan struct{} // closed after the first round
	once          sync.Once
	redefined     atomic.Bool // a definition has changed since the last round

	mu       sync.Mutex
	readings map[origin]reading
}

// origin is where a value comes from: one provider's name for it.
type origin struct{ namespace, provider, metric string } // the namespace is empty for global providers

// reading is what is known of a value. An error leaves the last value as it was.
type reading struct {
	value float64
	at    time.Time // zero when there was none
	err   error     // of the last attempt
}

// New returns a reader.
func New(o Options) *Reader {
	o.Period = cmp.Or(o.Period, 10*time.Second)
	o.Timeout = cmp.Or(o.Timeout, 20*time.Second)
	o.MaxAge = cmp.Or(o.MaxAge, 5*time.Minute)
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &Reader{
		o: o, http: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		metrics:       client.NewCache(client.Of[api.Metric](o.Client), o.Log),
		globals:       client.NewCache(client.Of[api.GlobalMetric](o.Client), o.Log),
		providers:     client.NewCache(client.Of[api.MetricsProvider](o.Client), o.Log),
		globalSources: client.NewCache(client.Of[api.GlobalMetricsProvider](o.Client), o.Log),
		wake:          make(chan struct{}, 1), first: make(chan struct{}), readings: map[origin]reading{},
	}
	r.metrics.Handle(func(_, _ *api.Metric) { r.redefine() })
	r.globals.Handle(func(_, _ *api.GlobalMetric) { r.redefine() })
	r.providers.Handle(func(_, _ *api.MetricsProvider) { r.redefine() })
	r.globalSources.Handle(func(_, _ *api.GlobalMetricsProvider) { r.redefine() })
	return r
}

// redefine has the next round be news whatever it reads: the same value may mean something else now.
func (r *Reader) redefine() {
	r.redefined.Store(true)
	r.Look()
}

// Look makes the next round begin at once: something else is needed now.
func (r *Reader) Look() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Read is closed once everything that was needed at first was asked for.
func (r *Reader) Read() <-chan struct{} { return r.first }

// Run reads until ctx ends.
func (r *Reader) Run(ctx context.Context) error {
	var running errgroup.Group
	for _, cache := range []func(context.Context) error{r.metrics.Run, r.globals.Run, r.providers.Run, r.globalSources.Run} {
		running.Go(func() error { return cache(ctx) })
	}
	running.Go(func() error { return r.rounds(ctx) })
	if err := running.Wait(); ctx.Err() == nil {
		return err
	}
	return nil
}

func (r *Reader) rounds(ctx context.Context) error {
	for _, synced := range []<-chan struct{}{r.o.Synced, r.metrics.Synced(), r.globals.Synced(), r.providers.Synced(), r.globalSources.Synced()} {
		select {
		case <-synced:
		case <-ctx.Done():
			return nil
		}
	}
	r.mu.Lock()
	clear(r.readings) // another process may have read since the last run
	r.mu.Unlock()
	for {
		redefined := r.redefined.Swap(false)
		changed := r.round(ctx) || redefined
		r.once.Do(func() { close(r.first) })
		if changed && ctx.Err() == nil {
			r.o.Changed()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-r.wake:
			// What changes together is read together.
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(min(100*time.Millisecond, r.o.Period)):
			}
			select {
			case <-r.wake:
			default:
			}
		case <-time.After(r.o.Period):
		}
	}
}

// round reads everything that is needed, each value once, and says whether anything is known that was not before.
func (r *Reader) round(ctx context.Context) (changed bool) {
	wanted := map[origin]Source{}
	failed := map[origin]error{}
	for _, n := range r.o.Needed() {
		definition, _ := r.definition(n)
		if definition == nil {
			continue
		}
		o := originOf(n, definition)
		if settings := r.settings(o); settings != nil {
			source, err := open(*settings, r.http)
			wanted[o], failed[o] = source, err
		}
	}
	var reading errgroup.Group
	reading.SetLimit(atOnce)
	var mu sync.Mutex
	for o, source := range wanted {
		reading.Go(func() error {
			value, err := 0.0, failed[o]
			if err == nil {
				within, cancel := context.WithTimeout(ctx, r.o.Timeout)
				defer cancel()
				value, err = source.Read(within, o.metric)
			}
			mu.Lock()
			defer mu.Unlock()
			changed = r.note(o, value, err) || changed
			return nil
		})
	}
	_ = reading.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	for o := range r.readings {
		if _, still := wanted[o]; !still {
			delete(r.readings, o)
			changed = true
		}
	}
	return changed
}

// note keeps what was read, and says whether that is news.
func (r *Reader) note(o origin, value float64, err error) bool {
	now := r.o.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	before, known := r.readings[o]
	after := before
	after.err = err
	if err == nil {
		after.value, after.at = value, now
	}
	r.readings[o] = after
	wasUsable, isUsable := r.usable(before, now), r.usable(after, now)
	heldNow, heldBefore := after.err != nil, before.err != nil
	return !known || wasUsable != isUsable || heldNow != heldBefore || before.value != after.value || !isUsable && fmt.Sprint(before.err) != fmt.Sprint(after.err)
}

func (r *Reader) usable(x reading, now time.Time) bool {
	if r.o.Strict && x.err != nil {
		return false
	}
	return !x.at.IsZero() && now.Sub(x.at) <= r.o.MaxAge
}

// definition returns what a metric is.
func (r *Reader) definition(n Needed) (*api.MetricSpec, *api.Reason) {
	if n.Ref.Namespaced {
		if m := r.metrics.Get(n.Namespace, n.Ref.Name); m != nil {
			return &m.Spec, nil
		}
	} else if m := r.globals.Get("", n.Ref.Name); m != nil {
		return &m.Spec, nil
	}
	return nil, &api.Reason{Code: api.UnknownMetric, Message: fmt.Sprintf("The metric '%s' was not found in the Krake database.", n.Ref.Name)}
}

func originOf(n Needed, definition *api.MetricSpec) origin {
	o := origin{provider: definition.Provider.Name, metric: definition.Provider.Metric}
	if n.Ref.Namespaced {
		o.namespace = n.Namespace
	}
	return o
}

// settings are those of the provider of a value, nil when there is none.
func (r *Reader) settings(o origin) *api.MetricsProviderSpec {
	if o.namespace != "" {
		if p := r.providers.Get(o.namespace, o.provider); p != nil {
			return &p.Spec
		}
	} else if p := r.globalSources.Get("", o.provider); p != nil {
		return &p.Spec
	}
	return nil
}

// Values gives what is known of the metrics that somebody refers to. If there are failures, the values are not all of
// them. read is false while something was not asked for yet.
func (r *Reader) Values(namespace string, refs []api.MetricRef) (values []Value, failures []Failure, read bool) {
	select {
	case <-r.first:
	default:
		return nil, nil, len(refs) == 0 // whether there are definitions is not known yet
	}
	now := r.o.Now()
	read = true
	for _, ref := range refs {
		value, reason, known := r.valueOf(Needed{namespace, ref}, now)
		switch {
		case !known:
			read = false
		case reason != nil:
			failures = append(failures, Failure{ref.Name, *reason})
		default:
			values = append(values, value)
		}
	}
	return values, failures, read
}

func (r *Reader) valueOf(n Needed, now time.Time) (v Value, reason *api.Reason, known bool) {
	definition, reason := r.definition(n)
	if definition == nil {
		return v, reason, true
	}
	o := originOf(n, definition)
	if r.settings(o) == nil {
		return v, &api.Reason{Code: api.UnknownMetricsProvider,
			Message: fmt.Sprintf("The metrics provider '%s' was not found in the Krake database.", o.provider)}, true
	}
	r.mu.Lock()
	x, known := r.readings[o]
	r.mu.Unlock()
	if !known {
		return v, nil, false
	}
	if !r.usable(x, now) {
		return v, reasonOf(o, x.err), true
	}
	v, err := ValueOf(n.Ref, *definition, x.value)
	if err != nil {
		return v, reasonOf(o, err), true
	}
	v.At, v.Held = x.at, x.err != nil
	return v, nil, true
}

func reasonOf(o origin, err error) *api.Reason {
	var wrong *InvalidError
	if errors.As(err, &wrong) {
		return &api.Reason{Code: api.InvalidMetric, Message: wrong.Message}
	}
	return &api.Reason{Code: api.UnreachableMetricsProvider, Message: fmt.Sprintf("Failed to query the provider '%s': %v", o.provider, err)}
}
