package core

import (
	"maps"
	"slices"
	"strings"

	"github.com/rak-n-rok/krake/api"
)

// Cluster is what a decision depends on of a cluster.
type Cluster struct {
	Namespace       string
	Name            string
	UID             string
	Labels          map[string]string
	State           api.ClusterState
	Deleting        bool
	CustomResources []string
	// Metrics are weight × normalised value by the metric's name, as metric constraints compare them. A metric without
	// a known value is missing.
	Metrics map[string]float64

	spread uint64 // from the UID, see weight
}

// ClusterOf takes from a cluster what decisions depend on.
func ClusterOf(c *api.Cluster) Cluster {
	return Cluster{
		Namespace: c.Metadata.NamespaceOrEmpty(), Name: c.Metadata.Name, UID: c.Metadata.UID,
		Labels: c.Metadata.Labels, State: c.Status.State, Deleting: c.Metadata.Deleted != nil,
		CustomResources: c.Spec.CustomResources,
	}
}

// Snapshot is what is known of the clusters at one moment. It is immutable.
type Snapshot struct {
	namespaces map[string][]Cluster // by name
}

// NewSnapshot returns the snapshot of these clusters, whatever their order.
func NewSnapshot(clusters []Cluster) *Snapshot {
	s := &Snapshot{namespaces: map[string][]Cluster{}}
	for _, c := range clusters {
		c.spread = hash(c.UID)
		s.namespaces[c.Namespace] = append(s.namespaces[c.Namespace], c)
	}
	for _, list := range s.namespaces {
		slices.SortFunc(list, func(a, b Cluster) int { return strings.Compare(a.Name, b.Name) })
	}
	return s
}

// Find returns the cluster that a reference names, nil when there is none.
func (s *Snapshot) Find(ref api.ResourceRef) *Cluster {
	list := s.namespaces[ref.NamespaceOrEmpty()]
	i, found := slices.BinarySearchFunc(list, ref.Name, func(c Cluster, name string) int { return strings.Compare(c.Name, name) })
	if !found {
		return nil
	}
	return &list[i]
}

// Change says what a change of a cluster may mean for decisions.
type Change struct {
	Any     bool // something that decisions depend on
	Bound   bool // those that are bound to the cluster may have to leave it, or may stay again
	Waiting bool // those that look for a place may find one there
}

// Compare says what a change of a cluster may mean; before is nil for a new one, after for one that is gone.
func Compare(before, after *api.Cluster) Change {
	if before == nil || after == nil {
		return Change{Any: true, Bound: true, Waiting: after != nil && choosable(ClusterOf(after))}
	}
	b, a := ClusterOf(before), ClusterOf(after)
	state := b.State != a.State
	rest := b.UID != a.UID || b.Deleting != a.Deleting || !maps.Equal(b.Labels, a.Labels) ||
		!slices.Equal(b.CustomResources, a.CustomResources)
	return Change{Any: state || rest, Bound: rest, Waiting: (state || rest) && choosable(a)}
}

func choosable(c Cluster) bool { return c.State == api.ClusterOnline && !c.Deleting }
