package fleet

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rak-n-rok/krake/api"
)

// Snapshot is what the informers know of some objects of one application. The zero value knows nothing.
type Snapshot struct {
	entries []api.InventoryObject
	live    map[Key]*unstructured.Unstructured // nil for those that are not there
}

// Snapshot tells what is live of an application's objects. It asks nobody, so kinds that are not observed, or whose
// informers have lost the cluster, are unknown. Of Secrets there is only the metadata. Live objects are shared and must
// not be changed.
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
	var f *feed
	if w := o.watches[entryKind(e)]; w != nil {
		if f = w.feeds[""]; f == nil {
			f = w.feeds[e.Namespace]
		}
	}
	o.mu.Unlock()
	if f == nil {
		return nil, false
	}
	return f.find(e.Namespace, e.Name)
}

// Of returns the live object of an entry, nil when there is none, and whether that is known.
func (s Snapshot) Of(e api.InventoryObject) (live *unstructured.Unstructured, known bool) {
	live, known = s.live[KeyOf(e)]
	return live, known
}

// Synced says whether everything that was asked for is known.
func (s Snapshot) Synced() bool { return len(s.live) == len(s.entries) }

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
