package store

import (
	"errors"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// EventType says what happened to a key.
type EventType int

const (
	// Added is the first write of a key that was absent.
	Added EventType = iota + 1
	// Modified is any later write.
	Modified
	// Deleted is the removal.
	Deleted
)

// String gives the type as a word for logs and tests.
func (t EventType) String() string {
	switch t {
	case Added:
		return "added"
	case Modified:
		return "modified"
	case Deleted:
		return "deleted"
	default:
		return "unknown"
	}
}

// An Event is one change of one key. Events are shared by all readers: Value
// must not be written to.
type Event struct {
	Type EventType
	Key  string
	// Value is the document; for Deleted the last one that was stored.
	Value []byte
	// Revision is that of the change; the events of a transaction share it.
	Revision int64
	// ValueRevision is the revision at which Value was written: Revision, or
	// for Deleted that of the last write before it.
	ValueRevision int64
	// Created is the revision at which the key was created.
	Created int64
	// Cursor is the position after this event.
	Cursor Cursor

	before []byte // as etcd stores it
	memo   *memo
}

// A memo keeps what the first reader of an event has made of it.
type memo struct {
	once sync.Once
	made any
}

// Shared returns what was made of the event for the first reader that asked, and has it made if that is this one. All
// readers must want the same.
func (e Event) Shared(make func() any) any {
	if e.memo == nil {
		return make()
	}
	e.memo.once.Do(func() { e.memo.made = make() })
	return e.memo.made
}

// Before is the document that a Modified event replaced, nil for other events. Who needs it pays for its decoding.
func (e Event) Before() ([]byte, error) {
	if e.before == nil {
		return nil, nil
	}
	return decodeFrame(e.before)
}

// An entry is an event in the hub, with its value as etcd stores it. The
// reader that needs the value first decodes it for all.
type entry struct {
	event  Event
	stored []byte
	size   int // memory held, in bytes, decoded value included

	once sync.Once
	err  error
}

// errNoPrevious says that etcd could not say what a deleted key had held: its
// history was compacted meanwhile.
var errNoPrevious = errors.New("the deleted value was compacted")

// newEntries turns a response of etcd, always one of whole revisions, into
// entries, leaving out what lies at or before the cursor.
func newEntries(events []*clientv3.Event, after Cursor) ([]*entry, error) {
	entries := make([]*entry, 0, len(events))
	index := 0
	for i, ev := range events {
		index++
		cursor := Cursor{Revision: ev.Kv.ModRevision, Index: index}
		if i+1 == len(events) || events[i+1].Kv.ModRevision != ev.Kv.ModRevision {
			cursor.Index, index = 0, 0
		}
		if cursor.Compare(after) <= 0 {
			continue
		}
		e, err := newEntry(ev, cursor)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func newEntry(ev *clientv3.Event, cursor Cursor) (*entry, error) {
	kv := ev.Kv
	e := &entry{event: Event{Key: string(kv.Key), Revision: kv.ModRevision, Cursor: cursor, memo: &memo{}}}
	switch {
	case ev.Type == clientv3.EventTypeDelete:
		if ev.PrevKv == nil {
			return nil, errNoPrevious
		}
		e.event.Type = Deleted
		kv = ev.PrevKv
	case ev.IsCreate():
		e.event.Type = Added
	default:
		e.event.Type = Modified
		if ev.PrevKv != nil { // which may have been compacted
			e.event.before = ev.PrevKv.Value
		}
	}
	e.event.ValueRevision, e.event.Created = kv.ModRevision, kv.CreateRevision
	e.stored = kv.Value
	e.size = len(kv.Key) + len(kv.Value) + len(e.event.before) + unpackedSize(kv.Value)
	return e, nil
}

// decoded gives the event with its value. The caller that decoded it, and only
// that one, is told so: it reports a broken record.
func (e *entry) decoded() (event Event, first bool, err error) {
	e.once.Do(func() {
		first = true
		if e.event.Value, e.err = decodeFrame(e.stored); e.err != nil {
			e.err = &BrokenError{Key: e.event.Key, Revision: e.event.ValueRevision, Reason: e.err}
		}
		e.stored = nil
	})
	return e.event, first, e.err
}
