package store

import "strings"

// The other side of a Watch: what the hub and the replay do with its queue.

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
			w.hub.slow.Add(1)
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
