package metrics

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/metrics/provider"
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
	Now     func() time.Time
}

// Needed is a metric that is referred to.
type Needed struct {
	Namespace string // of who refers to it
	Ref       api.MetricRef
}

// A Reader keeps the values that somebody needs up to date.
type Reader struct {
	o             Options
	metrics       *client.Cache[api.Metric, *api.Metric]
	globals       *client.Cache[api.GlobalMetric, *api.GlobalMetric]
	providers     *client.Cache[api.MetricsProvider, *api.MetricsProvider]
	globalSources *client.Cache[api.GlobalMetricsProvider, *api.GlobalMetricsProvider]
	statuses      statuses
	wake          chan struct{}
	heard         chan struct{} // a provider has answered
	first         chan struct{} // closed after the first round
	once          sync.Once
	redefined     atomic.Bool   // a definition has changed since the last round
	news          atomic.Bool   // something was read that nobody was told of
	seats         chan struct{} // holds something for each request that is under way
	polls         sync.WaitGroup

	mu       sync.Mutex
	readings map[origin]reading
	lines    map[seat]*line
}

// origin is where a value comes from: one provider's name for it.
type origin struct {
	seat
	metric string
}

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
		o:             o,
		metrics:       client.NewCache(client.Of[api.Metric](o.Client), o.Log),
		globals:       client.NewCache(client.Of[api.GlobalMetric](o.Client), o.Log),
		providers:     client.NewCache(client.Of[api.MetricsProvider](o.Client), o.Log),
		globalSources: client.NewCache(client.Of[api.GlobalMetricsProvider](o.Client), o.Log),
		wake:          make(chan struct{}, 1), heard: make(chan struct{}, 1), first: make(chan struct{}),
		seats: make(chan struct{}, atOnce), readings: map[origin]reading{}, lines: map[seat]*line{},
	}
	r.statuses = newStatuses(r)
	r.metrics.Handle(func(before, after *api.Metric) {
		if before == nil || after == nil || redefined(&before.Metadata, &after.Metadata) {
			r.redefine()
		}
	})
	r.globals.Handle(func(before, after *api.GlobalMetric) {
		if before == nil || after == nil || redefined(&before.Metadata, &after.Metadata) {
			r.redefine()
		}
	})
	r.providers.Handle(func(_, _ *api.MetricsProvider) { r.redefine() })
	r.globalSources.Handle(func(_, _ *api.GlobalMetricsProvider) { r.redefine() })
	return r
}

// redefined says whether a metric is another one than before, and not only its status.
func redefined(before, after *api.Metadata) bool {
	return before.UID != after.UID || before.Generation != after.Generation
}

// redefine has the next round be news whatever it reads: the same value may mean something else now.
func (r *Reader) redefine() {
	r.redefined.Store(true)
	r.Look()
}

// Look makes the next round begin at once: something else is needed now.
func (r *Reader) Look() { signal(r.wake) }

// Read is closed once everything that was needed at first was asked for.
func (r *Reader) Read() <-chan struct{} { return r.first }

// Run reads until ctx ends.
func (r *Reader) Run(ctx context.Context) error {
	var running errgroup.Group
	for _, cache := range []func(context.Context) error{r.metrics.Run, r.globals.Run, r.providers.Run, r.globalSources.Run} {
		running.Go(func() error { return cache(ctx) })
	}
	running.Go(func() error { return r.rounds(ctx) })
	running.Go(func() error { return r.statuses.run(ctx) })
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
	clear(r.lines)
	r.mu.Unlock()
	defer r.polls.Wait()
	for wait := firstPatience; ; wait = patience {
		redefined := r.redefined.Swap(false)
		r.round(ctx, wait)
		r.once.Do(func() { close(r.first) })
		r.tell(ctx, redefined)
		if !r.pause(ctx) {
			return nil
		}
	}
}

// pause waits until the next round, and is false when there is none.
func (r *Reader) pause(ctx context.Context) bool {
	// Rounds of several installations do not stay in step.
	next := time.After(time.Duration(float64(r.o.Period) * (0.9 + 0.2*rand.Float64())))
	for {
		select {
		case <-ctx.Done():
			return false
		case <-next:
			return true
		case <-r.heard: // from somebody for whom the round has not waited
			r.tell(ctx, false)
		case <-r.wake:
			// What changes together is read together.
			select {
			case <-ctx.Done():
				return false
			case <-time.After(min(100*time.Millisecond, r.o.Period)):
			}
			select {
			case <-r.wake:
			default:
			}
			return true
		}
	}
}

// tell passes on what is new.
func (r *Reader) tell(ctx context.Context, redefined bool) {
	if ctx.Err() != nil {
		return
	}
	if r.news.Swap(false) || redefined {
		r.o.Changed()
	}
	signal(r.statuses.wake)
}

// patience is how long a round waits for answers, so that what comes together is told together. The first waits longer: there
// is nothing to go by before. A provider that takes longer is not asked again before it has answered, and holds up nobody else.
const (
	patience      = time.Second
	firstPatience = 3 * time.Second
)

// round begins to read everything that is needed, each value once, and waits a while for the answers.
func (r *Reader) round(ctx context.Context, wait time.Duration) {
	wanted := r.wanted()
	r.forget(wanted)
	var running sync.WaitGroup
	r.begin(ctx, wanted, &running)
	done := make(chan struct{})
	r.polls.Go(func() {
		running.Wait()
		close(done)
	})
	select {
	case <-done:
	case <-time.After(wait):
	case <-ctx.Done():
	}
}

// wanted are the names of what is needed from each provider that there is.
func (r *Reader) wanted() map[seat][]string {
	wanted := map[seat][]string{}
	for _, n := range r.o.Needed() {
		definition, _ := r.definition(n)
		if definition == nil {
			continue
		}
		o := originOf(n, definition)
		if r.settings(o.seat) != nil {
			wanted[o.seat] = append(wanted[o.seat], o.metric)
		}
	}
	for s, names := range wanted {
		slices.Sort(names)
		wanted[s] = slices.Compact(names)
	}
	return wanted
}

// forget drops what is not wanted any more.
func (r *Reader) forget(wanted map[seat][]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for o := range r.readings {
		if _, still := slices.BinarySearch(wanted[o.seat], o.metric); !still {
			delete(r.readings, o)
			r.news.Store(true)
		}
	}
}

// note keeps what was read over a line, unless that is not used any more.
func (r *Reader) note(l *line, o origin, value float64, err error) {
	now := r.o.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lines[o.seat] != l || l.ctx.Err() != nil {
		return
	}
	before, known := r.readings[o]
	after := before
	after.err = err
	if err == nil {
		after.value, after.at = value, now
	}
	r.readings[o] = after
	wasUsable, isUsable := r.usable(before, now), r.usable(after, now)
	heldNow, heldBefore := after.err != nil, before.err != nil
	if !known || wasUsable != isUsable || heldNow != heldBefore || !same(before.value, after.value) ||
		!isUsable && fmt.Sprint(before.err) != fmt.Sprint(after.err) {
		r.news.Store(true)
	}
}

// same says whether a value is the same again, also if it is no number.
func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

func (r *Reader) usable(x reading, now time.Time) bool {
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
	o := origin{seat{provider: definition.Provider.Name}, definition.Provider.Metric}
	if n.Ref.Namespaced {
		o.namespace = n.Namespace
	}
	return o
}

// settings are those of a provider, nil when there is none.
func (r *Reader) settings(o seat) *api.MetricsProviderSpec {
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
	if r.settings(o.seat) == nil {
		return v, noProvider(o), true
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

func noProvider(o origin) *api.Reason {
	return &api.Reason{Code: api.UnknownMetricsProvider, Message: fmt.Sprintf("The metrics provider '%s' was not found in the Krake database.", o.provider)}
}

func reasonOf(o origin, err error) *api.Reason {
	var wrong *provider.InvalidError
	if errors.As(err, &wrong) {
		return &api.Reason{Code: api.InvalidMetric, Message: wrong.Message}
	}
	return &api.Reason{Code: api.UnreachableMetricsProvider, Message: fmt.Sprintf("Failed to query the provider '%s': %v", o.provider, err)}
}
