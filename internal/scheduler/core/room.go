package core

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rak-n-rok/krake/api"
)

// Room is what a cluster has for applications, if its capacity counts.
type Room struct {
	// Known says whether it could be found out.
	Known bool
	// Offered is what the nodes offer.
	Offered api.Amounts
	// Others is what pods ask for that no application of this Krake has made.
	Others api.Amounts
	// Seen is what the pods of applications asked for when they were counted last.
	Seen api.Amounts
	// Nodes is on how many nodes a DaemonSet has a pod.
	Nodes int64
	// Shared are all records that lead to the same cluster, this one included: the applications of all of them share it.
	Shared []api.ResourceRef
}

// Free is what is left when applications ask for ours by their manifests. What they have counts from the decision on,
// before there is a pod of it. If their pods were seen to ask for more, as when something else than the manifest has
// scaled them, or pods of one that has left are still ending, that counts.
func (r *Room) Free(ours api.Requests) api.Amounts {
	return r.Offered.Minus(r.Others).Minus(ours.On(r.Nodes).Max(r.Seen))
}

// refuses says of which resource there is too little for what is asked; the zero value of none.
func (r *Room) refuses(asks, ours api.Requests) Refusal {
	wanted := asks.On(r.Nodes)
	if !r.Known && len(wanted) > 0 {
		return Refusal{Code: NoRoom}
	}
	free := r.Free(ours)
	for _, a := range wanted {
		if left := free.Of(a.Resource); a.Value > left {
			have := api.Amount{Resource: a.Resource, Value: max(left, 0)}
			all := api.Amount{Resource: a.Resource, Value: r.Offered.Of(a.Resource)}
			return Refusal{Code: NoRoom, Demand: a.String(), Have: fmt.Sprintf("%s of %s", have.Quantity(), all.Quantity())}
		}
	}
	return Refusal{}
}

// Fits says whether an application that asks for so much has room beside those that ask for ours.
func (r *Room) Fits(asks, ours api.Requests) bool { return r.refuses(asks, ours).Code == "" }

// Asking is the snapshot for one application: what it asks for, and what other applications have of each cluster whose
// capacity counts, by the cluster's name. Only with it decisions look at capacity.
func (s *Snapshot) Asking(asks api.Requests, ours map[string]api.Requests) *Snapshot {
	out := *s
	out.asks, out.ours = asks, ours
	return &out
}

// Rooms are the clusters of a namespace whose capacity counts.
func (s *Snapshot) Rooms(namespace string) []*Cluster { return s.rooms[namespace] }

// refusal says why an application cannot be put on a cluster.
func (s *Snapshot) refusal(c *Cluster, a *api.Application) Refusal {
	if r := check(c, a, false); r.Code != "" {
		return r
	}
	if r := s.avoids(c); r.Code != "" || c.Room == nil || s.ours == nil {
		return r
	}
	return c.Room.refuses(s.asks, s.ours[c.Name])
}

// Accepts says whether an application could be put on a cluster as it is now, which may be otherwise than in the snapshot.
func (s *Snapshot) Accepts(c *Cluster, a *api.Application) bool { return s.refusal(c, a).Code == "" }

// roomChanged says whether a cluster may have room for more or for less than before.
func roomChanged(before, after *api.Cluster) bool {
	b, a := &before.Status, &after.Status
	if !before.Spec.CheckCapacity && !after.Spec.CheckCapacity {
		return false
	}
	return before.Spec.CheckCapacity != after.Spec.CheckCapacity || !maps.Equal(b.Allocatable, a.Allocatable) ||
		!maps.Equal(b.Used, a.Used) || !maps.Equal(b.UsedByOthers, a.UsedByOthers) || b.Identity != a.Identity ||
		!slices.EqualFunc(b.Nodes, a.Nodes, func(x, y api.ClusterNode) bool { return x.Metadata == y.Metadata })
}
