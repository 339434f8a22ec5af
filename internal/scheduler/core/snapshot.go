package core

import (
	"fmt"
	"maps"
	"math"
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
	Draining        bool // applications are to leave it
	Cordoned        bool // no application is to come
	CustomResources []string
	// Metrics are weight × normalised value by the metric's name, as metric constraints compare them. A metric without
	// a known value is missing.
	Metrics map[string]float64
	// Measured says that the cluster has metrics whose values are all known; Score is their weighted mean then, and Weight
	// the sum of the weights.
	Measured bool
	Score    float64
	Weight   float64
	// Unread says why the metrics of the cluster cannot be read; empty when they can, or there are none.
	Unread string
	// Held says that some of the values are the last ones that could be read.
	Held bool
	// Note is what else is to be said of the metrics, a sentence.
	Note string
	// Room is what the cluster has for applications; nil where its capacity does not count.
	Room *Room

	spread uint64 // from the UID, see weight
}

// ClusterOf takes from a cluster what decisions depend on.
func ClusterOf(c *api.Cluster) Cluster {
	return Cluster{
		Namespace: c.Metadata.NamespaceOrEmpty(), Name: c.Metadata.Name, UID: c.Metadata.UID,
		Labels: c.Metadata.Labels, State: c.Status.State, Deleting: c.Metadata.Deleted != nil,
		Draining: c.Draining(), Cordoned: c.Cordoned(), CustomResources: c.Spec.CustomResources,
	}
}

// Measurement is the value of one metric of a cluster.
type Measurement struct {
	Name       string
	Weight     float64
	Normalised float64 // from 0 to 1, where it is in the range of the metric
	Merit      float64 // from 0 to 1, the more the better
	Held       bool    // it is the last value that could be read
}

// Measure notes the values of all metrics of a cluster. The score is the weighted mean of their merits, as in the
// reference. Weights that add up to nothing give none: the cluster counts as one without metrics then, and says so.
func (c *Cluster) Measure(values []Measurement) {
	if len(values) == 0 {
		return
	}
	c.Metrics = make(map[string]float64, len(values))
	sum, held := 0.0, []string{}
	for _, v := range values {
		c.Metrics[v.Name] = v.Weight * v.Normalised
		sum, c.Weight = sum+v.Weight*v.Merit, c.Weight+v.Weight
		if v.Held {
			held = append(held, v.Name)
		}
	}
	if c.Held = len(held) > 0; c.Held {
		c.Note = "cannot be read at the moment and counts as it was: " + strings.Join(held, ", ")
	}
	if c.Measured = c.Weight > tie; c.Measured {
		c.Score = math.Round(sum/c.Weight/tie) * tie
	} else {
		c.Note = fmt.Sprintf("the weights of its metrics add up to %g, so it counts as a cluster without metrics", c.Weight)
	}
}

// score is the cluster's own as the reference compares it: the place where an application is gets a metric more, whose
// value is 1 and whose weight is the stickiness.
func (c *Cluster) score(stickiness float64) float64 {
	if !c.Measured {
		return stickiness
	}
	return (c.Score*c.Weight + stickiness) / (c.Weight + stickiness)
}

// tie is how near two scores are that count as the same: they are sums of fractions.
const tie = 1e-9

// Snapshot is what is known of the clusters at one moment. It is immutable.
type Snapshot struct {
	namespaces map[string][]Cluster  // by name
	ranked     map[string][]*Cluster // those whose scores are known, the best first
	rooms      map[string][]*Cluster // those whose capacity counts

	// What is asked for, and what others have of the clusters whose capacity counts; see Asking.
	asks api.Requests
	ours map[string]api.Requests
	// What the application avoids, by the cluster's name; see Avoiding.
	avoided map[string]api.AvoidedCluster
}

// NewSnapshot returns the snapshot of these clusters, whatever their order.
func NewSnapshot(clusters []Cluster) *Snapshot {
	s := &Snapshot{namespaces: map[string][]Cluster{}, ranked: map[string][]*Cluster{}, rooms: map[string][]*Cluster{}}
	for _, c := range clusters {
		c.spread = hash(c.UID)
		s.namespaces[c.Namespace] = append(s.namespaces[c.Namespace], c)
	}
	for namespace, list := range s.namespaces {
		slices.SortFunc(list, func(a, b Cluster) int { return strings.Compare(a.Name, b.Name) })
		for i := range list {
			if list[i].Measured {
				s.ranked[namespace] = append(s.ranked[namespace], &list[i])
			}
			if list[i].Room != nil {
				s.rooms[namespace] = append(s.rooms[namespace], &list[i])
			}
		}
		slices.SortStableFunc(s.ranked[namespace], better)
	}
	return s
}

// Find returns the cluster that a reference names, nil when there is none.
func (s *Snapshot) Find(ref api.ResourceRef) *Cluster {
	return s.find(ref.NamespaceOrEmpty(), ref.Name)
}

func (s *Snapshot) find(namespace, name string) *Cluster {
	if s == nil {
		return nil
	}
	list := s.namespaces[namespace]
	i, found := slices.BinarySearchFunc(list, name, func(c Cluster, name string) int { return strings.Compare(c.Name, name) })
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
	Room    bool // nothing but the room has changed, which is for those that look for a place
}

// Compare says what a change of a cluster may mean; before is nil for a new one, after for one that is gone.
func Compare(before, after *api.Cluster) Change {
	if before == nil || after == nil {
		return Change{Any: true, Bound: true, Waiting: after != nil && choosable(ClusterOf(after))}
	}
	b, a := ClusterOf(before), ClusterOf(after)
	state := b.State != a.State
	rest := b.UID != a.UID || b.Deleting != a.Deleting || b.Draining != a.Draining || b.Cordoned != a.Cordoned || !maps.Equal(b.Labels, a.Labels) ||
		!slices.Equal(b.CustomResources, a.CustomResources) || !slices.Equal(before.Spec.Metrics, after.Spec.Metrics)
	room := roomChanged(before, after)
	return Change{Any: state || rest || room, Bound: rest, Waiting: (state || rest) && choosable(a), Room: room && choosable(a)}
}

// Concerned names the clusters whose applications may be placed otherwise because the values of metrics have changed:
// those whose own values have, and those that are not as good as one that has become better. All, if before is nil.
func Concerned(before, after *Snapshot) []api.ResourceRef {
	var out []api.ResourceRef
	for _, namespace := range slices.Sorted(maps.Keys(after.namespaces)) {
		clusters := after.namespaces[namespace]
		changed, best := map[string]bool{}, math.Inf(-1)
		for i := range clusters {
			c := &clusters[i]
			was := before.find(namespace, c.Name)
			if was != nil && !remeasured(was, c) {
				continue
			}
			changed[c.Name] = true
			if c.Measured && (was == nil || !was.Measured || was.Held || c.Score > was.Score) {
				best = max(best, c.Score)
			}
		}
		for i := range clusters {
			if c := &clusters[i]; changed[c.Name] || !math.IsInf(best, -1) && (!c.Measured || c.Score < best) {
				out = append(out, api.ClusterKind.Ref(namespace, c.Name))
			}
		}
	}
	return out
}

func remeasured(a, b *Cluster) bool {
	return a.Measured != b.Measured || a.Score != b.Score || a.Held != b.Held || a.Unread != b.Unread || !maps.Equal(a.Metrics, b.Metrics)
}

// Measured says whether there are clusters in a namespace whose scores are known.
func (s *Snapshot) Measured(namespace string) bool { return len(s.ranked[namespace]) > 0 }

func choosable(c Cluster) bool { return c.State == api.ClusterOnline && !c.Deleting && !c.Cordoned }
