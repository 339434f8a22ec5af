package apiserver

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/store"
)

// stream is a watch being served.
type stream struct {
	s         *Server
	t         target
	w         http.ResponseWriter
	r         *http.Request
	watch     *store.Watch
	selection selection
	view      view
	resumable bool
	sent      store.Cursor // what a resumable watch knows it may resume from
	out       []byte       // lines that were not sent yet
	events    prometheus.Counter
}

// watch answers with a line for every change from now on, or, with the parameter resource_version, from there.
func (s *Server) watch(w http.ResponseWriter, r *http.Request, t target, heartbeat time.Duration) error {
	query := r.URL.Query()
	st := &stream{s: s, t: t, w: w, r: r, resumable: query.Has("resource_version")}
	var err error
	if st.selection, st.view, err = shown(t.kind, query); err != nil {
		return err
	}
	if v := query.Get("resource_version"); v != "" {
		cursor, err := store.ParseCursor(v)
		if err != nil {
			return badQuery("resource_version", "Not a version or cursor.")
		}
		st.sent = cursor
	}
	if st.watch, err = s.store.Watch(r.Context(), t.key(), st.sent); err != nil {
		return err
	}
	defer st.watch.Close()
	known := requestOf(r)
	known.verb, known.long = "watch", true
	known.release()
	client := s.clientOf(r)
	if !s.watching.add(client, s.limits.Watches) {
		return tooMany("%d watches of yours are open", s.limits.Watches)
	}
	defer s.watching.remove(client)
	s.streams.Add(1)
	defer s.streams.Add(-1)
	open := s.metrics.watches.WithLabelValues(t.kind.Name)
	open.Inc()
	defer open.Dec()
	st.events = s.metrics.events.WithLabelValues(t.kind.Name)
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil // its connection would wait for the end of a stream that nobody reads
	}
	if err := http.NewResponseController(w).Flush(); err != nil {
		return nil
	}
	ctx, cancel := s.untilStop(r.Context())
	defer cancel()
	st.run(ctx, heartbeat)
	if s.ending.Err() != nil && r.Context().Err() == nil {
		_ = st.beat()
	}
	return nil
}

// maxBatch is how many bytes are gathered, at least, before they are sent although more is at hand.
const maxBatch = 256 << 10

// run sends until ctx ends, the client is gone, or the store cuts the watch off.
func (st *stream) run(ctx context.Context, heartbeat time.Duration) {
	next := time.Now().Add(heartbeat)
	for ctx.Err() == nil {
		event, err := st.next(ctx, heartbeat, next)
		switch {
		case err == nil, errors.Is(err, store.ErrBroken):
			st.gather(ctx)
			err = st.batch(event, err)
		case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
			next = next.Add(heartbeat)
			err = st.beat()
		case st.resumable && errors.Is(err, store.ErrCompacted):
			st.fail(err)
		}
		if err != nil {
			return
		}
	}
}

// next waits for an event, or for the time of the next heartbeat.
func (st *stream) next(ctx context.Context, heartbeat time.Duration, at time.Time) (store.Event, error) {
	if heartbeat == 0 {
		return st.watch.Next(ctx)
	}
	ctx, cancel := context.WithDeadline(ctx, at)
	defer cancel()
	return st.watch.Next(ctx)
}

// beat shows that the connection lives, and moves an idle client's cursor along, so that it stays ahead of the
// compaction.
func (st *stream) beat() error {
	if progress := st.watch.Progress(); st.resumable && progress != st.sent {
		st.sent = progress
		st.line("BOOKMARK", progress.String(), whole([]byte("null")))
	} else {
		st.out = append(st.out, '\n')
	}
	return st.send()
}

// batch sends an event together with those that are waiting behind it. broken says why the store cannot read the value of
// the event, nil if it can.
func (st *stream) batch(e store.Event, broken error) error {
	for more := true; more; {
		if err := st.event(e, broken); err != nil {
			return err
		}
		if len(st.out) >= maxBatch {
			break
		}
		e, more, broken = st.watch.Waiting()
	}
	return st.send()
}

// event adds the line of an event, if it is of the collection.
func (st *stream) event(e store.Event, broken error) error {
	shared := e.Shared(func() any { return st.shared(e, broken) }).(sharedEvent)
	if !shared.covered {
		return nil
	}
	if shared.err != nil {
		return st.broken(e.Key, shared.err)
	}
	kind, object := st.selected(e, shared.object)
	if kind == 0 {
		return nil
	}
	cursor := ""
	if st.resumable {
		st.sent = e.Cursor
		cursor = e.Cursor.String()
	}
	st.line(strings.ToUpper(kind.String()), cursor, st.view.of(object))
	st.events.Inc()
	return nil
}

// A sharedEvent is what all watches of a kind have in common of an event. Which kind that is, its key says.
type sharedEvent struct {
	covered bool // it is an object of the kind
	object  served
	err     error
}

func (st *stream) shared(e store.Event, broken error) sharedEvent {
	if broken != nil || !st.t.covers(e.Key) {
		return sharedEvent{covered: st.t.covers(e.Key), err: broken}
	}
	revision := e.ValueRevision
	if e.Type == store.Deleted {
		revision = e.Revision
	}
	object, err := readable(st.t.kind, store.Record{Key: e.Key, Value: e.Value, Revision: revision})
	return sharedEvent{covered: true, object: object, err: err}
}

// gather waits a moment for more events when there are many watches: to send each event to each of them alone would take
// longer for all than to send a few together.
func (st *stream) gather(ctx context.Context) {
	many := st.s.streams.Load()
	if many < manyStreams {
		return
	}
	timer := time.NewTimer(min(time.Duration(many)*gatherPerStream, maxGather))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// A thousand watches wait 20 ms for more, fewer than a hundred do not wait.
const (
	manyStreams     = 100
	gatherPerStream = 20 * time.Microsecond
	maxGather       = 20 * time.Millisecond
)

// selected says what an event means to who wants a part of the collection, 0 for nothing: an object that is wanted from
// now on is added, one that is wanted no longer is deleted as it was before.
func (st *stream) selected(e store.Event, object served) (store.EventType, served) {
	if st.selection.all() {
		return e.Type, object
	}
	wanted := st.selection.wants(object)
	if e.Type != store.Modified {
		if wanted {
			return e.Type, object
		}
		return 0, served{}
	}
	before, known := st.before(e)
	switch {
	case !known && !wanted: // it may have been wanted; to be told in vain that it is gone hurts nobody
		return store.Deleted, object
	case !known:
		return e.Type, object
	case wanted && st.selection.wants(before):
		return store.Modified, object
	case wanted:
		return store.Added, object
	case st.selection.wants(before):
		return store.Deleted, before
	}
	return 0, served{}
}

// before is the object that an event replaced, with the version of the event.
func (st *stream) before(e store.Event) (served, bool) {
	value, err := e.Before()
	if err != nil || value == nil {
		return served{}, false
	}
	object, err := readable(st.t.kind, store.Record{Key: e.Key, Value: value, Revision: e.Revision})
	return object, err == nil
}

// line adds a line to what is to be sent. The cursor is empty for watches that cannot be resumed.
func (st *stream) line(kind, cursor string, object served) {
	st.out = append(append(append(st.out, `{"type":"`...), kind...), '"')
	if cursor != "" {
		st.out = append(append(append(st.out, `,"cursor":"`...), cursor...), '"')
	}
	st.out = append(object.appendTo(append(st.out, `,"object":`...)), "}\n"...)
}

// send sends what was gathered. A client that does not read is cut off after a while: until then, what waits for it is
// kept in memory, and the stream hears of nothing else. The pipe of a client in this process knows no deadline.
func (st *stream) send() error {
	if len(st.out) == 0 {
		return nil
	}
	connection := http.NewResponseController(st.w)
	_ = connection.SetWriteDeadline(time.Now().Add(st.s.patience))
	if _, err := st.w.Write(st.out); err != nil {
		return err
	}
	st.out = st.out[:0]
	if cap(st.out) > 2*maxBatch {
		st.out = nil // one large event needs no room for ever
	}
	return connection.Flush()
}

// broken leaves a record out that cannot be read. Who resumes keeps objects: it would keep what it knew of this one for
// ever, since the record's deletion cannot be told either. So it has to list again; the list has left the record out.
func (st *stream) broken(key string, err error) error {
	st.s.metrics.broken.Add(1)
	st.s.log.Error("a broken record is left out of a watch", "key", key, "error", err)
	if !st.resumable {
		return nil
	}
	err = api.NewProblem(http.StatusGone, "", "410: Gone: the record %s cannot be read; list again", key)
	st.fail(err)
	return err
}

// fail is the last line of a resumable watch.
func (st *stream) fail(err error) {
	data, err := json.Marshal(st.s.problem(st.r, err))
	if err != nil {
		panic(err) // our own types always encode
	}
	st.line("ERROR", "", whole(data))
	_ = st.send()
}
