package scheduler

import (
	"sync"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// view holds a snapshot of the clusters for as long as nothing changes that decisions depend on.
type view struct {
	clusters *client.Cache[api.Cluster, *api.Cluster]
	measure  measure

	mu      sync.Mutex
	current *core.Snapshot // nil when it must be made anew
	judged  *core.Snapshot // what the values of metrics were compared with last
}

// outdate is called after a change is in the cache, so that a snapshot made later has it.
func (v *view) outdate() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.current = nil
}

func (v *view) snapshot() *core.Snapshot {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.current == nil {
		v.current = snapshotOf(v.clusters.List(nil), v.measure)
	}
	return v.current
}

// renewed makes a snapshot with the values of metrics as they are now, and returns it with the one of the last time.
func (v *view) renewed() (before, after *core.Snapshot) {
	v.outdate()
	after = v.snapshot()
	v.mu.Lock()
	defer v.mu.Unlock()
	before, v.judged = v.judged, after
	return before, after
}

// measure adds to a cluster what its metrics say.
type measure func(c *api.Cluster, into *core.Cluster)

func snapshotOf(list []*api.Cluster, measure measure) *core.Snapshot {
	clusters := make([]core.Cluster, len(list))
	for i, c := range list {
		clusters[i] = core.ClusterOf(c)
		measure(c, &clusters[i])
	}
	return core.NewSnapshot(clusters)
}
