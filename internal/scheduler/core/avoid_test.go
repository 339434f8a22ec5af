package core

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
)

// refusedSince is an application on a cluster that has refused it for so long.
func refusedSince(cluster string, ago time.Duration, edits ...func(*api.Application)) *api.Application {
	a := application(bound(cluster))
	at := api.At(noon.Add(-ago))
	a.Status.RunningOn, a.Status.Scheduled, a.Status.State = nil, &at, api.AppFailed
	a.Status.Conditions = a.Status.Conditions.With(api.Condition{Type: api.Applied, Status: api.False,
		Reason: string(api.KubernetesError), Message: "exceeded quota", ObservedGeneration: 1}, at)
	for _, edit := range edits {
		edit(a)
	}
	return a
}

func TestWhatIsARefusalOfACluster(t *testing.T) {
	applied := func(change func(*api.Condition)) func(*api.Application) {
		return func(a *api.Application) {
			for i := range a.Status.Conditions {
				change(&a.Status.Conditions[i])
			}
		}
	}
	for name, test := range map[string]struct {
		app  *api.Application
		want bool
	}{
		"a quota":                        {refusedSince("a", 0), true},
		"a kind that is not known there": {refusedSince("a", 0, applied(func(c *api.Condition) { c.Reason = "UNSUPPORTED_RESOURCE" })), true},
		"a manifest that is none":        {refusedSince("a", 0, applied(func(c *api.Condition) { c.Reason = "INVALID_RESOURCE" })), false},
		"no answer":                      {refusedSince("a", 0, applied(func(c *api.Condition) { c.Status = api.Unknown })), false},
		"a former generation":            {refusedSince("a", 0, applied(func(c *api.Condition) { c.ObservedGeneration = 0 })), false},
		"something that runs":            {refusedSince("a", 0, bound("a")), false},
		"nothing was tried":              {application(), false},
	} {
		t.Run(name, func(t *testing.T) {
			enough, refused := RefusedBy(test.app)
			if refused != test.want || refused && !enough.Equal(noon.Add(refusalPatience)) {
				t.Errorf("%v, %v", enough, refused)
			}
		})
	}
	late := api.At(noon.Add(time.Minute))
	moved := refusedSince("a", time.Hour, func(a *api.Application) { a.Status.Scheduled = &late })
	if enough, _ := RefusedBy(moved); !enough.Equal(noon.Add(time.Minute + refusalPatience)) {
		t.Errorf("the next cluster gets no time of its own: %v", enough)
	}
}

// An application that everybody refuses tries others, ever more seldom, and never more than a few.
func TestWhatIsRefusedEverywhereComesToRest(t *testing.T) {
	var clusters []Cluster
	for i := range 10 {
		clusters = append(clusters, on(nameOf(i)))
	}
	s, p := NewSnapshot(clusters), api.Placement{}
	a := refusedSince("c00", 0)
	var moves []time.Duration
	tried := map[string]bool{"c00": true}
	for since := refusalPatience; since < 24*time.Hour; since += time.Minute {
		now := noon.Add(since)
		if enough, refused := RefusedBy(a); !refused || now.Before(enough) {
			continue
		}
		list, ok := Avoid(p.Avoided, a, now)
		if !ok {
			continue
		}
		next := p
		next.Avoided = list
		d := Decide(s.Avoiding(next, a, now), a, now)
		if d.Outcome != Moved {
			continue
		}
		if d.Code != string(Avoided) || !strings.Contains(d.Reason, "exceeded quota") {
			t.Fatalf("%+v", d)
		}
		if one := list[len(list)-1]; one.Cluster != a.Status.ScheduledTo.Name || slices.ContainsFunc(p.Avoided, func(k api.AvoidedCluster) bool {
			return k.Cluster == d.Chosen && k.Until.Time().After(now)
		}) {
			t.Fatalf("it goes to %s, with %+v avoided", d.Chosen, list)
		}
		at := api.At(now)
		p, moves, tried[d.Chosen] = next, append(moves, since), true
		ref := api.ClusterKind.Ref(testing1, d.Chosen)
		a.Status.ScheduledTo, a.Status.Scheduled = &ref, &at
	}
	if len(moves) < 4 || moves[2] > 10*time.Minute {
		t.Errorf("moves after %v", moves)
	}
	if len(moves) > 3 && moves[3] < firstAvoidance {
		t.Errorf("a fourth cluster is tried after %s", moves[3])
	}
	// Three are tried, and another when one of them may be again: the pauses are as long as a cluster is avoided.
	if len(moves) > 3*24*6 || len(tried) < 4 {
		t.Errorf("%d moves, %d clusters", len(moves), len(tried))
	}
}

func TestAvoidanceGrowsAndIsForgotten(t *testing.T) {
	a := refusedSince("a", time.Hour)
	var list []api.AvoidedCluster
	for i, want := range []time.Duration{10 * time.Minute, 20 * time.Minute, 40 * time.Minute, 80 * time.Minute, 160 * time.Minute, 4 * time.Hour, 4 * time.Hour} {
		list, _ = Avoid(list, a, noon)
		if one := list[0]; len(list) != 1 || one.Failures != int64(i+1) || !one.Until.Time().Equal(noon.Add(want)) {
			t.Errorf("%d: %+v", i, list)
		}
	}
	s := NewSnapshot([]Cluster{on("a"), on("b")})
	refusals := func(a *api.Application, now time.Time) int64 {
		return Decide(s.Avoiding(api.Placement{Avoided: list}, a, now), application(), now).Refused["avoided"]
	}
	if refusals(a, noon) != 1 || refusals(a, noon.Add(4*time.Hour)) != 0 {
		t.Error("the time does not count")
	}
	a.Metadata.Generation++
	if refusals(a, noon) != 0 {
		t.Error("a change of the application does not count")
	}
	if _, ok := Avoid(list, refusedSince("b", time.Hour), noon.Add(refusalPatience-1)); ok {
		t.Error("two clusters are left at the same time")
	}
	if list, _ := Avoid(list, a, noon); len(list) != 1 || list[0].Failures != 1 {
		t.Errorf("what was before the change counts: %+v", list)
	}
}

func TestWhenAllRefuseItStays(t *testing.T) {
	a, p := refusedSince("a", time.Hour), api.Placement{}
	p.Avoided, _ = Avoid(nil, a, noon)
	d := Decide(NewSnapshot([]Cluster{on("a"), on("b", cordoned)}).Avoiding(p, a, noon), a, noon)
	if d.Outcome == Moved || d.Chosen != "" {
		t.Errorf("%+v", d)
	}
	fixed(a)
	d = Decide(NewSnapshot([]Cluster{on("a"), on("b")}).Avoiding(p, a, noon), a, noon)
	if d.Outcome != Kept || d.Code != MigrationOff {
		t.Errorf("migration off: %+v", d)
	}
}

func TestATargetThatHasFailedAMoveIsPassedForAWhile(t *testing.T) {
	clusters := []Cluster{on("here", values(1, 0.1)), on("good", values(1, 0.8)), on("best", values(1, 0.9))}
	a := application(bound("here"), condition(api.Migrating, api.False))
	a.Status.MigrationTimeout, a.Status.MigrationRetries = noon.Unix(), 1
	at := api.At(noon.Add(-time.Minute))
	p := api.Placement{Moves: []api.Move{{Time: &at, From: "here", To: "best"}}}
	goes := func(later time.Duration) string {
		now := noon.Add(later)
		v := Weigh(NewSnapshot(clusters).Avoiding(p, a, now), a, Look{Now: now})
		if v.There == nil {
			return fmt.Sprint(v.Outcome, " ", v.Code)
		}
		return v.There.Name
	}
	for i, step := range []struct {
		later   time.Duration
		retries int64
		want    string
	}{{0, 1, "good"}, {4 * time.Minute, 1, "good"}, {5 * time.Minute, 1, "best"}, {9 * time.Minute, 2, "good"}, {10 * time.Minute, 2, "best"}} {
		if a.Status.MigrationRetries = step.retries; goes(step.later) != step.want {
			t.Errorf("step %d: it goes to %s", i, goes(step.later))
		}
	}
	a.Metadata.Generation++
	if goes(0) != "best" {
		t.Error("a change of the application does not count")
	}
}
