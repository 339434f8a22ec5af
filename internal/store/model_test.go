package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// patience is how long a test waits for what must come. It is never reached
// unless something is wrong.
const patience = 30 * time.Second

// tiny limits bring readers to the edges: a queue that overflows, a window that
// has moved on.
var tiny = limits{windowEntries: 12, windowSize: 1 << 20, queueEntries: 8, queueSize: 1 << 20}

// TestWatchesNeverLoseOrRepeatAnEvent drives a store and a list of what must
// have happened with the same random steps, and compares what every reader
// gets with the list. Only the hub runs beside it, so a failure can be shrunk.
func TestWatchesNeverLoseOrRepeatAnEvent(t *testing.T) {
	places := &places{}
	dir := t.TempDir()
	t.Run("parallel", func(t *testing.T) {
		for i := range 4 { // most of a run is waiting for etcd
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				rapid.Check(t, func(t *rapid.T) { runModel(t, dir, places) })
			})
		}
	})
	// A generator that does not reach these places proves nothing about them.
	for _, place := range []string{
		"slow reader cut off", "cursor refused after a compaction", "resumed inside a transaction",
		"resumed from the window", "resumed from etcd", "resumed after a restart",
	} {
		if places.count(place) == 0 && !t.Failed() {
			t.Errorf("no run reached: %s", place)
		}
	}
}

func runModel(t *rapid.T, dir string, places *places) {
	own := filepath.Join(dir, fmt.Sprint(places.next()))
	defer os.RemoveAll(own) // a failure is tried again many times, and each of them takes more than 100 MB
	m := newModel(t, own, places)
	defer m.close()
	t.Repeat(map[string]func(*rapid.T){
		"commit":     m.commit,
		"burst":      m.burst,
		"open":       m.open,
		"read":       m.read,
		"read all":   m.readAll,
		"progress":   m.progress,
		"disconnect": m.disconnect,
		"resume":     m.resume,
		"compact":    m.compact,
		"restart":    m.restart,
	})
	for _, r := range m.readers {
		m.connect(t, r)
		m.drain(t, r)
	}
}

// places counts over all runs how often an interesting place was reached.
type places struct {
	mu      sync.Mutex
	reached map[string]int
	runs    int
}

func (p *places) note(place string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reached == nil {
		p.reached = map[string]int{}
	}
	p.reached[place]++
}

func (p *places) count(place string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reached[place]
}

func (p *places) next() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.runs++
	return p.runs
}

// A model is a store beside what must be in it.
type model struct {
	dir    string
	store  *Store
	places *places

	state     map[string]Record
	history   []Event // of the whole keyspace
	revision  int64
	compacted int64
	restarted int64 // the revision at the last restart
	readers   []*reader
	serial    int
}

// A reader remembers how far it came. Watch is nil while it is disconnected.
type reader struct {
	prefix string
	at     Cursor
	watch  *Watch
	// behind says that a compaction overtook the watch, or the hub, so that it
	// may end; a watch that is up to date never does.
	behind bool
}

func newModel(t *rapid.T, dir string, places *places) *model {
	m := &model{dir: dir, places: places, state: map[string]Record{}, revision: 1}
	m.start(t)
	return m
}

func (m *model) start(t *rapid.T) {
	s, err := Open(context.Background(), Options{Dir: m.dir, UnsafeNoFsync: true, Logger: quiet, limits: tiny})
	if err != nil {
		t.Fatal(err)
	}
	m.store = s
}

func (m *model) close() { m.store.Close() }

var (
	genKey    = rapid.SampledFrom(strings.Fields("/a/x/1 /a/x/2 /a/x/3 /a/y/1 /a/y/2 /b/1 /b/2 /b/3 /c/1"))
	genPrefix = rapid.SampledFrom([]string{"", "/a/", "/a/x/", "/a/x/1", "/b/", "/none/"})
)

// commit draws a transaction and carries it out on both sides.
func (m *model) commit(t *rapid.T) {
	txn, holds := Txn{}, true
	for _, key := range rapid.SliceOfNDistinct(genKey, 0, 2, rapid.ID).Draw(t, "conditions") {
		c := m.condition(t, key)
		holds = holds && c.holds(m.state[key].Revision)
		txn.If = append(txn.If, c)
	}
	txn.Do = m.operations(t)
	revision, err := m.store.Commit(t.Context(), txn)
	switch {
	case !holds && !errors.Is(err, ErrConflict):
		t.Fatalf("a condition does not hold, yet: %v", err)
	case holds && err != nil:
		t.Fatal(err)
	case holds:
		m.apply(t, txn.Do, revision)
	}
}

func (m *model) condition(t *rapid.T, key string) Condition {
	switch rapid.IntRange(0, 4).Draw(t, "condition") {
	case 0:
		return Absent(key)
	case 1:
		return Present(key)
	case 2:
		return Unchanged(key, max(1, m.state[key].Revision-1))
	default: // one that holds
		if r, ok := m.state[key]; ok {
			return Unchanged(key, r.Revision)
		}
		return Absent(key)
	}
}

func (m *model) operations(t *rapid.T) []Op {
	if rapid.IntRange(0, 9).Draw(t, "delete a prefix") == 0 {
		return []Op{Put("/c/1", m.value(t)), DeletePrefix("/a/"), Put("/b/1", m.value(t))}
	}
	var ops []Op
	for _, key := range rapid.SliceOfNDistinct(genKey, 1, 4, rapid.ID).Draw(t, "keys") {
		if rapid.IntRange(0, 2).Draw(t, "delete") == 0 {
			ops = append(ops, Delete(key))
		} else {
			ops = append(ops, Put(key, m.value(t)))
		}
	}
	return ops
}

// value is unique, and now and then large enough to be compressed.
func (m *model) value(t *rapid.T) []byte {
	m.serial++
	padding := ""
	if rapid.IntRange(0, 9).Draw(t, "large") == 0 {
		padding = strings.Repeat("krake ", compressFrom/4)
	}
	return fmt.Appendf(nil, `{"serial":%d,"padding":%q}`, m.serial, padding)
}

// apply does to the model what etcd did, and writes down the events.
func (m *model) apply(t *rapid.T, ops []Op, revision int64) {
	var events []Event
	for _, op := range ops {
		switch op.kind {
		case opPut:
			events = append(events, m.put(op, revision))
		case opDelete:
			if _, ok := m.state[op.key]; ok {
				events = append(events, m.delete(op.key, revision))
			}
		case opDeletePrefix:
			for _, key := range m.keys(op.key) {
				events = append(events, m.delete(key, revision))
			}
		}
	}
	if want := m.revision + int64(min(1, len(events))); revision != want {
		t.Fatalf("the commit has revision %d, want %d", revision, want)
	}
	for i := range events {
		events[i].Cursor = Cursor{revision, i + 1}
	}
	if len(events) > 0 {
		events[len(events)-1].Cursor.Index = 0
	}
	m.history = append(m.history, events...)
	m.revision = revision
}

func (m *model) put(op Op, revision int64) Event {
	ev := Event{Type: Modified, Key: op.key, Value: op.value, Revision: revision, ValueRevision: revision,
		Created: m.state[op.key].Created, before: m.state[op.key].Value}
	if ev.Created == 0 {
		ev.Type, ev.Created = Added, revision
	}
	m.state[op.key] = Record{Key: op.key, Value: op.value, Revision: revision, Created: ev.Created}
	return ev
}

func (m *model) delete(key string, revision int64) Event {
	last := m.state[key]
	delete(m.state, key)
	return Event{Type: Deleted, Key: key, Value: last.Value, Revision: revision, ValueRevision: last.Revision, Created: last.Created}
}

func (m *model) keys(prefix string) []string {
	var keys []string
	for key := range m.state {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	return keys
}

func (m *model) burst(t *rapid.T) {
	for range rapid.IntRange(4, 12).Draw(t, "commits") {
		m.commit(t)
	}
}

// open adds a reader, from now on or from anywhere in the past.
func (m *model) open(t *rapid.T) {
	r := &reader{prefix: genPrefix.Draw(t, "prefix")}
	if len(m.history) > 0 && rapid.Bool().Draw(t, "from the past") {
		r.at = rapid.SampledFrom(m.history).Draw(t, "from").Cursor
	}
	m.readers = append(m.readers, r)
	m.connect(t, r)
}

// connect opens the watch of a reader where it left off. A reader whose cursor
// is refused begins anew, which is allowed only if something was forgotten.
func (m *model) connect(t *rapid.T, r *reader) {
	if r.watch != nil {
		return
	}
	m.note(r)
	w, err := m.store.Watch(context.Background(), r.prefix, r.at)
	r.behind = r.at.Revision != 0 && r.at.next() <= m.compacted
	if errors.Is(err, ErrCompacted) {
		m.refused(t, r)
		r.behind = false
		w, err = m.store.Watch(context.Background(), r.prefix, r.at)
	}
	if err != nil {
		t.Fatal(err)
	}
	if r.at == (Cursor{}) {
		r.at = Cursor{Revision: m.revision}
	}
	r.watch = w
}

// note counts which way a watch is resumed.
func (m *model) note(r *reader) {
	if r.at == (Cursor{}) {
		return
	}
	if r.at.Index != 0 {
		m.places.note("resumed inside a transaction")
	}
	if r.at.Revision < m.restarted {
		m.places.note("resumed after a restart")
	}
	if m.store.hub.covers(r.at) {
		m.places.note("resumed from the window")
	} else if r.at.next() > m.compacted {
		m.places.note("resumed from etcd")
	}
}

// refused lets a reader begin anew, if something it had not seen was forgotten.
func (m *model) refused(t *rapid.T, r *reader) {
	if !r.behind || r.at.next() > m.compacted {
		t.Fatalf("cursor %s is refused, but only the history to %d was compacted", r.at, m.compacted)
	}
	m.places.note("cursor refused after a compaction")
	r.at = Cursor{Revision: m.revision}
}

// read takes what a reader has to get, up to some events.
func (m *model) read(t *rapid.T) {
	if r := m.pick(t); r != nil && r.watch != nil {
		for range rapid.IntRange(1, 6).Draw(t, "events") {
			m.next(t, r)
		}
	}
}

func (m *model) readAll(t *rapid.T) {
	if r := m.pick(t); r != nil && r.watch != nil {
		m.drain(t, r)
	}
}

func (m *model) pick(t *rapid.T) *reader {
	if len(m.readers) == 0 {
		return nil
	}
	return rapid.SampledFrom(m.readers).Draw(t, "reader")
}

// drain reads until the list has nothing more, and so must the watch.
func (m *model) drain(t *rapid.T, r *reader) {
	for m.next(t, r) {
	}
	now, cancel := context.WithCancel(context.Background())
	cancel()
	ev, err := r.watch.Next(now)
	if errors.Is(err, ErrCompacted) {
		m.refused(t, r)
		m.reconnect(t, r)
	} else if !errors.Is(err, context.Canceled) {
		t.Fatalf("reader of %q has everything, yet: %s %v", r.prefix, describe(ev), err)
	}
}

// next takes one event if there must be one, and compares it.
func (m *model) next(t *rapid.T, r *reader) bool {
	want, ok := m.expected(r)
	if !ok {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	got, err := r.watch.Next(ctx)
	var slow *SlowError
	switch {
	case errors.As(err, &slow):
		if slow.Cursor != r.at {
			t.Fatalf("cut off after %s, but the last event was %s", slow.Cursor, r.at)
		}
		m.places.note("slow reader cut off")
		m.reconnect(t, r)
	case errors.Is(err, ErrCompacted):
		m.refused(t, r)
		m.reconnect(t, r)
	case err != nil:
		t.Fatalf("reader of %q at %s: %v, want %s", r.prefix, r.at, err, describe(want))
	default:
		if !cmp.Equal(want, got, cmp.Comparer(bytes.Equal), cmpopts.IgnoreUnexported(Event{})) {
			t.Fatalf("reader of %q at %s got %s, want %s", r.prefix, r.at, describe(got), describe(want))
		}
		if before, err := got.Before(); err != nil || before != nil && !bytes.Equal(before, want.before) {
			t.Fatalf("%s replaced %s (%v), want %s", describe(got), before, err, want.before)
		} else if before == nil && want.before != nil {
			m.places.note("replaced value compacted")
		}
		r.at = got.Cursor
	}
	return true
}

// expected is the first event that a reader has not seen.
func (m *model) expected(r *reader) (Event, bool) {
	for _, ev := range m.history {
		if ev.Cursor.Compare(r.at) > 0 && strings.HasPrefix(ev.Key, r.prefix) {
			return ev, true
		}
	}
	return Event{}, false
}

func (m *model) reconnect(t *rapid.T, r *reader) {
	r.watch.Close()
	r.watch = nil
	m.connect(t, r)
}

// progress checks that nothing is left out before the position of a watch.
func (m *model) progress(t *rapid.T) {
	r := m.pick(t)
	if r == nil || r.watch == nil {
		return
	}
	at := r.watch.Progress()
	if at.Compare(r.at) < 0 || at.Revision > m.revision {
		t.Fatalf("progress is %s after %s at revision %d", at, r.at, m.revision)
	}
	if ev, ok := m.expected(r); ok && ev.Cursor.Compare(at) <= 0 {
		t.Fatalf("progress of %q is %s, but %s was not delivered", r.prefix, at, describe(ev))
	}
	if rapid.Bool().Draw(t, "go on from there") {
		r.at = at
		m.reconnect(t, r)
	}
}

func (m *model) disconnect(t *rapid.T) {
	if r := m.pick(t); r != nil && r.watch != nil {
		r.watch.Close()
		r.watch = nil
	}
}

func (m *model) resume(t *rapid.T) {
	if r := m.pick(t); r != nil {
		m.connect(t, r)
	}
}

// compact forgets the history up to some revision, or all of it.
func (m *model) compact(t *rapid.T) {
	if m.revision <= m.compacted {
		return
	}
	revision := rapid.Int64Range(m.compacted+1, m.revision).Draw(t, "to revision")
	for _, r := range m.readers {
		if r.watch != nil && !(r.watch.isLive() && m.store.hub.reached() >= revision) {
			r.behind = true
		}
	}
	if err := m.store.Compact(t.Context(), revision); err != nil {
		t.Fatal(err)
	}
	m.compacted = revision
}

// restart closes the store and opens it again on the same directory.
func (m *model) restart(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "restart") > 0 {
		return
	}
	if err := m.store.Close(); err != nil {
		t.Fatal(err)
	}
	m.start(t)
	m.restarted = m.revision
	for _, r := range m.readers {
		if r.watch != nil {
			m.reconnect(t, r)
		}
	}
	m.listed(t)
}

// listed compares what is stored with the model.
func (m *model) listed(t *rapid.T) {
	got, revision, err := m.store.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	want := []Record{}
	for _, key := range m.keys("") {
		want = append(want, m.state[key])
	}
	if diff := cmp.Diff(want, got); diff != "" || revision != m.revision {
		t.Fatalf("list at revision %d, want %d (-want +got):\n%s", revision, m.revision, diff)
	}
}

// describe keeps a failure readable when values are large.
func describe(ev Event) string {
	return fmt.Sprintf("%s %s at %s (value %d, created %d, %.16s…)", ev.Type, ev.Key, ev.Cursor, ev.ValueRevision, ev.Created, ev.Value)
}

func (w *Watch) isLive() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.live
}
