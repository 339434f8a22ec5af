package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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
// leaves the watch as it was. An event whose value cannot be read comes with a
// *BrokenError and without the value; the watch goes on. Other errors are final: a *SlowError when the
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
		return w.open(e)
	}
}

// Waiting returns the next event if there is one already, and what Next would say of it.
func (w *Watch) Waiting() (event Event, waiting bool, broken error) {
	e, err := w.take()
	if e == nil || err != nil {
		return Event{}, false, nil // Next tells the end of the watch
	}
	event, broken = w.open(e)
	return event, true, broken
}

// open decodes an entry for the reader.
func (w *Watch) open(e *entry) (Event, error) {
	event, first, err := e.decoded()
	if first && err != nil {
		w.hub.log.Error("the event of a broken record", "revision", e.event.Revision, "error", err)
	}
	return event, err
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
		if errors.Is(w.err, ErrSlow) {
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

// progress is Progress for a hub that has reached a revision: the furthest of
// what was delivered, of where the watch began or its replay is, and of the hub.
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
	if hub := (Cursor{Revision: reached}); w.live && hub.Compare(at) > 0 {
		at = hub
	}
	return at
}
