package store

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
)

// A Watch is the stream of events of one prefix for one reader. It ends with
// Close or with the context it was opened with.
type Watch struct {
	hub    *hub
	prefix string
	cancel context.CancelFunc // of the replay, if there is one
	detach func() bool        // from the context the watch was opened with

	mu    sync.Mutex
	queue []*entry
	size  int
	// delivered is the cursor of the last event that Next returned, at first
	// the one the watch began with.
	delivered Cursor
	// position is how far the queue is complete. A live watch is complete as
	// far as the hub is, and at least to here.
	position Cursor
	live     bool
	err      error // what Next returns when the queue is empty; set once

	wake chan struct{} // something changed for the reader
	room chan struct{} // the reader took something from the queue
}

// Watch opens a watch on the keys that start with the prefix. It begins after
// the cursor, or with the next commit for the zero Cursor; every commit after
// the return is seen. Events come in the order of revisions, those of one
// transaction in etcd's order, none left out and none repeated.
//
// It gives a *CompactedError when the history since the cursor is gone.
func (s *Store) Watch(ctx context.Context, prefix string, from Cursor) (*Watch, error) {
	w, err := s.watch(ctx, prefix, from)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", prefix, err)
	}
	return w, nil
}

func (s *Store) watch(ctx context.Context, prefix string, from Cursor) (*Watch, error) {
	from, err := s.startingPoint(ctx, from)
	if err != nil {
		return nil, err
	}
	if err := s.inFlight.enter(); err != nil {
		return nil, err
	}
	defer s.inFlight.leave()
	lifetime, cancel := context.WithCancel(s.ctx)
	w := &Watch{
		hub: s.hub, prefix: prefix, cancel: cancel,
		delivered: from, position: from,
		wake: make(chan struct{}, 1), room: make(chan struct{}, 1),
	}
	w.detach = context.AfterFunc(ctx, w.terminate)
	if s.hub.join(w) {
		return w, nil
	}
	r := &replay{client: s.client, hub: s.hub, watch: w}
	if err := r.chunk(lifetime); err != nil {
		w.Close()
		return nil, cmp.Or(ctx.Err(), err)
	}
	s.group.Go(func() { r.run(lifetime) })
	return w, nil
}

// startingPoint makes "now" a revision and refuses one that does not exist yet.
func (s *Store) startingPoint(ctx context.Context, from Cursor) (Cursor, error) {
	if from != (Cursor{}) && !from.valid() {
		return Cursor{}, fmt.Errorf("invalid cursor %s", from)
	}
	if from.Revision != 0 && from.Revision <= s.hub.reached() {
		return from, nil
	}
	newest, err := s.Revision(ctx)
	if err != nil {
		return Cursor{}, err
	}
	if from.Revision > newest {
		return Cursor{}, &CompactedError{From: from, Newest: newest}
	}
	if from.Revision == 0 {
		from.Revision = newest
	}
	return from, nil
}

// Next returns the next event, waiting for it until the context ends, which
// leaves the watch as it was. Other errors are final: a *SlowError when the
// reader did not keep up, a *CompactedError when it was resumed and did not
// keep up with the compaction, ErrClosed when the watch or the store was
// closed. Only one goroutine may read a watch.
func (w *Watch) Next(ctx context.Context) (Event, error) {
	for {
		e, err := w.take()
		if err != nil {
			return Event{}, err
		}
		if e == nil {
			select {
			case <-w.wake:
				continue
			case <-ctx.Done():
				return Event{}, ctx.Err()
			}
		}
		event, first, err := e.decoded()
		if err == nil {
			return event, nil
		}
		if first {
			w.hub.log.ErrorContext(ctx, "skipped the event of a broken record", "revision", e.event.Revision, "error", err)
		}
	}
}

// Progress is a cursor up to which the watch has nothing more to deliver: the
// reader that saw every event so far may resume from there. While nothing
// happens under the prefix it still moves on with the rest of the keyspace, and
// so stays ahead of the compaction.
func (w *Watch) Progress() Cursor { return w.progress(w.hub.reached()) }

// Close ends the watch. It may be called more than once and by any goroutine.
func (w *Watch) Close() {
	w.detach()
	w.terminate()
}

// terminate ends the watch first and takes it from the hub then, so that a
// replay that joins meanwhile is either seen by leave or sees the end.
func (w *Watch) terminate() {
	w.cancel()
	w.mu.Lock()
	w.queue, w.size = nil, 0
	w.end(ErrClosed)
	w.mu.Unlock()
	w.hub.leave(w)
}

// take removes the first entry of the queue; nil if it is empty and more may
// come.
func (w *Watch) take() (*entry, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		if w.err == ErrSlow {
			return nil, &SlowError{Cursor: w.delivered}
		}
		return nil, w.err
	}
	e := w.queue[0]
	w.queue[0] = nil
	w.queue = w.queue[1:]
	w.size -= e.size
	w.delivered = e.event.Cursor
	signal(w.room)
	return e, nil
}

// offer gives a live watch the newest entries. It returns false when the watch
// is over: closed, or its queue is full, and the reader gets what is in it and
// then the error.
func (w *Watch) offer(entries []*entry) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range entries {
		if !w.wants(e) {
			continue
		}
		if w.full(1) {
			w.end(ErrSlow)
			break
		}
		w.push(e)
	}
	return w.err == nil
}

// goLive takes over from the window what the watch has not seen.
func (w *Watch) goLive(recent *window) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range recent.after(w.position) {
		if w.wants(e) {
			w.push(e)
		}
	}
	w.live = true
}

// replayed adds entries from before the window, which reach to the revision.
func (w *Watch) replayed(entries []*entry, revision int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range entries {
		if w.wants(e) {
			w.push(e)
		}
	}
	w.position = Cursor{Revision: revision}
}

func (w *Watch) wants(e *entry) bool {
	return strings.HasPrefix(e.event.Key, w.prefix) && e.event.Cursor.Compare(w.position) > 0
}

// push is called with the mutex held. A watch that is over takes nothing.
func (w *Watch) push(e *entry) {
	if w.err != nil {
		return
	}
	w.queue = append(w.queue, e)
	w.size += e.size
	signal(w.wake)
}

// full says whether the queue has reached a part of its limits: 1 for all of
// it, 2 for half. It is called with the mutex held.
func (w *Watch) full(part int) bool {
	return len(w.queue) >= w.hub.limits.queueEntries/part || w.size >= w.hub.limits.queueSize/part
}

// progress is Progress for a hub that has reached a revision. The hub hands out
// events before it says how far it is, so each of the three may be the furthest.
func (w *Watch) progress(reached int64) Cursor {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := w.delivered
	if len(w.queue) > 0 || w.err != nil {
		return at
	}
	if w.position.Compare(at) > 0 {
		at = w.position
	}
	if w.live && reached > at.Revision {
		at = Cursor{Revision: reached}
	}
	return at
}

// finish ends the watch once the reader has taken what is in the queue.
func (w *Watch) finish(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end(err)
}

// end is called with the mutex held. The first reason stays.
func (w *Watch) end(err error) {
	if w.err == nil {
		w.err = err
	}
	signal(w.wake)
}

// signal leaves word in a channel of one place without waiting.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// complete is how far a watch that is not live has its events.
func (w *Watch) complete() Cursor {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.position
}

// busy says whether the reader has enough to do for now.
func (w *Watch) busy() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.full(2)
}

// over says whether nothing more is to be added.
func (w *Watch) over() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err != nil
}
