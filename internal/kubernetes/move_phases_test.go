package kubernetes

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
)

var (
	noon       = api.At(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	testLimits = moveLimits{ready: 5 * time.Minute, settle: 2 * time.Second, drain: 5 * time.Second, clear: 10 * time.Minute}
)

func after(d time.Duration) api.Time { return api.At(noon.Time().Add(d)) }

// inPhase is a move that entered a phase at noon.
func inPhase(phase api.MigrationPhase, limit time.Duration) api.Migration {
	berlin, vienna := api.ClusterKind.Ref("testing", "berlin"), api.ClusterKind.Ref("testing", "vienna")
	return enter(api.Migration{
		Source: &berlin, Target: &vienna, SourceID: "id-berlin", TargetID: "id-vienna", Failures: 2, Message: "as before",
	}, phase, noon, limit)
}

// readySince is a move whose target has been ready since then.
func readySince(d time.Duration) api.Migration {
	m, at := inPhase(api.PhaseCreating, 5*time.Minute), after(d)
	m.Ready = &at
	return m
}

func TestWhatFollowsFromAnOutcome(t *testing.T) {
	tests := map[string]struct {
		move    api.Migration
		result  result
		at      time.Duration
		phase   api.MigrationPhase
		effects effects
	}{
		"the source is being emptied":              {inPhase(api.PhaseStopping, 0), result{}, time.Hour, api.PhaseStopping, effects{}},
		"the source is empty, nothing is anywhere": {inPhase(api.PhaseStopping, 0), result{outcome: done}, 0, api.PhaseNone, effects{leaveSource: true}},
		"a source that is silent may still run what must not run twice": {
			inPhase(api.PhaseStopping, 0), result{outcome: unheard}, time.Hour, api.PhaseStopping, effects{}},

		"the target is not ready yet": {inPhase(api.PhaseCreating, 5*time.Minute), result{}, 299 * time.Second, api.PhaseCreating, effects{}},
		"the target has just become ready": {
			inPhase(api.PhaseCreating, 5*time.Minute), result{outcome: done}, time.Minute, api.PhaseCreating, effects{}},
		"the target has not been ready for long": {
			readySince(58001 * time.Millisecond), result{outcome: done}, time.Minute, api.PhaseCreating, effects{}},
		"the target has been ready for a while": {
			readySince(58 * time.Second), result{outcome: done}, time.Minute, api.PhaseDraining, effects{switchOver: true}},
		"the target becomes ready at the last moment": {
			inPhase(api.PhaseCreating, 5*time.Minute), result{outcome: done}, 5 * time.Minute, api.PhaseCreating, effects{}},
		"the target is not ready any more when time is up": {
			readySince(time.Minute), result{}, 5 * time.Minute, api.PhaseUndoing, effects{}},
		"the target refuses": {
			inPhase(api.PhaseCreating, 5*time.Minute), result{outcome: refused}, 0, api.PhaseUndoing, effects{}},
		"the target is not ready in time": {
			inPhase(api.PhaseCreating, 5*time.Minute), result{}, 5 * time.Minute, api.PhaseUndoing, effects{}},
		"the target does not answer in time": {
			inPhase(api.PhaseCreating, 5*time.Minute), result{outcome: notYet}, time.Hour, api.PhaseUndoing, effects{}},

		"clients are still leaving the source": {inPhase(api.PhaseDraining, 5*time.Second), result{}, 4999 * time.Millisecond, api.PhaseDraining, effects{}},
		"clients have left the source":         {inPhase(api.PhaseDraining, 5*time.Second), result{}, 5 * time.Second, api.PhaseRemoving, effects{}},
		"clients get no time":                  {inPhase(api.PhaseDraining, 0), result{}, 0, api.PhaseRemoving, effects{}},

		"the old copy is going": {inPhase(api.PhaseRemoving, 0), result{}, time.Hour, api.PhaseRemoving, effects{}},
		"the old copy is gone":  {inPhase(api.PhaseRemoving, 0), result{outcome: done}, 0, api.PhaseNone, effects{}},
		"the old copy does not go in time": {
			inPhase(api.PhaseRemoving, time.Minute), result{}, time.Minute, api.PhaseNone, effects{handOver: true}},
		"the old copy is gone at the last moment": {
			inPhase(api.PhaseRemoving, time.Minute), result{outcome: done}, time.Minute, api.PhaseNone, effects{}},
		"the old copy is beyond reach": {
			inPhase(api.PhaseRemoving, 0), result{outcome: unheard}, 0, api.PhaseNone, effects{handOver: true}},
		"not all of the old copy is wanted, and nobody has approved that it goes": {
			inPhase(api.PhaseRemoving, time.Minute), result{outcome: withheld}, 0, api.PhaseNone, effects{handOver: true}},
		"nobody has approved yet that the source is emptied": {
			inPhase(api.PhaseStopping, 0), result{outcome: withheld}, time.Hour, api.PhaseStopping, effects{}},

		"the failed copy is going": {inPhase(api.PhaseUndoing, 0), result{}, time.Hour, api.PhaseUndoing, effects{}},
		"the failed copy is gone":  {inPhase(api.PhaseUndoing, 0), result{outcome: done}, 0, api.PhaseNone, effects{giveUp: true}},
		"the failed copy does not go in time": {
			inPhase(api.PhaseUndoing, time.Minute), result{}, time.Minute, api.PhaseNone, effects{giveUp: true, handOver: true}},
		"the failed copy is beyond reach": {
			inPhase(api.PhaseUndoing, 0), result{outcome: unheard}, 0, api.PhaseNone, effects{giveUp: true, handOver: true}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			next, eff := advance(test.move, test.result, after(test.at), testLimits)
			if next.Phase != test.phase || eff != test.effects {
				t.Errorf("phase %q with %+v, expected %q with %+v", next.Phase, eff, test.phase, test.effects)
			}
		})
	}
}

func TestWhatAMoveRemembers(t *testing.T) {
	begun := begin(api.Migration{SourceID: "id-berlin", TargetID: "id-vienna", Failures: 2}, false, noon, testLimits)
	if begun.Phase != api.PhaseCreating || *begun.Since != noon || *begun.Deadline != after(5*time.Minute) {
		t.Errorf("a move that creates first begins as %+v", begun)
	}
	if m := begin(api.Migration{}, true, noon, testLimits); m.Phase != api.PhaseStopping || m.Deadline != nil {
		t.Errorf("a move that deletes first begins as %+v", m)
	}

	undoing, _ := advance(begun, result{refused, "no such kind"}, after(time.Second), testLimits)
	if undoing.Message != "the target does not take the application: no such kind" ||
		*undoing.Deadline != after(10*time.Minute+time.Second) {
		t.Errorf("a refused move is undone as %+v", undoing)
	}
	late, _ := advance(begun, result{notYet, "0 of 1 ready"}, after(time.Hour), testLimits)
	if late.Message != "the application was not ready on the target in time: 0 of 1 ready" {
		t.Errorf("a move that took too long is undone with the message %q", late.Message)
	}
	if given, _ := advance(undoing, result{outcome: done}, after(time.Minute), testLimits); given.Failures != 3 ||
		given.Message != undoing.Message || given.TargetID != "" {
		t.Errorf("a move that was given up leaves %+v", given)
	}
	ready, _ := advance(begun, result{outcome: done}, after(time.Second), testLimits)
	if *ready.Ready != after(time.Second) || *ready.Deadline != *begun.Deadline {
		t.Errorf("ready since %v, with time until %v", ready.Ready, ready.Deadline)
	}
	if still, _ := advance(ready, result{outcome: done}, after(2*time.Second), testLimits); *still.Ready != *ready.Ready {
		t.Errorf("still ready since %v", still.Ready)
	}
	if lost, _ := advance(ready, result{}, after(2*time.Second), testLimits); lost.Ready != nil {
		t.Errorf("not ready any more, but since %v", lost.Ready)
	}
	draining, _ := advance(ready, result{outcome: done}, after(3*time.Second), testLimits)
	if *draining.Since != after(3*time.Second) || *draining.Deadline != after(8*time.Second) || draining.Ready != nil {
		t.Errorf("draining from %v to %v, ready since %v", draining.Since, draining.Deadline, draining.Ready)
	}
	removing, _ := advance(draining, result{}, after(time.Minute), testLimits)
	if *removing.Deadline != after(11*time.Minute) {
		t.Errorf("removing until %v", removing.Deadline)
	}
	if over, _ := advance(removing, result{outcome: done}, after(time.Minute), testLimits); over.Failures != 0 || over.Message != "" {
		t.Errorf("a move that succeeded leaves %+v", over)
	}
}

// pair is two clusters and a move between them, in memory: what is there, and how the clusters behave.
type pair struct {
	source, target bool // a copy is there
	ready          bool // the target's copy is ready
	running        string
	left           []string // clusters on which something is left over
	effort         int      // how many attempts an action still takes
	refuses        bool
	silent         map[string]bool
}

// act does what the phase is for, as the controller does: it may stop half way, and it may be done again.
func (p *pair) act(phase api.MigrationPhase) result {
	switch phase {
	case api.PhaseStopping, api.PhaseRemoving:
		return p.clear("source", &p.source)
	case api.PhaseUndoing:
		return p.clear("target", &p.target)
	case api.PhaseCreating:
		if p.silent["target"] {
			return result{}
		}
		p.target = true // also of a refused manifest something may be there
		if p.refuses {
			return result{outcome: refused}
		}
		if p.effort > 0 {
			p.effort--
			return result{}
		}
		p.ready = true
		return result{outcome: done}
	}
	return result{}
}

func (p *pair) clear(name string, copyThere *bool) result {
	if p.silent[name] {
		return result{outcome: unheard}
	}
	if p.effort > 0 {
		p.effort--
		return result{}
	}
	*copyThere = false
	return result{outcome: done}
}

// store carries out what is stored together with a phase.
func (p *pair) store(m api.Migration, eff effects) {
	if eff.handOver {
		p.left = append(p.left, map[bool]string{true: "target", false: "source"}[eff.giveUp])
	}
	switch {
	case eff.leaveSource:
		p.running = ""
	case eff.switchOver:
		p.running = "target"
	case eff.giveUp:
		p.running = "source"
	}
}

// A process is killed at any time between an action and its record, clusters are slow, silent or refuse, and still no
// move leaves an application without a copy or with one too many.
func TestAMoveLosesNothingAndComesToAnEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		deleteFirst := rapid.Bool().Draw(t, "deleteFirst")
		p := &pair{source: true, running: "source", refuses: rapid.Bool().Draw(t, "refuses"), silent: map[string]bool{}}
		now := noon
		m := begin(api.Migration{}, deleteFirst, now, testLimits)
		for steps := 0; m.Phase != api.PhaseNone; steps++ {
			if steps > 200 {
				t.Fatalf("the move does not end; it is in %s, clusters %+v", m.Phase, p)
			}
			fair := steps > 100 // in the end everything answers
			p.silent["source"] = !fair && rapid.Bool().Draw(t, "sourceSilent")
			p.silent["target"] = !fair && rapid.Bool().Draw(t, "targetSilent")
			if !fair && p.effort == 0 {
				p.effort = rapid.IntRange(0, 3).Draw(t, "effort")
			}
			now = api.At(now.Time().Add(time.Duration(rapid.IntRange(1, 100).Draw(t, "seconds")) * time.Second))
			r := p.act(m.Phase)
			if !fair && rapid.Bool().Draw(t, "killed") {
				p.mustBeSafe(t, m, deleteFirst)
				continue // the record still says what it said
			}
			next, eff := advance(m, r, now, testLimits)
			p.store(m, eff)
			m = next
			p.mustBeSafe(t, m, deleteFirst)
		}
		p.mustHaveEnded(t, deleteFirst)
	})
}

// mustBeSafe is what holds at every moment.
func (p *pair) mustBeSafe(t *rapid.T, m api.Migration, deleteFirst bool) {
	if deleteFirst {
		if p.source && p.target {
			t.Fatalf("two copies at once in %s", m.Phase)
		}
		return
	}
	if !p.source && !(p.target && p.ready) {
		t.Fatalf("no copy that serves in %s: %+v", m.Phase, p)
	}
	if p.running == "target" && !p.ready {
		t.Fatalf("running_on names a cluster whose copy was never ready: %+v", p)
	}
}

// mustHaveEnded is what holds after a move.
func (p *pair) mustHaveEnded(t *rapid.T, deleteFirst bool) {
	known := map[string]bool{p.running: true}
	for _, c := range p.left {
		known[c] = true
	}
	if p.source && !known["source"] || p.target && !known["target"] {
		t.Fatalf("a copy that nobody knows of: %+v", p)
	}
	if want := []string{"source", "target"}; !deleteFirst && !slices.Contains(want, p.running) {
		t.Fatalf("it runs on %q", p.running)
	}
	if deleteFirst && (p.source || p.running != "") {
		t.Fatalf("the source was to be empty: %+v", p)
	}
}
