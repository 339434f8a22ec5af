//go:build crash

package crash

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/rak-n-rok/krake/api"
)

// life is what an application goes through. It depends on the seed and the number of the application alone.
type life struct {
	name      string
	shape     *shape
	strategy  api.MigrationStrategy
	revisions []revision    // one after the other, the first one when it is created
	force     bool          // the record is removed at once in the end, and its objects become leftovers
	slow      time.Duration // if it moves: how long the pods take to start on the target, or to end on the source
}

// revision is one version of what is asked for.
type revision struct {
	number   int64 // from 1
	image    string
	replicas int64
	site     string        // the label of the cluster that it has to run on
	extras   bool          // whether there are two more objects
	hasty    bool          // the next step does not wait until this one is done
	pause    time.Duration // before the next step
	injury   injury        // what somebody else does to it then
}

// newLife draws a life. Every application moves from a to b at most once and never back, and an object that was dropped
// from its manifest does not return: so whatever is made a second time is a mistake.
func newLife(seed uint64, number int) life {
	dice := rand.New(rand.NewPCG(seed, uint64(number)))
	l := life{name: nameOf(number), shape: turns[number%len(turns)], strategy: api.MigrateAuto}
	l.force = dice.IntN(8) == 0 && l.shape != guest
	if dice.IntN(3) == 0 && !l.shape.once {
		l.strategy = api.MigrateDeleteFirst
	}
	now := revision{image: "web:1", replicas: 1 + dice.Int64N(2), site: "a", extras: dice.IntN(2) == 0}
	target := "b"
	switch born := dice.IntN(6); {
	case l.shape == guest:
		now.site, target = l.ownRecord(), []string{"a", "b"}[born%2]
	case born == 0:
		now.site = "b"
	}
	steps := 2 + dice.IntN(3)
	moves := dice.IntN(steps)
	if l.shape != web && l.shape != guest {
		moves = 1 + moves%(steps-1) // there are few of them, so all are to move
	}
	for i := range steps {
		if i > 0 {
			now.change(dice, i)
		}
		if i == moves && i > 0 {
			now.site = target
		}
		now.number = int64(i + 1)
		now.hasty = dice.IntN(3) == 0
		now.pause = time.Duration(dice.IntN(400)) * time.Millisecond
		l.revisions = append(l.revisions, now)
	}
	if slow := time.Duration(1000+dice.IntN(3000)) * time.Millisecond; l.moves() {
		l.slow = slow
	}
	for i := range l.revisions {
		l.revisions[i].injury = l.newInjury(dice, l.revisions[i])
	}
	return l
}

func nameOf(number int) string { return fmt.Sprintf("app-%04d", number) }

// change draws what differs in the next revision.
func (r *revision) change(dice *rand.Rand, step int) {
	switch dice.IntN(3) {
	case 0:
		r.image = fmt.Sprintf("web:%d", step+1)
	case 1:
		r.replicas = 1 + (r.replicas % 3)
	default:
		r.extras = false
	}
}

// moves says whether the application goes from one cluster to another.
func (l life) moves() bool {
	return l.place(l.revisions[0]) != l.place(l.revisions[len(l.revisions)-1])
}

// stopsFirst says whether there must never be a copy on two clusters.
func (l life) stopsFirst() bool { return l.shape.once || l.strategy == api.MigrateDeleteFirst }

// place is the cluster on which a revision is to run: a record of its own leads a guest to a.
func (l life) place(r revision) string {
	if r.site == l.ownRecord() {
		return "a"
	}
	return r.site
}
