package core

import (
	"fmt"
	"slices"
	"time"

	"github.com/rak-n-rok/krake/api"
)

// ByHand is the code of a move that somebody has asked for.
const ByHand = "by-hand"

// Obey says what becomes of the open request to move an application that is bound to a cluster. It goes where it is told
// if it may be there, whatever is better or was moved before. What holds it for good, and files that it would leave behind,
// are held against it.
func Obey(s *Snapshot, a *api.Application, now time.Time) api.Decision {
	return obey(s, a, now, recorded).record(now)
}

func obey(s *Snapshot, a *api.Application, now time.Time, x extent) *decision {
	d := &decision{app: a, field: survey(s, a, x), current: a.Status.ScheduledTo.Name, chosen: a.Status.ScheduledTo.Name,
		here: s.Find(*a.Status.ScheduledTo), leave: reasonToLeave(s, a), outcome: Kept, code: ByHand}
	to := a.Status.MoveRequest.To
	there, held := s.find(a.Metadata.NamespaceOrEmpty(), to), holdOf(a, false, now)
	stays := func(why string) *decision {
		d.reason = fmt.Sprintf("It stays on %s and does not move to %s, as was asked for: %s.", d.current, to, why)
		return d
	}
	if held.code != "" && held.code != NotRunning && held.until.IsZero() {
		return stays(held.sentence)
	}
	if there == nil {
		return stays("there is no such cluster")
	}
	if refusal := check(there, a, false); refusal.Code != "" {
		d.examples = slices.Insert(d.examples, 0, example{there, refusal})
		return stays(refusal.sentence())
	}
	d.outcome, d.chosen, d.there = Moved, to, there
	d.reason = fmt.Sprintf("It moves from %s to %s, as was asked for.", d.current, to)
	return d
}
