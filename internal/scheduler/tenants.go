package scheduler

import (
	"slices"
	"strconv"
	"sync"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/capacity"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// tenants know what applications have of each cluster: what the manifest of each asks for counts where it is bound to and
// where it still runs, from the moment in which its room was taken. All of it but that moment follows from the
// applications, so nothing is lost with the process.
type tenants struct {
	mu     sync.Mutex
	of     map[string]*tenant              // by the application's UID
	totals map[controller.Key]api.Requests // by cluster
}

// tenant is what is known of one application.
type tenant struct {
	version uint64 // of the application when it was seen last
	asks    api.Requests
	on      []controller.Key
	taken   *controller.Key // the cluster that it is about to be bound to
}

// holds are the clusters on which it has its room.
func (t *tenant) holds() []controller.Key {
	if t.taken == nil || slices.Contains(t.on, *t.taken) {
		return t.on
	}
	return append(slices.Clone(t.on), *t.taken)
}

func newTenants() *tenants {
	return &tenants{of: map[string]*tenant{}, totals: map[controller.Key]api.Requests{}}
}

// follow notes a change of an application, as a cache tells it, and names the clusters on which there is more room now.
func (t *tenants) follow(before, after *api.Application) []controller.Key {
	t.mu.Lock()
	defer t.mu.Unlock()
	var left []controller.Key
	if before != nil && (after == nil || after.Metadata.UID != before.Metadata.UID) {
		if was := t.of[before.Metadata.UID]; was != nil {
			left = was.holds()
		}
		t.put(before.Metadata.UID, nil)
	}
	if after != nil {
		left = append(left, t.see(after)...)
	}
	return left
}

// note is follow for what a request has answered; the cache will tell it later. One that is gone already stays gone.
func (t *tenants) note(a *api.Application) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of[a.Metadata.UID] != nil {
		t.see(a)
	}
}

func (t *tenants) see(a *api.Application) (left []controller.Key) {
	was := t.of[a.Metadata.UID]
	version, _ := strconv.ParseUint(a.Metadata.ResourceVersion, 10, 64)
	if was != nil && version <= was.version {
		return nil // what is known is newer
	}
	is := &tenant{version: version, asks: capacity.RequestsOf(a), on: placesOf(a)}
	if was != nil && was.taken != nil && !slices.Contains(is.on, *was.taken) {
		is.taken = was.taken
	}
	t.put(a.Metadata.UID, is)
	if was == nil {
		return nil
	}
	for _, key := range was.holds() {
		if !slices.Contains(is.holds(), key) || len(was.asks.Minus(is.asks).Total) > 0 || len(was.asks.Minus(is.asks).PerNode) > 0 {
			left = append(left, key)
		}
	}
	return left
}

// placesOf are the clusters that an application is bound to or runs on. What has done its work needs no room.
func placesOf(a *api.Application) []controller.Key {
	var out []controller.Key
	if a.Status.State == api.AppCompleted {
		return nil
	}
	for _, ref := range []*api.ResourceRef{a.Status.ScheduledTo, a.Status.RunningOn} {
		if ref == nil {
			continue
		}
		if key := keyOf(*ref); !slices.Contains(out, key) {
			out = append(out, key)
		}
	}
	return out
}

func keyOf(ref api.ResourceRef) controller.Key {
	return controller.Key{Namespace: ref.NamespaceOrEmpty(), Name: ref.Name}
}

// put replaces what is known of an application, and keeps the totals right.
func (t *tenants) put(uid string, is *tenant) {
	if was := t.of[uid]; was != nil {
		for _, key := range was.holds() {
			rest := t.totals[key].Minus(was.asks)
			if t.totals[key] = rest; len(rest.Total) == 0 && len(rest.PerNode) == 0 {
				delete(t.totals, key)
			}
		}
	}
	if is == nil {
		delete(t.of, uid)
		return
	}
	t.of[uid] = is
	for _, key := range is.holds() {
		t.totals[key] = t.totals[key].Plus(is.asks)
	}
}

// besides is what all applications but one have of clusters, by their names.
func (t *tenants) besides(uid string, clusters []*core.Cluster) map[string]api.Requests {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make(map[string]api.Requests, len(clusters))
	for _, c := range clusters {
		out[c.Name] = t.others(uid, c)
	}
	return out
}

// others is what all applications but one have of a cluster, by whichever record they are there.
func (t *tenants) others(uid string, c *core.Cluster) api.Requests {
	var own []controller.Key
	self := t.of[uid]
	if self != nil {
		own = self.holds()
	}
	var sum api.Requests
	for _, ref := range c.Room.Shared {
		key := keyOf(ref)
		sum = sum.Plus(t.totals[key])
		if slices.Contains(own, key) {
			sum = sum.Minus(self.asks)
		}
	}
	return sum
}

// take takes room on a cluster for an application, if there is enough at this moment. Of an application that is gone, or
// that nobody has told of yet, it takes none.
func (t *tenants) take(a *api.Application, c *core.Cluster) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	was, asks := t.of[a.Metadata.UID], capacity.RequestsOf(a)
	if was == nil || !c.Room.Fits(asks, t.others(a.Metadata.UID, c)) {
		return false
	}
	t.put(a.Metadata.UID, &tenant{version: was.version, asks: asks, on: was.on, taken: &controller.Key{Namespace: c.Namespace, Name: c.Name}})
	return true
}

// giveBack ends a reservation that led to no binding, and says whether there was one.
func (t *tenants) giveBack(a *api.Application) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.of[a.Metadata.UID]
	if was == nil || was.taken == nil {
		return false
	}
	is := *was
	is.taken = nil
	t.put(a.Metadata.UID, &is)
	return true
}
