package core

import (
	"cmp"
	"hash/fnv"
	"slices"

	"github.com/rak-n-rok/krake/api"
)

// listed is how many of the clusters that could be chosen are kept for the record, the best first.
const listed = 4

// field is what looking at all clusters of a namespace found.
type field struct {
	best     []*Cluster // the first few that can be chosen, in order of preference
	matching int        // how many can be chosen
	refused  map[Code]int64
	examples []example // of refusals, a few for each code
}

// example is a cluster that was refused.
type example struct {
	cluster *Cluster
	refusal Refusal
}

// examplesPerCode is how many clusters are named for each reason; the others are counted only.
const examplesPerCode = 2

// survey looks at all clusters of the application's namespace.
func survey(s *Snapshot, a *api.Application) field {
	f := field{refused: map[Code]int64{}}
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
		if f.refused[refusal.Code] <= examplesPerCode {
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
		return cmp.Or(better(x, y), cmp.Compare(weight(app, y.spread), weight(app, x.spread)), cmp.Compare(x.Name, y.Name))
	})
	if i < listed {
		f.best = slices.Insert(f.best, i, c)
		f.best = f.best[:min(len(f.best), listed)]
	}
}

// better compares clusters by their metrics: below zero if x is the better one.
func better(x, y *Cluster) int {
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
