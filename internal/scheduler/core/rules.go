package core

import (
	"fmt"
	"time"
)

// Rules say when a better place pays for a move, and when a cluster is given up. The first two are the reference's; the
// others, but the last, keep applications from moving to and fro. Without any of them an application goes wherever the score
// is higher at the moment.
type Rules struct {
	// Compat has everything decided as by the Python Krake: without the guards that are not its own, by scores to the last
	// bit, and away from a cluster whose metrics cannot be read. See InForce and AsReference.
	Compat bool
	// RescheduleAfter is how long an application stays on a cluster at least before it goes to a better one.
	RescheduleAfter time.Duration
	// Stickiness is the weight of a metric, always 1, that the cluster has on which an application is.
	Stickiness float64
	// Margin is by which share of the present score a better one has to be higher.
	Margin float64
	// Price is the advantage in score that pays for a move when it has lasted for RescheduleAfter. A greater one pays
	// sooner, but not before a quarter of that time: what counts is the advantage times its duration.
	Price float64
	// CoolDown is how long an application stays after a move; each further move within an hour doubles it.
	CoolDown time.Duration
	// PerApplication and PerTarget are how many moves of an application, and to a cluster, there may be within an hour;
	// zero for any number.
	PerApplication, PerTarget int
	// FailoverAfter is how long a cluster has to be silent until applications leave it that may; zero for never.
	FailoverAfter time.Duration
}

// DefaultRules are those of a Krake that is not told otherwise.
var DefaultRules = Rules{
	RescheduleAfter: time.Minute, Stickiness: 0.1, Margin: 0.02, Price: 0.03, CoolDown: time.Minute,
	PerApplication: 6, PerTarget: 120, FailoverAfter: 5 * time.Minute,
}

// Check says what cannot be meant.
func (r Rules) Check() error {
	for _, rule := range []struct {
		name  string
		value float64
	}{
		{"the time until rescheduling", float64(r.RescheduleAfter)}, {"the stickiness", r.Stickiness}, {"the margin", r.Margin},
		{"the price of a move", r.Price}, {"the time after a move", float64(r.CoolDown)},
		{"the number of moves per application", float64(r.PerApplication)}, {"the number of moves per target", float64(r.PerTarget)},
		{"the time until failover", float64(r.FailoverAfter)},
	} {
		if !(rule.value >= 0) { // also what is no number
			return fmt.Errorf("%s must not be below zero", rule.name)
		}
	}
	return nil
}

// budgetPeriod is what numbers of moves are counted over.
const budgetPeriod = time.Hour

// haste is how many times the price an advantage counts as at most. So even the greatest has to last for a part of
// RescheduleAfter, which is longer than a single reading of a metric.
const haste = 4

// counted is what of an advantage is added to the regret in each second.
func (r Rules) counted(advantage float64) float64 { return min(advantage, haste*r.Price) }

// price is what a move costs, in differences of scores times seconds.
func (r Rules) price() float64 { return r.Price * r.RescheduleAfter.Seconds() }

// pays says whether a cluster is better than the present one by enough, and by how much. One with metrics is better than
// one without by all that there is.
func (r Rules) pays(there, here *Cluster) (enough bool, advantage float64) {
	if !here.Measured {
		return there.Measured, 1
	}
	advantage = there.Score - here.Score
	if r.Compat {
		return there.Score > here.score(r.Stickiness), advantage
	}
	return there.Measured && there.Score > here.score(r.Stickiness)+tie/2 && advantage >= r.Margin*abs(here.Score)-tie/2, advantage
}

// MoveAbove is the score that another cluster has to exceed for an application to leave this one; nil for one without
// metrics, which is left for every cluster that has some.
func (r Rules) MoveAbove(here *Cluster) *float64 {
	if here == nil || !here.Measured {
		return nil
	}
	score := max(here.score(r.Stickiness), here.Score+r.Margin*abs(here.Score))
	return &score
}

func abs(x float64) float64 { return max(x, -x) }

// coolDown is how long an application stays after the newest of its moves.
func (r Rules) coolDown(moves int) time.Duration {
	d := r.CoolDown
	for ; moves > 1 && d < budgetPeriod; moves-- {
		d *= 2
	}
	return d
}
