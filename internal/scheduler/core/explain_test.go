package core

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/constraint"
)

// drawScaled draws clusters with metrics, some of which several of them have.
func drawScaled(t *rapid.T) []Cluster {
	shared := map[string]float64{}
	clusters := make([]Cluster, rapid.IntRange(1, 6).Draw(t, "clusters"))
	for i := range clusters {
		clusters[i] = on(nameOf(i), named(places.Draw(t, "location")))
		var all []Measurement
		for _, m := range rapid.SliceOfNDistinct(rapid.IntRange(0, 3), 0, 2, rapid.ID[int]).Draw(t, "metrics") {
			name := fmt.Sprint("m", m)
			if m == 3 {
				name += nameOf(i) // of this cluster alone
			}
			if _, known := shared[name]; !known {
				shared[name] = float64(rapid.IntRange(0, 1000).Draw(t, name)) / 100
			}
			all = append(all, ranged(name, float64(rapid.IntRange(1, 4).Draw(t, "weight"))/2, shared[name], 0, 10))
		}
		clusters[i].Measure(all)
	}
	return clusters
}

func drawExplained(t *rapid.T, clusters int) *api.Application {
	a := application()
	a.Metadata.UID = rapid.StringMatching("[0-9a-f]{8}").Draw(t, "uid")
	if n := rapid.IntRange(-1, clusters-1).Draw(t, "bound"); n >= 0 {
		bound(nameOf(n))(a)
	}
	if rapid.Bool().Draw(t, "demands") {
		l, err := constraint.ParseLabel(demands.Draw(t, "demand"))
		if err != nil {
			t.Fatal(err)
		}
		a.Spec.Constraints.Cluster.Labels = append(a.Spec.Constraints.Cluster.Labels, l)
	}
	return a
}

// What an explanation says would lead to a cluster leads there.
func TestAChangeLeadsWhereItSays(t *testing.T) {
	led := 0
	rapid.Check(t, func(t *rapid.T) {
		clusters := drawScaled(t)
		a := drawExplained(t, len(clusters))
		look := Look{Rules: DefaultRules, Now: noon}
		d, changes := Explain(NewSnapshot(clusters), a, look, "")
		for _, c := range changes {
			i := slices.IndexFunc(d.Candidates, func(r api.CandidateRecord) bool { return r.Name == c.Cluster })
			if len(c.Metrics) == 0 || d.Candidates[i].Refusal != "" || strings.Contains(c.Sentence, " but ") {
				continue
			}
			led++
			var next []Cluster
			for _, was := range clusters {
				is, _ := was.revalued(c.Metrics)
				next = append(next, *is)
			}
			s := NewSnapshot(next)
			goal := Decide(s, a, noon).Chosen
			if Stays(s, a) {
				if v := Weigh(s, a, look); v.There != nil {
					goal = v.There.Name
				}
			}
			if goal != c.Cluster {
				t.Fatalf("%q, but it goes to %s", c.Sentence, goal)
			}
		}
	})
	if led == 0 {
		t.Error("no change was tried")
	}
}

func TestAnExplanationIsTheDecisionWithEveryClusterOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clusters, a := drawWorld(t)
		s := NewSnapshot(clusters)
		want := Decide(s, a, noon)
		look := Look{Rules: DefaultRules, Now: noon}
		if Stays(s, a) {
			want = Weigh(s, a, look).Record(s, a, noon)
		}
		got, changes := Explain(s, a, look, "")
		if got.Outcome != want.Outcome || got.Chosen != want.Chosen || got.Code != want.Code || got.RunnerUp != want.RunnerUp || got.Margin != want.Margin {
			t.Fatalf("the explanation is %+v, the decision %+v", got, want)
		}
		for _, c := range clusters {
			n := 0
			for _, candidate := range got.Candidates {
				if candidate.Name == c.Name {
					n++
				}
			}
			if n != 1 && c.Namespace == testing1 {
				t.Fatalf("%s is listed %d times", c.Name, n)
			}
		}
		for _, c := range changes {
			if c.Sentence == "" || !strings.HasSuffix(c.Sentence, ".") || c.Metrics == nil {
				t.Fatalf("no sentence: %+v", c)
			}
		}
	})
}

func TestChangesThatAreNotJustOne(t *testing.T) {
	lower := func(c *Cluster) { // of a price, 2 is better than 8
		m := ranged("price-"+c.Name, 1, 8, 0, 10)
		of := m.Scale.Of
		m.Scale.Of = func(raw float64) (float64, float64, bool) { n, _, ok := of(raw); return n, 1 - n, ok }
		m, _ = m.at(8)
		c.Measure([]Measurement{m})
	}
	stepped := func(c *Cluster) {
		m := ranged("heat-"+c.Name, 1, 1, 0, 10)
		m.Scale.Allowed = []float64{1, 5, 6, 10}
		c.Measure([]Measurement{m})
	}
	light := func(c *Cluster) {
		c.Measure([]Measurement{ranged("heavy", 9, 0, 0, 10), ranged("light", 1, 0, 0, 10)})
	}
	none := func(c *Cluster) {
		m := ranged("heat-"+c.Name, 1, 1, 0, 10)
		m.Scale = nil
		c.Measure([]Measurement{m})
	}
	for name, test := range map[string]struct {
		clusters []Cluster
		app      *api.Application
		cluster  string
		want     string
	}{
		"low values are the good ones": {[]Cluster{on("a", heat(5)), on("b", lower)}, application(), "b",
			"It would go to b if the metric price-b fell from 8 to 5."},
		"only allowed values are named": {[]Cluster{on("a", heat(5)), on("b", stepped)}, application(), "b",
			"It would go to b if the metric heat-b rose from 1 to 5."},
		"the nearest allowed value": {[]Cluster{on("a", heat(5.5)), on("b", stepped)}, application(bound("a")), "b",
			"It would move to b, once that had paid for the move, if the metric heat-b rose from 1 to 6."},
		"a weight that is too small": {[]Cluster{on("a", none), on("b", light)}, application(), "b",
			"It would go to b if the metric heavy rose from 0 to 1.2."},
		"what its values could be is not known": {[]Cluster{on("a", heat(5)), on("b", none)}, application(bound("a")), "b",
			"It would move to b, once that had paid for the move, if the metric heat-a fell from 5 to 0.099."},
		"equally good without metrics": {[]Cluster{on("a"), on("b")}, application(), "",
			"is as good and is this application's share of them."},
		"equally good, and it is on one": {[]Cluster{on("a"), on("b")}, application(bound("a")), "b",
			"b could be chosen, but without metrics it is no reason to leave a."},
		"constraints that contradict each other": {[]Cluster{on("a", named("DE"))}, application(demanding(t, "location is DE", "location is IT")), "a",
			`a cannot be chosen: "location is IT" does not hold, the label is DE.`},
		"several values would do": {[]Cluster{on("a", named("FR"))}, application(demanding(t, "location in (DE, IT)", "location is not IT")), "a",
			"It would go to a if its label location were DE."},
		"any value but one": {[]Cluster{on("a")}, application(demanding(t, "location is not DE")), "a",
			"It would go to a if it had a label location that is not DE."},
		"many things at once": {[]Cluster{on("a", in(api.ClusterOffline), cordoned)}, application(demanding(t, "location is DE"), asking("x.y")), "a",
			"It would go to a if it took new applications again and it came ONLINE and its label location were DE and it listed the custom resource x.y."},
		"a limit out of the range": {[]Cluster{on("a", heat(5))}, application(limitedTo(t, "heat-a > 3")), "a",
			`a cannot be chosen: "heat-a > 3" does not hold, the weighted value is 0.5.`},
	} {
		t.Run(name, func(t *testing.T) {
			_, changes := Explain(NewSnapshot(test.clusters), test.app, Look{Rules: DefaultRules, Now: noon}, "")
			if !slices.ContainsFunc(changes, func(c api.PlacementChange) bool {
				return (test.cluster == "" || c.Cluster == test.cluster) && strings.HasSuffix(c.Sentence, test.want)
			}) {
				t.Errorf("want %q, got %+v", test.want, changes)
			}
		})
	}
}

func TestOfManyClustersTheFirstAreToldOfAndTheOneThatIsAskedAbout(t *testing.T) {
	var clusters []Cluster
	for i := range 2 * mostProspects {
		clusters = append(clusters, on(nameOf(i), func(c *Cluster) {
			c.Measure([]Measurement{ranged("everywhere", 1, 5, 0, 10), ranged("own-"+c.Name, 1, 9-float64(i)/10, 0, 10)})
		}))
	}
	last := nameOf(2*mostProspects - 1)
	for _, about := range []string{"", last} {
		d, changes := Explain(NewSnapshot(clusters), application(), Look{Rules: DefaultRules, Now: noon}, about)
		told := slices.IndexFunc(changes, func(c api.PlacementChange) bool { return c.Cluster == last })
		if d.Chosen != nameOf(0) || len(d.Candidates) != len(clusters) || (told >= 0) != (about == last) || len(changes) < mostProspects {
			t.Errorf("asked about %q: %d candidates, %+v", about, len(d.Candidates), changes)
		}
		if about == last && !strings.Contains(changes[told].Sentence, "own-"+last+" rose from 5.1 to 9") {
			t.Errorf("%q", changes[told].Sentence)
		}
	}
}

func TestTheFullestRecordFits(t *testing.T) {
	long := strings.Repeat("n", 250)
	var all []Measurement
	for i := range 40 {
		m := ranged(fmt.Sprint(long, i), 1.0/3, 10.0/7, -1e300, 1e300)
		m.Raw, m.Normalised, m.Merit, m.Weight, m.Held = -1.2345678901234567e-300, 1.0/3, 2.0/3, float64(i)/3, true
		all = append(all, m)
	}
	var clusters []Cluster
	for i := range 30 {
		c := on(fmt.Sprint(long, i), func(c *Cluster) { c.Measure(all) })
		if i%2 == 0 {
			c.Labels = labels{"location": long}
		}
		clusters = append(clusters, c)
	}
	var p api.Placement
	for i := range 12 {
		a := application(demanding(t, "location is "+long[:60]))
		if i%2 == 0 {
			a = application()
		}
		p = Remember(p, Decide(NewSnapshot(clusters), a, noon.Add(time.Duration(i)*time.Second)))
	}
	if size(p) > MaxRecord || len(p.Decisions) == 0 {
		t.Fatalf("%d decisions in %d bytes", len(p.Decisions), size(p))
	}
	p = Remember(api.Placement{}, Decide(NewSnapshot(clusters), application(), noon))
	d := p.Decisions[0]
	if got := d.Candidates; len(got[0].Terms) != recorded.terms || got[0].Terms[0].Weight != 13 || len(got[recorded.told].Terms) != 0 {
		t.Errorf("the terms of the candidates are %+v", got)
	}
	if d.RunnerUp != d.Candidates[1].Name || size(p) > MaxRecord {
		t.Errorf("the runner-up is %s, %d bytes", d.RunnerUp, size(p))
	}
}
