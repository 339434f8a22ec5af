package core

import (
	"fmt"
	"testing"
)

// BenchmarkDecide places an application on one of 5,000 clusters, of which a third match.
func BenchmarkDecide(b *testing.B) {
	var clusters []Cluster
	for i := range 5000 {
		clusters = append(clusters, on(fmt.Sprintf("c%04d", i), with(labels{"location": []string{"DE", "IT", "SK"}[i%3], "tier": "gold"})))
	}
	s, a := NewSnapshot(clusters), application(demanding(b, "location is DE", "tier in (gold, silver)"))
	for b.Loop() {
		if d := Decide(s, a, noon); d.Outcome != Placed {
			b.Fatal(d)
		}
	}
}

// BenchmarkStays is what a change of an application costs that needs no new decision.
func BenchmarkStays(b *testing.B) {
	var clusters []Cluster
	for i := range 5000 {
		clusters = append(clusters, on(fmt.Sprintf("c%04d", i), with(labels{"location": "DE"})))
	}
	s, a := NewSnapshot(clusters), application(demanding(b, "location is DE"), bound("c2500"))
	for b.Loop() {
		if !Stays(s, a) {
			b.Fatal("must leave")
		}
	}
}

// BenchmarkWeigh is what a change of a metric costs for an application to which it may matter: one that is on the best of
// 5,000 clusters, and one for which another is better.
func BenchmarkWeigh(b *testing.B) {
	var clusters []Cluster
	for i := range 5000 {
		clusters = append(clusters, on(fmt.Sprintf("c%04d", i), with(labels{"location": []string{"DE", "IT", "SK"}[i%3]}), values(1, float64(i)/5000)))
	}
	s := NewSnapshot(clusters)
	for name, place := range map[string]string{"best": "c4998", "worse": "c2500"} {
		b.Run(name, func(b *testing.B) {
			a := application(demanding(b, "location is DE"), since(place, 0))
			for b.Loop() {
				if v := Weigh(s, a, Look{Rules: DefaultRules, Now: noon}); v.Outcome == Moved {
					b.Fatal(v)
				}
			}
		})
	}
}

// Why an application would go to one of five thousand clusters, and what would change that, for each of them.
func BenchmarkExplain(b *testing.B) {
	var clusters []Cluster
	for i := range 5000 {
		clusters = append(clusters, on(nameOf(i), with(labels{"location": []string{"DE", "IT", "SK"}[i%3]}), func(c *Cluster) {
			c.Measure([]Measurement{ranged("shared", 1, 5, 0, 10), ranged("own-"+c.Name, 1, float64(i)/500, 0, 10)})
		}))
	}
	s, a := NewSnapshot(clusters), application(demanding(b, "location is not IT"))
	for b.Loop() {
		Explain(s, a, Look{Rules: DefaultRules, Now: noon}, "")
	}
}
