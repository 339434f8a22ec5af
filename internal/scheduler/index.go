package scheduler

import (
	"maps"
	"slices"
	"sync"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/controller"
)

// index finds the applications that a change of a cluster may concern, without going through all of them.
type index struct {
	mu      sync.Mutex
	bound   map[controller.Key]keys // by cluster
	waiting map[string]keys         // by namespace: those without a place, or that must leave theirs and cannot
}

type keys map[controller.Key]struct{}

func newIndex() *index {
	return &index{bound: map[controller.Key]keys{}, waiting: map[string]keys{}}
}

// update follows a change of an application; before is nil for a new one, after for one that is gone.
func (x *index) update(before, after *api.Application) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if before != nil {
		key := controller.KeyOf(before)
		if cluster, ok := boundTo(before); ok {
			remove(x.bound, cluster, key)
		}
		remove(x.waiting, key.Namespace, key)
	}
	if after == nil || after.Metadata.Deleted != nil {
		return
	}
	key := controller.KeyOf(after)
	if cluster, ok := boundTo(after); ok {
		add(x.bound, cluster, key)
	}
	if after.Status.Conditions.Get(api.Scheduled).Status != api.True {
		add(x.waiting, key.Namespace, key)
	}
}

func (x *index) boundTo(cluster controller.Key) []controller.Key {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Collect(maps.Keys(x.bound[cluster]))
}

func (x *index) waitingIn(namespace string) []controller.Key {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Collect(maps.Keys(x.waiting[namespace]))
}

func boundTo(a *api.Application) (controller.Key, bool) {
	ref := a.Status.ScheduledTo
	if ref == nil {
		return controller.Key{}, false
	}
	return controller.Key{Namespace: ref.NamespaceOrEmpty(), Name: ref.Name}, true
}

func add[K comparable](m map[K]keys, k K, key controller.Key) {
	if m[k] == nil {
		m[k] = keys{}
	}
	m[k][key] = struct{}{}
}

func remove[K comparable](m map[K]keys, k K, key controller.Key) {
	delete(m[k], key)
	if len(m[k]) == 0 {
		delete(m, k)
	}
}
