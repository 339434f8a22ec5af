package core

import (
	"maps"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
)

// amounts are of CPU in thousandths and of pods.
func amounts(cpu, pods int64) api.Amounts {
	return api.AmountsOf(map[string]int64{"cpu": cpu, "pods": pods})
}

func roomy(r Room) func(*Cluster) {
	return func(c *Cluster) {
		r.Known, r.Shared = true, []api.ResourceRef{api.ClusterKind.Ref(c.Namespace, c.Name)}
		c.Room = &r
	}
}

func TestAClusterTakesWhatItHasRoomFor(t *testing.T) {
	asks := api.Requests{Total: amounts(1500, 2)}
	everywhere := api.Requests{PerNode: amounts(500, 1)}
	gpu := api.Requests{Total: api.AmountsOf(map[string]int64{"example.com/gpu": 1, "pods": 1})}
	for name, test := range map[string]struct {
		room Room
		asks api.Requests
		ours api.Requests
		want string // the refusal, empty for none
	}{
		"an empty cluster":           {Room{Offered: amounts(1500, 2)}, asks, api.Requests{}, ""},
		"one that is too small":      {Room{Offered: amounts(1499, 2)}, asks, api.Requests{}, "it asks for 1.5 cpu, and the cluster has 1.499 of 1.499 left"},
		"too few pods":               {Room{Offered: amounts(9000, 1)}, asks, api.Requests{}, "it asks for 2 pods, and the cluster has 1 of 1 left"},
		"what others use":            {Room{Offered: amounts(4000, 9), Others: amounts(3000, 1)}, asks, api.Requests{}, "it asks for 1.5 cpu, and the cluster has 1 of 4 left"},
		"what is ours":               {Room{Offered: amounts(4000, 9)}, asks, api.Requests{Total: amounts(3000, 1)}, "it asks for 1.5 cpu, and the cluster has 1 of 4 left"},
		"ours and others":            {Room{Offered: amounts(4000, 9), Others: amounts(1500, 1)}, asks, api.Requests{Total: amounts(1500, 1)}, "it asks for 1.5 cpu, and the cluster has 1 of 4 left"},
		"ours are not counted twice": {Room{Offered: amounts(4000, 9), Seen: amounts(2500, 1)}, asks, api.Requests{Total: amounts(2500, 1)}, ""},
		"pods that are seen count if they ask for more": {Room{Offered: amounts(4000, 9), Seen: amounts(3000, 2)}, asks, api.Requests{Total: amounts(1000, 1)},
			"it asks for 1.5 cpu, and the cluster has 1 of 4 left"},
		"more than full":                  {Room{Offered: amounts(1000, 9), Others: amounts(5000, 1)}, asks, api.Requests{}, "it asks for 1.5 cpu, and the cluster has 0 of 1 left"},
		"nothing asked of a full one":     {Room{Offered: amounts(1000, 1), Others: amounts(5000, 1)}, api.Requests{}, api.Requests{}, ""},
		"a pod for each node":             {Room{Offered: amounts(1000, 9), Nodes: 2}, everywhere, api.Requests{}, ""},
		"a pod for each of many nodes":    {Room{Offered: amounts(1000, 9), Nodes: 3}, everywhere, api.Requests{}, "it asks for 1.5 cpu, and the cluster has 1 of 1 left"},
		"ours on each node":               {Room{Offered: amounts(2500, 9), Nodes: 3}, asks, everywhere, "it asks for 1.5 cpu, and the cluster has 1 of 2.5 left"},
		"a device that the cluster lacks": {Room{Offered: amounts(9000, 9)}, gpu, api.Requests{}, "it asks for 1 example.com/gpu, and the cluster has 0 of 0 left"},
	} {
		t.Run(name, func(t *testing.T) {
			s := NewSnapshot([]Cluster{on("a", roomy(test.room))}).Asking(test.asks, map[string]api.Requests{"a": test.ours})
			d := Decide(s, application(), noon)
			if test.want == "" {
				if d.Outcome != Placed {
					t.Errorf("%+v", d)
				}
				return
			}
			if d.Outcome != Refused || d.Refused["no-room"] != 1 || d.Candidates[0].Refusal != "no-room: "+test.want ||
				!strings.HasSuffix(d.Reason, ": 1 without room") {
				t.Errorf("%+v", d)
			}
		})
	}
}

func TestRoomThatIsNotKnownIsNone(t *testing.T) {
	unknown := on("a", func(c *Cluster) { c.Room = &Room{} })
	d := Decide(NewSnapshot([]Cluster{unknown}).Asking(api.Requests{Total: amounts(0, 1)}, map[string]api.Requests{}), application(), noon)
	if want := "no-room: it is not known how much room the cluster has"; d.Outcome != Refused || d.Candidates[0].Refusal != want {
		t.Errorf("%+v", d)
	}
	d = Decide(NewSnapshot([]Cluster{unknown}).Asking(api.Requests{}, map[string]api.Requests{}), application(), noon)
	if d.Outcome != Placed {
		t.Errorf("what asks for nothing is refused: %+v", d)
	}
}

func TestMissingRoomMovesNobodyAway(t *testing.T) {
	full := on("here", roomy(Room{Offered: amounts(1, 1), Others: amounts(9, 9)}))
	s := NewSnapshot([]Cluster{full, on("there")}).Asking(api.Requests{Total: amounts(5, 5)}, map[string]api.Requests{})
	if d := Decide(s, application(bound("here")), noon); d.Outcome != Kept || d.Code != Matches {
		t.Errorf("%+v", d)
	}
}

func TestAMoveNeedsRoom(t *testing.T) {
	better := func(cpu int64) []Cluster {
		return []Cluster{on("here", values(1, 0.1)), on("there", values(1, 0.9), roomy(Room{Offered: amounts(cpu, 9)}))}
	}
	forced := application(bound("here"), demanding(t, "location is IT"))
	for name, test := range map[string]struct {
		cpu   int64
		moves bool
	}{"there is room": {1000, true}, "there is none": {999, false}} {
		t.Run(name, func(t *testing.T) {
			asking := func(clusters []Cluster) *Snapshot {
				return NewSnapshot(clusters).Asking(api.Requests{Total: amounts(1000, 1)}, map[string]api.Requests{})
			}
			v := Weigh(asking(better(test.cpu)), application(bound("here")), Look{Now: noon})
			if (v.Outcome == Moved) != test.moves {
				t.Errorf("to a better place: %+v", v)
			}
			clusters := better(test.cpu)
			clusters[1].Labels = labels{"location": "IT"}
			d := Decide(asking(clusters), forced, noon)
			if (d.Outcome == Moved) != test.moves {
				t.Errorf("away from one that does not match: %+v", d)
			}
		})
	}
}

func TestAChangeOfRoomIsNewsForThoseThatWait(t *testing.T) {
	cluster := func(edit func(*api.Cluster)) *api.Cluster {
		c := api.New[api.Cluster]()
		c.Metadata.Name, c.Status.State, c.Spec.CheckCapacity = "a", api.ClusterOnline, true
		c.Status.Allocatable, c.Status.Used = map[string]string{"cpu": "4"}, map[string]string{"cpu": "2"}
		edit(c)
		return c
	}
	before := cluster(func(*api.Cluster) {})
	for name, test := range map[string]struct {
		edit func(*api.Cluster)
		want Change
	}{
		"nothing":           {func(*api.Cluster) {}, Change{}},
		"it offers more":    {func(c *api.Cluster) { c.Status.Allocatable = map[string]string{"cpu": "5"} }, Change{Any: true, Room: true}},
		"less is used":      {func(c *api.Cluster) { c.Status.Used = map[string]string{"cpu": "1"} }, Change{Any: true, Room: true}},
		"others use it":     {func(c *api.Cluster) { c.Status.UsedByOthers = map[string]string{"cpu": "1"} }, Change{Any: true, Room: true}},
		"another node":      {func(c *api.Cluster) { c.Status.Nodes = make([]api.ClusterNode, 1) }, Change{Any: true, Room: true}},
		"it does not count": {func(c *api.Cluster) { c.Spec.CheckCapacity = false }, Change{Any: true, Room: true}},
		"it is cordoned":    {func(c *api.Cluster) { c.Spec.Unschedulable, c.Status.Used = true, nil }, Change{Any: true, Bound: true}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Compare(before, cluster(test.edit)); got != test.want {
				t.Errorf("%+v", got)
			}
		})
	}
	free := cluster(func(c *api.Cluster) { c.Spec.CheckCapacity = false })
	more := cluster(func(c *api.Cluster) { c.Spec.CheckCapacity, c.Status.Allocatable = false, nil })
	if got := Compare(free, more); got.Any {
		t.Errorf("the capacity of a cluster is news although it does not count: %+v", got)
	}
}

// Whatever they ask for and in whichever order they come, applications never get more of a cluster than it has.
func TestNoClusterTakesMoreThanItHas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clusters := make([]Cluster, rapid.IntRange(1, 4).Draw(t, "clusters"))
		for i := range clusters {
			clusters[i] = on(nameOf(i), roomy(Room{
				Offered: amounts(int64(rapid.IntRange(0, 20).Draw(t, "cpu")), int64(rapid.IntRange(0, 9).Draw(t, "pods"))),
				Others:  amounts(int64(rapid.IntRange(0, 5).Draw(t, "of others")), 0),
				Nodes:   int64(rapid.IntRange(0, 3).Draw(t, "nodes")),
			}))
			if rapid.Bool().Draw(t, "measured") {
				values(1, rapid.SampledFrom([]float64{0.1, 0.5, 0.9}).Draw(t, "value"))(&clusters[i])
			}
		}
		s, ours := NewSnapshot(clusters), map[string]api.Requests{}
		apps := make([]api.Requests, rapid.IntRange(1, 30).Draw(t, "applications"))
		for i := range apps {
			apps[i] = api.Requests{Total: amounts(int64(rapid.IntRange(0, 4).Draw(t, "asks")), 1), PerNode: amounts(int64(rapid.IntRange(0, 1).Draw(t, "per node")), 0)}
		}
		rand.New(rand.NewSource(rapid.Int64().Draw(t, "order"))).Shuffle(len(apps), func(i, j int) { apps[i], apps[j] = apps[j], apps[i] })
		for i, asks := range apps {
			a := application()
			a.Metadata.UID = nameOf(i)
			d := Decide(s.Asking(asks, ours), a, noon)
			if d.Outcome == Placed {
				ours = maps.Clone(ours)
				ours[d.Chosen] = ours[d.Chosen].Plus(asks)
				continue
			}
			// Who is refused would have fitted nowhere.
			for _, c := range clusters {
				wanted, free := asks.On(c.Room.Nodes), c.Room.Free(ours[c.Name])
				if !slices.ContainsFunc(wanted, func(w api.Amount) bool { return w.Value > free.Of(w.Resource) }) {
					t.Fatalf("%s had room for %v: %v", c.Name, wanted, free)
				}
			}
		}
		for _, c := range clusters {
			for _, left := range c.Room.Free(ours[c.Name]) {
				taken := ours[c.Name].On(c.Room.Nodes).Of(left.Resource)
				if left.Value < 0 && taken > 0 {
					t.Fatalf("%s has %d of %s left, after %d were given away", c.Name, left.Value, left.Resource, taken)
				}
			}
		}
	})
}
