package core

import (
	"cmp"
	"hash/fnv"
	"math"
	"slices"

	"github.com/rak-n-rok/krake/api"
)

// extent is how much of a decision is told.
type extent struct {
	best     int // how many of the clusters that could be chosen, the best first
	examples int // how many of those that were refused for the same reason; the others are counted only
	listed   int // how many of all of them
	terms    int // how many metrics of a cluster
	told     int // of how many clusters the metrics are told: the chosen one, the current one, and those that follow
	reason   int // bytes of a reason
	refusal  int // bytes of a refusal
}

// recorded is what finds room in a record; whole is everything.
var (
	recorded = extent{best: 4, examples: 2, listed: maxListed, terms: 6, told: 3, reason: maxReason, refusal: maxRefusal}
	whole    = extent{math.MaxInt, math.MaxInt, math.MaxInt, math.MaxInt, math.MaxInt, math.MaxInt, math.MaxInt}
)

// field is what looking at all clusters of a namespace found.
type field struct {
	best     []*Cluster // the first few that can be chosen, in order of preference
	matching int        // how many can be chosen
	refused  map[Code]int64
	examples []example // of refusals, a few for each code
	extent   extent
}

// example is a cluster that was refused.
type example struct {
	cluster *Cluster
	refusal Refusal
}

// survey looks at all clusters of the application's namespace.
func survey(s *Snapshot, a *api.Application, x extent) field {
	f := field{refused: map[Code]int64{}, extent: x}
	app := hash(a.Metadata.UID)
	clusters := s.namespaces[a.Metadata.NamespaceOrEmpty()]
	for i := range clusters {
		c := &clusters[i]
		refusal := s.refusal(c, a)
		if refusal.Code == "" {
			f.matching++
			f.rank(c, app)
			continue
		}
		f.refused[refusal.Code]++
		if f.refused[refusal.Code] <= int64(x.examples) {
			f.examples = append(f.examples, example{c, refusal})
		}
	}
	return f
}

// rank puts a cluster where it belongs among the best, if it does. One with metrics comes before one without, one with a
// higher score before one with a lower. Those that are equally good are spread by their weight: evenly, always in the same
// way, and so that a cluster that comes or goes changes the choice only of the applications that it concerns.
func (f *field) rank(c *Cluster, app uint64) {
	i, _ := slices.BinarySearchFunc(f.best, c, func(x, y *Cluster) int {
		return preference(app, x, y)
	})
	if i < f.extent.best {
		f.best = slices.Insert(f.best, i, c)
		f.best = f.best[:min(len(f.best), f.extent.best)]
	}
}

// preference compares clusters that could be chosen for an application: below zero if x comes first.
func preference(app uint64, x, y *Cluster) int {
	return cmp.Or(better(x, y), cmp.Compare(weight(app, y.spread), weight(app, x.spread)), cmp.Compare(x.Name, y.Name))
}

// better compares clusters by their metrics: below zero if x is the better one.
func better(x, y *Cluster) int { return x.compare(&y.Readings) }

// compare says which of two places is the better one: below zero if it is x.
func (x *Readings) compare(y *Readings) int {
	switch {
	case x.Measured != y.Measured && x.Measured:
		return -1
	case x.Measured != y.Measured:
		return 1
	default:
		return cmp.Compare(y.Score, x.Score)
	}
}

// weight is the rendezvous hash of an application and a cluster: for each application another order of the clusters.
// The constants are those of the finalizer of splitmix64, which makes every input bit change half of the output.
func weight(app, cluster uint64) uint64 {
	x := app ^ cluster*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func hash(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}
