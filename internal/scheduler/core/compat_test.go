package core

import (
	"testing"
	"time"
)

// E3: where all values are 1, stickiness adds nothing. The reference draws lots each time, and so does compat, once in
// RescheduleAfter; by default an application stays.
func TestE3AtTheTopCompatDrawsLots(t *testing.T) {
	a, b := on("a", values(0.45, 1)), on("b", values(0.45, 1))
	for _, compat := range []bool{true, false} {
		rules := Rules{Compat: compat, RescheduleAfter: time.Minute, Stickiness: 0.1}.InForce()
		if compat {
			a.AsReference()
			b.AsReference()
		}
		s, app := NewSnapshot([]Cluster{a, b}), application(since("a", time.Hour))
		moves := 0
		for i := range 1000 {
			now := noon.Add(time.Duration(i) * time.Minute)
			v := Weigh(s, app, Look{Rules: rules, Now: now})
			if later := Weigh(s, app, Look{Rules: rules, Now: now.Add(59 * time.Second)}); later.Outcome != v.Outcome {
				t.Fatalf("within a minute: %s, then %s", v.Outcome, later.Outcome)
			}
			if v.Outcome == Moved {
				moves++
			}
		}
		if compat && (moves < 400 || moves > 600) || !compat && moves > 0 {
			t.Errorf("compat %v: it would have moved %d times of 1000", compat, moves)
		}
	}
}
