package kubernetes

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
)

// copying in a phase is a move that copies files and entered the phase at noon.
func copyingIn(phase api.MigrationPhase, limit time.Duration) api.Migration {
	m := inPhase(phase, limit)
	m.Copies = true
	return m
}

func TestWhatFollowsFromAnOutcomeWhileFilesAreCopied(t *testing.T) {
	limit := 5 * time.Minute
	tried := copyingIn(api.PhaseCopying, limit)
	tried.Attempts = maxAttempts - 1
	settled, at := copyingIn(api.PhaseCreating, limit), after(time.Minute)
	settled.Ready = &at
	tests := map[string]struct {
		move    api.Migration
		result  result
		at      time.Duration
		phase   api.MigrationPhase
		effects effects
	}{
		"there is no room on the target yet":                {copyingIn(api.PhaseClaiming, limit), result{}, 299 * time.Second, api.PhaseClaiming, effects{}},
		"there is room":                                     {copyingIn(api.PhaseClaiming, limit), result{outcome: done}, 0, api.PhaseStopping, effects{}},
		"there is room at the last moment":                  {copyingIn(api.PhaseClaiming, limit), result{outcome: done}, limit, api.PhaseStopping, effects{}},
		"the files cannot be copied":                        {copyingIn(api.PhaseClaiming, limit), result{outcome: refused}, 0, api.PhaseUndoing, effects{}},
		"no room comes":                                     {copyingIn(api.PhaseClaiming, limit), result{}, limit, api.PhaseUndoing, effects{}},
		"it is being stopped":                               {copyingIn(api.PhaseStopping, limit), result{}, 299 * time.Second, api.PhaseStopping, effects{}},
		"it has stopped":                                    {copyingIn(api.PhaseStopping, limit), result{outcome: done}, limit, api.PhaseCopying, effects{}},
		"it does not stop":                                  {copyingIn(api.PhaseStopping, limit), result{}, limit, api.PhaseUndoing, effects{}},
		"nobody approves that it is stopped":                {copyingIn(api.PhaseStopping, limit), result{outcome: withheld}, limit, api.PhaseUndoing, effects{}},
		"the source is gone":                                {copyingIn(api.PhaseStopping, limit), result{outcome: refused}, 0, api.PhaseUndoing, effects{}},
		"copying gets on":                                   {copyingIn(api.PhaseCopying, limit), result{outcome: underWay}, time.Hour, api.PhaseCopying, effects{}},
		"copying does not get on":                           {copyingIn(api.PhaseCopying, limit), result{}, limit, api.PhaseUndoing, effects{}},
		"copying has failed":                                {copyingIn(api.PhaseCopying, limit), result{outcome: failed}, time.Hour, api.PhaseCopying, effects{}},
		"copying fails once too often":                      {tried, result{outcome: failed}, 0, api.PhaseUndoing, effects{}},
		"copying is of no use":                              {copyingIn(api.PhaseCopying, limit), result{outcome: refused}, 0, api.PhaseUndoing, effects{}},
		"all is copied":                                     {copyingIn(api.PhaseCopying, limit), result{outcome: done}, time.Hour, api.PhaseCreating, effects{}},
		"the copy is ready, and nobody is to be waited for": {settled, result{outcome: done}, 2 * time.Minute, api.PhaseRemoving, effects{switchOver: true}},
		"the copy does not become ready":                    {copyingIn(api.PhaseCreating, limit), result{}, limit, api.PhaseUndoing, effects{}},
		"a target that is silent may run the copy":          {copyingIn(api.PhaseUndoing, limit), result{outcome: unheard}, 299 * time.Second, api.PhaseUndoing, effects{}},
		"a target is silent for too long": {
			copyingIn(api.PhaseUndoing, limit), result{outcome: unheard}, limit, api.PhaseNone, effects{giveUp: true, handOver: true}},
		"it is undone": {copyingIn(api.PhaseUndoing, limit), result{outcome: done}, 0, api.PhaseNone, effects{giveUp: true}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			limits := testLimits
			limits.copy = limit
			next, eff := advance(test.move, test.result, after(test.at), limits)
			if next.Phase != test.phase || eff != test.effects {
				t.Errorf("phase %q with %+v, expected %q with %+v", next.Phase, eff, test.phase, test.effects)
			}
			if next.Phase != api.PhaseNone && !next.Copies {
				t.Error("it is forgotten that files are copied")
			}
		})
	}
}

// Time is given again to copying that gets on, but not stored each time that it does.
func TestCopyingHasTimeForAsLongAsItGetsOn(t *testing.T) {
	limits := testLimits
	limits.copy = 4 * time.Minute
	m := copyingIn(api.PhaseCopying, limits.copy)
	if next, _ := advance(m, result{outcome: underWay}, after(time.Minute), limits); next.Deadline != m.Deadline {
		t.Errorf("after a minute it has until %v", next.Deadline)
	}
	if next, _ := advance(m, result{outcome: underWay}, after(3*time.Minute), limits); *next.Deadline != after(7*time.Minute) {
		t.Errorf("after three minutes it has until %v", next.Deadline)
	}
	if next, _ := advance(m, result{outcome: failed}, after(3*time.Minute), limits); *next.Deadline != after(7*time.Minute) || next.Attempts != 1 {
		t.Errorf("another attempt has until %v: %+v", next.Deadline, next)
	}
}

// world is two clusters and a move between them that copies files. It is small enough to look at all of them.
type world struct {
	phase    api.MigrationPhase
	attempts int64
	ready    bool // the copy was seen to be ready

	sourceRuns, targetRuns bool
	kept                   bool // the files on the source are not the application's any more, but kept
	room                   bool // the claim is on the target
	copied                 copied
	noted                  bool // it is stored that all is copied
	running                string
	left                   bool // what the target has is a leftover
}

// copied is what the claim on the target holds.
type copied int

const (
	nothing copied = iota
	some
	all
)

// act gives every way in which the action of a phase can end, and what the clusters are like then: clusters do what they
// are told, in part, not at all, or without telling.
func (w world) act() (out []acted) {
	ends := func(w world, r ...outcome) {
		for _, o := range r {
			out = append(out, acted{w, o})
		}
	}
	with := func(change func(*world)) world { next := w; change(&next); return next }
	switch w.phase {
	case api.PhaseClaiming:
		ends(w, notYet, refused)
		ends(with(func(w *world) { w.room = true }), done, notYet, refused)
	case api.PhaseStopping:
		ends(w, notYet, withheld, refused)
		stopped := with(func(w *world) { w.sourceRuns = false })
		ends(stopped, done, notYet)
	case api.PhaseCopying:
		ends(w, notYet, underWay, failed, refused)
		if w.noted {
			ends(w, done)
			break
		}
		ends(with(func(w *world) { w.copied = some }), underWay, failed, notYet)
		ends(with(func(w *world) { w.copied = all }), underWay, failed)
		ends(with(func(w *world) { w.copied, w.noted = all, true }), underWay, done) // noted in the same transaction
	case api.PhaseCreating:
		ends(w, notYet, refused)
		ends(with(func(w *world) { w.targetRuns = true }), done, notYet, refused)
	case api.PhaseRemoving:
		ends(w, notYet, unheard)
		kept := with(func(w *world) { w.kept = true })
		ends(kept, done, notYet, unheard, withheld)
	case api.PhaseUndoing:
		ends(w, notYet, unheard)
		stopped := with(func(w *world) { w.targetRuns = false })
		ends(stopped, notYet)
		ends(with(func(w *world) { w.targetRuns, w.room, w.copied = false, false, nothing }), done, notYet)
	}
	return out
}

type acted struct {
	world
	outcome
}

// step advances the record, at a time when the phase's is over or not.
func (w world) step(o outcome, late bool) world {
	limits := moveLimits{ready: time.Minute, settle: time.Second, clear: time.Minute, copy: time.Minute}
	m := copyingIn(w.phase, time.Minute)
	m.Attempts = w.attempts
	now := after(30 * time.Second)
	if late {
		now = after(time.Minute)
	}
	if w.ready {
		ready := after(0)
		m.Ready = &ready
	}
	next, eff := advance(m, result{outcome: o}, now, limits)
	w.phase, w.attempts, w.ready = next.Phase, next.Attempts, next.Ready != nil
	switch {
	case eff.switchOver:
		w.running = "target"
	case eff.giveUp:
		w.running, w.sourceRuns, w.left = "source", true, eff.handOver // it is deployed again
	}
	return w
}

// Every course that a move can take is gone through, with a process that is killed after any action before it could store
// what came of it. Nothing ever runs on files that are not all there, twice, or while they are copied; the source gives
// its files up for a copy alone; and each course can come to an end.
func TestNoCourseOfAMoveRunsOnWhatIsNoCopy(t *testing.T) {
	start := world{phase: api.PhaseClaiming, sourceRuns: true, running: "source"}
	type seen struct{ before []world }
	known, queue := map[world]*seen{start: {}}, []world{start}
	var ended []world
	visit := func(from, to world) {
		if known[to] == nil {
			known[to] = &seen{}
			queue = append(queue, to)
		}
		known[to].before = append(known[to].before, from)
	}
	for len(queue) > 0 {
		w := queue[0]
		queue = queue[1:]
		if why := w.wrong(); why != "" {
			t.Fatalf("%s: %+v", why, w)
		}
		if w.phase == api.PhaseNone {
			ended = append(ended, w)
			continue
		}
		for _, a := range w.act() {
			visit(w, a.world) // killed: the record says what it said
			for _, late := range []bool{false, true} {
				visit(w, a.world.step(a.outcome, late))
			}
		}
	}
	comes := map[world]bool{} // to an end
	for todo := ended; len(todo) > 0; todo = todo[1:] {
		if w := todo[0]; !comes[w] {
			comes[w] = true
			todo = append(todo, known[w].before...)
		}
	}
	var ways []string
	for w := range known {
		if !comes[w] {
			t.Errorf("there is no end: %+v", w)
		}
		if w.phase == api.PhaseNone && !slices.Contains(ways, w.running) {
			ways = append(ways, w.running)
		}
	}
	if slices.Sort(ways); strings.Join(ways, " ") != "source target" {
		t.Errorf("moves end on %v", ways)
	}
	if len(known) < 50 {
		t.Errorf("only %d situations were looked at", len(known))
	}
}

// wrong says what must never be.
func (w world) wrong() string {
	switch {
	case w.targetRuns && w.copied != all && w.phase != api.PhaseUndoing && w.phase != api.PhaseNone:
		return "it runs on files that are not all there"
	case w.running == "target" && (w.copied != all || !w.targetRuns):
		return "it was switched over to something that is no copy"
	case w.kept && w.running != "target":
		return "the files were handed over and it is not on the target"
	case w.sourceRuns && w.targetRuns && !w.left:
		return "it runs twice"
	case w.sourceRuns && w.phase == api.PhaseCopying:
		return "files are copied while they are written to"
	case w.phase == api.PhaseNone && w.running == "source" && !w.sourceRuns:
		return "it runs nowhere"
	case w.phase == api.PhaseNone && w.running == "source" && w.room && !w.left:
		return "there is something on the target that nobody knows of"
	}
	return ""
}
