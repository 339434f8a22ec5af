package kubernetes

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/capacity"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/fleet"
)

// The pods of a cluster are many, and are counted after so many looks at it only, and only where its capacity counts.
const (
	looksPerCount = 10
	countTime     = 30 * time.Second // how long the cluster may take
)

// count adds to a report what the pods of the cluster ask for, if it is time for that. A count that fails says nothing of
// the cluster's health; what was counted last stands.
func (c *Clusters) count(ctx context.Context, cluster *api.Cluster, m *fleet.Member, r *fleet.Report) {
	key := controller.KeyOf(cluster)
	switch {
	case !cluster.Spec.CheckCapacity:
		c.uncount(key)
		return
	case r.NodesHidden != "":
		r.UsageHidden = r.NodesHidden
		return
	case !c.countIsDue(key):
		return
	}
	ctx, cancel := context.WithTimeout(ctx, countTime)
	defer cancel()
	installation, err := c.here.of(ctx, c.client)
	if err != nil {
		return // without the API nothing could be written down either
	}
	usage, err := m.Usage(ctx, r.Offering, installation)
	var refused *fleet.RefusedError
	switch {
	case err == nil:
		r.Usage = &usage
	case errors.As(err, &refused) && refused.Code == http.StatusForbidden:
		r.UsageHidden = refused.Message
	default:
		c.uncount(key)
		c.log.Warn("the pods of a cluster cannot be counted", "cluster", key, "error", err)
	}
}

// countIsDue says whether it is time to count, and notes that it is done.
func (c *Clusters) countIsDue(key controller.Key) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock()
	if last, ok := c.counted[key]; ok && now.Sub(last).Abs() < looksPerCount*c.interval {
		return false
	}
	c.counted[key] = now
	return true
}

// uncount has the pods counted with the next look.
func (c *Clusters) uncount(key controller.Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.counted, key)
}

// counted notes in a patch of the status what is new of the room on a cluster, and returns its conditions.
func counted(patch map[string]any, cluster *api.Cluster, r fleet.Report, now api.Time) api.Conditions {
	conditions := cluster.Status.Conditions
	used, others := cluster.Status.Used, cluster.Status.UsedByOthers
	known := api.Condition{Type: api.CapacityKnown, Status: api.True, Reason: "Counted", ObservedGeneration: cluster.Metadata.Generation}
	switch {
	case !cluster.Spec.CheckCapacity:
		used, others = nil, nil
		if conditions.Get(api.CapacityKnown).Reason != "" {
			conditions = conditions.Without(api.CapacityKnown)
		}
	case r.UsageHidden != "":
		used, others = nil, nil
		known.Status, known.Reason, known.Message = api.False, "Hidden", "How much room it has is not known: "+r.UsageHidden
		conditions = setIfNew(conditions, known, now)
	case r.Usage != nil:
		used, others = written(r.Usage.All), written(r.Usage.Others)
		conditions = setIfNew(conditions, known, now)
	}
	replace(patch, "used", cluster.Status.Used, used)
	replace(patch, "used_by_others", cluster.Status.UsedByOthers, others)
	return conditions
}

// written are amounts as they stand in the status: with a number of pods, which tells none from not known.
func written(a api.Amounts) map[string]string {
	out := capacity.Quantities(a)
	if out[api.Pods] == "" {
		out[api.Pods] = "0"
	}
	return out
}

func setIfNew(conditions api.Conditions, is api.Condition, now api.Time) api.Conditions {
	if is == timeless(conditions.Get(is.Type)) {
		return conditions
	}
	return conditions.With(is, now)
}
