package controller

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

// What a recorder keeps to itself: events that wait to be written, and those it has written, by whose names it knows that
// something happens again.
const (
	eventsWaiting = 1000
	eventsKnown   = 10_000
)

// repeatAfter is how long something that happens again and again is only counted before that is written. It doubles with
// every time up to the last: what never ends costs a write every few minutes.
const (
	firstRepeat = 10 * time.Second
	lastRepeat  = 5 * time.Minute
)

// A Recorder writes events about objects, in the background: whoever has something to tell never waits for it. If there
// is too much to tell, or the API does not take it, events are lost, which the log says. A nil Recorder drops everything.
type Recorder struct {
	component string
	events    client.Set[api.Event, *api.Event]
	log       *slog.Logger
	waiting   chan *api.Event
	lost      atomic.Int64
	known     map[string]*repeated // by namespace/name; Run's alone
}

// repeated is an event that was written.
type repeated struct {
	event *api.Event // as it was stored
	count int64      // how often it has happened since
	last  *api.Time  // when for the last time
	pause time.Duration
	next  time.Time // when that is to be written
}

// NewRecorder returns a recorder for a component, which tells nothing before Run.
func NewRecorder(c *client.Client, component string, log *slog.Logger) *Recorder {
	return &Recorder{component: component, events: client.Of[api.Event](c), log: log,
		waiting: make(chan *api.Event, eventsWaiting), known: map[string]*repeated{}}
}

// Normal tells of something that happened as it should.
func (r *Recorder) Normal(about api.Resource, reason, format string, args ...any) {
	r.tell(about, api.NormalEvent, reason, format, args)
}

// Warning tells of something that somebody should look at.
func (r *Recorder) Warning(about api.Resource, reason, format string, args ...any) {
	r.tell(about, api.WarningEvent, reason, format, args)
}

func (r *Recorder) tell(about api.Resource, kind api.EventType, reason, format string, args []any) {
	if r == nil {
		return
	}
	select {
	case r.waiting <- api.NewEvent(about, r.component, kind, reason, fmt.Sprintf(format, args...), api.At(time.Now())):
	default:
		r.lost.Add(1)
	}
}

// Run writes until ctx ends.
func (r *Recorder) Run(ctx context.Context) error {
	tick := time.NewTicker(firstRepeat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-r.waiting:
			r.take(ctx, e, time.Now())
		case <-tick.C:
			r.catchUp(ctx, time.Now())
		}
	}
}

// take writes an event that is new, and counts one that is not.
func (r *Recorder) take(ctx context.Context, e *api.Event, now time.Time) {
	key := KeyOf(e).String()
	if known := r.known[key]; known != nil {
		known.count++
		known.last = e.Spec.Last
		if !now.Before(known.next) {
			r.repeat(ctx, key, known, now)
		}
		return
	}
	stored, err := r.events.Create(ctx, e)
	before := int64(0)
	if client.Exists(err) { // told by an earlier process
		stored, err = r.events.Get(ctx, e.Metadata.NamespaceOrEmpty(), e.Metadata.Name)
		before = 1
	}
	if err != nil {
		r.failed(ctx, err)
		return
	}
	if len(r.known) >= eventsKnown {
		clear(r.known)
	}
	r.known[key] = &repeated{event: stored, count: before, last: e.Spec.Last, pause: firstRepeat, next: now.Add(firstRepeat)}
}

// catchUp writes what has happened again, and forgets what has not for so long that the event is gone.
func (r *Recorder) catchUp(ctx context.Context, now time.Time) {
	for key, known := range r.known {
		switch {
		case now.Before(known.next):
		case known.count > 0:
			r.repeat(ctx, key, known, now)
		case now.Sub(known.next) > api.EventKind.Lasts:
			delete(r.known, key)
		}
	}
	if lost := r.lost.Swap(0); lost > 0 {
		r.log.Warn("events were lost, there was too much to tell", "component", r.component, "events", lost)
	}
}

// repeat adds to an event's count.
func (r *Recorder) repeat(ctx context.Context, key string, known *repeated, now time.Time) {
	stored, err := r.events.Patch(ctx, known.event, map[string]any{"spec": map[string]any{
		"count": known.event.Spec.Count + known.count, "last": known.last,
	}})
	if err != nil {
		delete(r.known, key) // it has been removed, or somebody else has written it; the next time it is read
		if !client.NotFound(err) && !client.Conflict(err) {
			r.failed(ctx, err)
		}
		return
	}
	known.event, known.count = stored, 0
	known.pause = min(2*known.pause, lastRepeat)
	known.next = now.Add(known.pause)
}

func (r *Recorder) failed(ctx context.Context, err error) {
	if ctx.Err() == nil && !client.Unreachable(err) { // the caches say so of an API that does not answer
		r.log.Warn("an event was not written", "component", r.component, "error", err)
	}
}
