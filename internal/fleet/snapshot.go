package fleet

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rak-n-rok/krake/api"
)

// Snapshot is what the informers know of some objects of one application. The zero value knows nothing.
type Snapshot struct {
	entries []api.InventoryObject
	live    map[Key]*unstructured.Unstructured // nil for those that are not there
}

// Snapshot tells what is live of an application's objects. It asks nobody, so kinds that are not observed, or whose
// informers have lost the cluster, are unknown, and so are objects that were applied a moment ago. Of Secrets there is
// only the metadata. Live objects are shared and must not be changed.
func (m *Member) Snapshot(appUID string, entries []api.InventoryObject) Snapshot {
	s := Snapshot{entries: entries, live: map[Key]*unstructured.Unstructured{}}
	identity := m.Identity()
	for _, e := range entries {
		if e.Cluster != identity {
			continue
		}
		live, known := m.observer.find(e)
		if !known {
			continue
		}
		if live != nil && !isOurs(live, e.UID, appUID) {
			live = nil
		}
		s.live[KeyOf(e)] = live
	}
	return s
}

func (o *observer) find(e api.InventoryObject) (*unstructured.Unstructured, bool) {
	o.mu.Lock()
	var (
		f *feed
		p *poll
	)
	if w := o.watches[entryKind(e)]; w != nil {
		if f = w.feeds[""]; f == nil {
			f = w.feeds[e.Namespace]
		}
		p = w.polls[e.Namespace]
	}
	o.mu.Unlock()
	var live *unstructured.Unstructured
	known := false
	switch {
	case f != nil:
		live, known = f.find(e.Namespace, e.Name)
	case p != nil:
		live, known = p.find(e.Name)
	}
	return live, known && o.caughtUp(KeyOf(e), live)
}

// written is what an apply of ours made of an object that the informers have not seen yet. Without it, an object would
// seem to be missing, or changed by others, right after it was applied.
type written struct {
	version uint64
	until   time.Time
}

// writtenFor is how long an informer may take to see what was written. It may see nothing of it at all, if the object
// was deleted again while the informer had lost the cluster.
const writtenFor = 10 * time.Second

// wrote notes an apply.
func (o *observer) wrote(object Key, live *unstructured.Unstructured) {
	now, version := time.Now(), versionOf(live)
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.written) >= 1024 {
		maps.DeleteFunc(o.written, func(_ Key, w written) bool { return now.After(w.until) })
	}
	o.written[object] = written{version, now.Add(writtenFor)}
}

// caughtUp says whether the informers have seen what we wrote ourselves.
func (o *observer) caughtUp(object Key, live *unstructured.Unstructured) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	w, ok := o.written[object]
	if !ok {
		return true
	}
	behind := live == nil || versionOf(live) < w.version
	return !behind || time.Now().After(w.until)
}

// saw forgets what was written once an informer has seen it, or something newer, such as its end.
func (o *observer) saw(live *unstructured.Unstructured) {
	object := keyOf(live)
	o.mu.Lock()
	defer o.mu.Unlock()
	if w, ok := o.written[object]; ok && versionOf(live) >= w.version {
		delete(o.written, object)
	}
}

// versionOf is the version of an object as a number. API servers promise that versions of one kind can be compared so.
func versionOf(live *unstructured.Unstructured) uint64 {
	version, _ := strconv.ParseUint(live.GetResourceVersion(), 10, 64)
	return version
}

// Of returns the live object of an entry, nil when there is none, and whether that is known.
func (s Snapshot) Of(e api.InventoryObject) (live *unstructured.Unstructured, known bool) {
	live, known = s.live[KeyOf(e)]
	return live, known
}

// Without leaves objects out.
func (s Snapshot) Without(object func(Key) bool) Snapshot {
	s.entries = slices.DeleteFunc(slices.Clone(s.entries), func(e api.InventoryObject) bool { return object(KeyOf(e)) })
	s.live = maps.Clone(s.live)
	maps.DeleteFunc(s.live, func(k Key, _ *unstructured.Unstructured) bool { return object(k) })
	return s
}

// Synced says whether everything that was asked for is known.
func (s Snapshot) Synced() bool { return len(s.live) == len(s.entries) }

// Unknown are the entries of which nothing is known.
func (s Snapshot) Unknown() []api.InventoryObject {
	var out []api.InventoryObject
	for _, e := range s.entries {
		if _, known := s.live[KeyOf(e)]; !known {
			out = append(out, e)
		}
	}
	return out
}

// Live are the objects that are there, in the order in which they were asked for.
func (s Snapshot) Live() []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, e := range s.entries {
		if live := s.live[KeyOf(e)]; live != nil {
			out = append(out, live)
		}
	}
	return out
}

// Missing are the entries whose objects are known not to be there.
func (s Snapshot) Missing() []api.InventoryObject {
	var out []api.InventoryObject
	for _, e := range s.entries {
		if live, known := s.live[KeyOf(e)]; known && live == nil {
			out = append(out, e)
		}
	}
	return out
}
