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
