//go:build crash

package crash

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rak-n-rok/krake/internal/failpoint"
)

// enough is the number of kills after which everything that applications may go through must have happened.
const enough = 100

// report says what the run has shown, and fails if a step was never arrived at, or something never happened.
func (x *experiment) report() {
	var points []string
	atSteps := 0
	for _, point := range failpoint.Points {
		points = append(points, fmt.Sprintf("%s %d", point, x.deaths[point]))
		atSteps += x.deaths[point]
		if x.deaths[point] == 0 {
			x.t.Errorf("the server was never killed at the step %s: nothing arrives there any more, or the load does too little", point)
		}
	}
	begun, _, answered, lost := x.load.counts()
	x.t.Logf("%d kills in %s, seed %d; on average ready after %s, settled after %s at most", x.kills,
		time.Since(x.begun).Round(time.Second), x.seed, (x.server.took / time.Duration(x.server.starts)).Round(time.Millisecond),
		x.slowest.Round(time.Millisecond))
	x.t.Logf("%d kills at steps: %s", atSteps, strings.Join(points, ", "))
	seen, robbed, held, asked := x.witness.counts()
	x.t.Logf("%d applications with %d objects on the clusters, each made once, and again after %d were removed by somebody else; "+
		"%d writes acknowledged and kept, %d attempts without an answer", begun, seen, robbed, answered, lost)
	x.t.Logf("pods were held %d times before they started or ended; the clusters were asked %d times how many copies there are", held, asked)
	happened := x.load.happened()
	var counts []string
	for _, what := range slices.Sorted(maps.Keys(happened)) {
		counts = append(counts, fmt.Sprintf("%s %d", what, happened[what]))
		if happened[what] == 0 && x.kills >= enough {
			x.t.Errorf("it never happened in this run, and so was not checked: %s", what)
		}
	}
	x.t.Logf("how many applications %s", strings.Join(counts, ", "))
}

// happened counts the applications that came to their end, by what they went through.
func (l *load) happened() map[string]int {
	out := map[string]int{
		"moved, first created": 0, "moved, first stopped": 0, "lost a label": 0, "lost an object": 0, "left their own record": 0,
		"went with their own record": 0, "went by force": 0,
	}
	for _, phase := range movePhases {
		out["were seen in the phase "+string(phase)] = 0
	}
	for _, s := range turns {
		out["had the shape "+s.name] = 0
	}
	count := func(what string, yes bool) {
		if yes {
			out[what]++
		}
	}
	for _, a := range l.all() {
		p := a.promise()
		for i, phase := range movePhases {
			count("were seen in the phase "+string(phase), p.phases[i])
		}
		for _, w := range a.allWounds() {
			count("lost an object", w.removed)
			count("lost a label", !w.removed)
		}
		if !p.recordIsGone || p.sent < int64(len(a.revisions)) {
			continue
		}
		last := a.revisions[len(a.revisions)-1]
		count("had the shape "+a.shape.name, true)
		count("moved, first created", a.moves() && !a.stopsFirst())
		count("moved, first stopped", a.moves() && a.stopsFirst())
		count("left their own record", a.left(last))
		count("went with their own record", a.shape == guest && !a.left(last))
		count("went by force", a.force)
	}
	return out
}
