package store

import "slices"

// A window holds the newest events of the whole keyspace, in order and without
// a gap, for watches that are resumed. It drops whole revisions only.
type window struct {
	entries []*entry
	size    int
	// floor is the revision after which the window is complete.
	floor int64

	maxEntries, maxSize int
}

// add appends the entries of whole revisions and drops the oldest revisions
// beyond the limits.
func (w *window) add(entries []*entry) {
	w.entries = append(w.entries, entries...)
	for _, e := range entries {
		w.size += e.size
	}
	for len(w.entries) > w.maxEntries || w.size > w.maxSize {
		w.dropRevision()
	}
}

func (w *window) dropRevision() {
	w.floor = w.entries[0].event.Revision
	n := 0
	for n < len(w.entries) && w.entries[n].event.Revision == w.floor {
		w.size -= w.entries[n].size
		w.entries[n] = nil // the array lives on until append moves it
		n++
	}
	w.entries = w.entries[n:]
}

// reset empties the window, which is complete from the revision on.
func (w *window) reset(floor int64) {
	w.entries, w.size, w.floor = nil, 0, floor
}

// covers says whether a watch can be resumed from the window.
func (w *window) covers(from Cursor) bool { return from.next() > w.floor }

// after gives the entries behind a cursor that the window covers.
func (w *window) after(from Cursor) []*entry {
	n, found := slices.BinarySearchFunc(w.entries, from, func(e *entry, c Cursor) int {
		return e.event.Cursor.Compare(c)
	})
	if found {
		n++
	}
	return w.entries[n:]
}
