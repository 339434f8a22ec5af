package core

import (
	"slices"
	"time"

	"github.com/rak-n-rok/krake/api"
)

// Memory is what the guards remember of an application from one look to the next. All but Advantage is stored with the
// decisions.
type Memory struct {
	// Place is the cluster that Regret is about.
	Place string
	// Regret is what staying there has cost: the advantage of the best other cluster times its duration in seconds, less
	// what it has gained since, but never below zero. A move is paid for when it has come to the price.
	Regret float64
	// Advantage is what is added to Regret in each second until the next look.
	Advantage float64
	Moves     []api.Move // of the last hour, the oldest first
	Waiting   *api.WaitingMove
}

// grain is the part of the price that what is stored of the regret may lag behind, so that it is not written at every
// change of a metric.
const grain = 0.25

// Recall takes from the record what the guards remember, after a restart. Of the regret so much is taken as certainly
// was there; what has happened meanwhile nobody has seen, and it counts as nothing.
func Recall(p api.Placement, r Rules) Memory {
	return Memory{Place: p.Place, Regret: max(0, p.Regret-grain*r.price()), Moves: p.Moves, Waiting: p.Waiting}
}

// Outgrown says whether what is stored has to be written anew at once, because somebody who recalls it would believe too
// much, or may be when there is time, because it tells too little.
func (m Memory) Outgrown(stored api.Placement, r Rules) (must, should bool) {
	step := grain * r.price()
	if stored.Place == m.Place && stored.Regret > m.Regret+step {
		return true, true
	}
	known := stored.Regret
	if stored.Place != m.Place {
		known = 0
	}
	return false, !sameWaiting(stored.Waiting, m.Waiting) || m.Waiting != nil && step > 0 && m.Regret >= known+step
}

func sameWaiting(a, b *api.WaitingMove) bool {
	return a == b || a != nil && b != nil && a.To == b.To && a.Code == b.Code
}

// Store puts what is remembered into the record.
func (m Memory) Store(p api.Placement) api.Placement {
	p.Place, p.Regret, p.Moves, p.Waiting = m.Place, m.Regret, append([]api.Move{}, m.Moves...), m.Waiting
	return p
}

// Moved is the memory after a move. What staying has cost is paid.
func (m Memory) Moved(from, to string, now time.Time) Memory {
	at := api.At(now)
	return Memory{Moves: append(m.recent(now), api.Move{Time: &at, From: from, To: to})}
}

// recent are the moves of the last hour. One that lies in the future was written by a clock that was wrong.
func (m Memory) recent(now time.Time) []api.Move {
	return slices.DeleteFunc(slices.Clone(m.Moves), func(move api.Move) bool {
		return move.Time == nil || move.Time.Time().After(now) || now.Sub(move.Time.Time()) >= budgetPeriod
	})
}

// at is the memory after a while on a cluster.
func (m Memory) at(place string, elapsed time.Duration, now time.Time) Memory {
	m.Moves = m.recent(now)
	if m.Place != place {
		return Memory{Place: place, Moves: m.Moves, Waiting: m.Waiting}
	}
	m.Regret = max(0, m.Regret+m.Advantage*max(elapsed, 0).Seconds())
	return m
}
