package kubernetes

import (
	"slices"
	"sync"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/controller"
)

const (
	// workers is how many objects a controller works on at once. Most of the time they wait for clusters.
	workers = 64
	// perCluster is how many of them one cluster may have, so that one that answers slowly, or not until a deadline,
	// leaves workers to the applications of others.
	perCluster = 16
	// crowded is how long an application waits that finds too many before it.
	crowded = 100 * time.Millisecond
)

// lanes counts the applications that are worked on, for each cluster. Its zero value is empty.
type lanes struct {
	mu   sync.Mutex
	busy map[string]int // by identity
}

// enter takes a place on each of these clusters, or on none if one of them has no place left.
func (l *lanes) enter(clusters []string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.ContainsFunc(clusters, func(c string) bool { return l.busy[c] >= perCluster }) {
		return false
	}
	if l.busy == nil {
		l.busy = map[string]int{}
	}
	for _, c := range clusters {
		l.busy[c]++
	}
	return true
}

// leave gives the places back.
func (l *lanes) leave(clusters []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range clusters {
		if l.busy[c]--; l.busy[c] == 0 {
			delete(l.busy, c)
		}
	}
}

// clustersInUse are the clusters that work on an application may speak to, as far as that is known without asking.
func (c *Applications) clustersInUse(key controller.Key, app *api.Application) []string {
	var clusters []string
	if r := c.memory.get(key, app.Metadata.UID); r != nil {
		clusters = clustersOfObjects(r.inventory.Objects)
	}
	for _, ref := range []*api.ResourceRef{app.Status.ScheduledTo, app.Status.RunningOn} {
		if c := c.clusterOf(ref); c != nil && c.Status.Identity != "" && !slices.Contains(clusters, c.Status.Identity) {
			clusters = append(clusters, c.Status.Identity)
		}
	}
	return clusters
}
