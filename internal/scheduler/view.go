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

	mu      sync.Mutex
	current *core.Snapshot // nil when it must be made anew
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
		v.current = snapshotOf(v.clusters.List(nil))
	}
	return v.current
}

func snapshotOf(list []*api.Cluster) *core.Snapshot {
	clusters := make([]core.Cluster, len(list))
	for i, c := range list {
		clusters[i] = core.ClusterOf(c)
	}
	return core.NewSnapshot(clusters)
}
