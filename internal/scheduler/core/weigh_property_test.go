package core

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
)

// drawMeasured draws the clusters and an application that may stay on one of them.
func drawMeasured(t *rapid.T) ([]Cluster, *api.Application, Rules) {
	clusters, a := drawWorld(t)
	for i := range clusters {
		c := &clusters[i]
		switch rapid.IntRange(0, 5).Draw(t, "metrics") {
		case 0:
		case 1:
			c.Unread = "no answer"
		default:
			c.Measure(drawValues(t))
		}
	}
	here := on("here")
	here.Measure(drawValues(t))
	clusters = append(clusters, here)
	since("here", time.Duration(rapid.IntRange(0, 120).Draw(t, "ago"))*time.Second)(a)
	a.Metadata.Owners = a.Metadata.Owners[len(a.Metadata.Owners)-1:]
	a.Spec.Constraints.Cluster.Labels = nil
	rules := rapid.SampledFrom([]Rules{DefaultRules, free, {Margin: 0.1}}).Draw(t, "rules")
	return clusters, a, rules
}

func drawValues(t *rapid.T) []Measurement {
	var out []Measurement
	for _, name := range []string{"load", "co2"}[:rapid.IntRange(1, 2).Draw(t, "how many")] {
		v := float64(rapid.IntRange(0, 8).Draw(t, "value")) / 8
		out = append(out, Measurement{Name: name, Weight: float64(rapid.IntRange(0, 8).Draw(t, "weight")), Normalised: v, Merit: v,
			Held: rapid.IntRange(0, 7).Draw(t, "held") == 0})
	}
	return out
}

func drawLook(t *rapid.T, r Rules) Look {
	return Look{Rules: r, Now: noon, Elapsed: time.Duration(rapid.IntRange(0, 60).Draw(t, "elapsed")) * time.Second,
		Memory: Memory{Place: "here", Regret: rapid.Float64Range(0, 3).Draw(t, "regret"), Advantage: rapid.Float64Range(-1, 0.1).Draw(t, "advantage")}}
}

// staying is a snapshot in which the application may stay where it is. What must leave is not weighed, so rapid draws again.
func staying(t *rapid.T, clusters []Cluster, a *api.Application) *Snapshot {
	s := NewSnapshot(clusters)
	if !Stays(s, a) {
		t.Skip("it must leave")
	}
	return s
}

// A move for a better place never goes where the application must not be, never to what is not measured to be better, and
// never happens when it may not be moved, or cannot be seen.
func TestAMoveForABetterPlaceHoldsWhatItPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clusters, a, rules := drawMeasured(t)
		s := staying(t, clusters, a)
		look := drawLook(t, rules)
		before, _ := json.Marshal(a)
		v := Weigh(s, a, look)
		if after, _ := json.Marshal(a); string(after) != string(before) {
			t.Fatal("the decision changed the application")
		}
		if v.Memory.Regret < 0 || v.Again < 0 || v.Reason == "" {
			t.Fatalf("%+v", v)
		}
		if v.Outcome == Kept {
			return
		}
		if v.There.Name == "here" || !admits(*v.There, a) || v.There.Held || v.There.Unread != "" || v.Here.Held ||
			v.Here.Measured && v.There.Score <= v.Here.Score {
			t.Fatalf("%s to %+v: %+v", v.Outcome, v.There, v)
		}
		if !a.Spec.Constraints.Migration || moving(a) {
			t.Fatalf("it may not be moved: %+v", v)
		}
		if v.Outcome == Moved && (a.Status.MigrationTimeout > noon.Unix() || v.Memory.Regret < rules.price()-1e-6 ||
			noon.Sub(a.Status.Scheduled.Time()) < rules.RescheduleAfter) {
			t.Fatalf("a guard was not asked: %+v", v)
		}
	})
}

// What is decided does not depend on the order of the clusters, nor on a factor that all weights and the stickiness have.
func TestOrderAndScaleDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clusters, a, rules := drawMeasured(t)
		s := staying(t, clusters, a)
		look := drawLook(t, rules)
		one := Weigh(s, a, look)
		same := func(other Verdict, why string) {
			if one.Outcome != other.Outcome || one.Code != other.Code || one.Again != other.Again || one.Outcome != Kept && one.There.Name != other.There.Name {
				t.Fatalf("%s: %+v, then %+v", why, one, other)
			}
		}
		same(Weigh(NewSnapshot(rapid.Permutation(clusters).Draw(t, "order")), a, look), "another order")
		factor := rapid.SampledFrom([]float64{0.25, 2, 16}).Draw(t, "factor")
		scaled := slices.Clone(clusters)
		for i := range scaled {
			scaled[i].Weight *= factor
		}
		look.Rules.Stickiness *= factor
		same(Weigh(NewSnapshot(scaled), a, look), "other weights")
	})
}

// A metric of a cluster that becomes better never makes it less preferred: a first choice stays the choice, a move that is
// made is made, and a place that is kept is kept.
func TestABetterValueDoesNoHarm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clusters, a, rules := drawMeasured(t)
		a.Spec.Constraints.Cluster.Metrics = nil
		better := func(name string) *Snapshot {
			out := slices.Clone(clusters)
			for i := range out {
				if out[i].Name == name && out[i].Measured {
					out[i].Score = min(1, out[i].Score+rapid.Float64Range(0, 1).Draw(t, "gain"))
				}
			}
			return NewSnapshot(out)
		}
		unbound := *a
		unbound.Status.ScheduledTo = nil
		if first := Decide(NewSnapshot(clusters), &unbound, noon); first.Outcome == Placed {
			if then := Decide(better(first.Chosen), &unbound, noon); then.Chosen != first.Chosen {
				t.Fatalf("%s was chosen, and when it became better, %s", first.Chosen, then.Chosen)
			}
		}
		s := staying(t, clusters, a)
		look := drawLook(t, rules)
		switch v := Weigh(s, a, look); v.Outcome {
		case Moved:
			if then := Weigh(better(v.There.Name), a, look); then.Outcome != Moved || then.There.Name != v.There.Name {
				t.Fatalf("it moved to %s, and when that became better: %+v", v.There.Name, then)
			}
		case Kept:
			if then := Weigh(better("here"), a, look); then.Outcome != Kept {
				t.Fatalf("it stayed, and when that became better: %+v", then)
			}
		}
	})
}
