package core

import (
	"fmt"
	"time"

	"github.com/rak-n-rok/krake/api"
)

// Look is what is known of an application that may stay where it is, when it is looked at.
type Look struct {
	Rules  Rules
	Memory Memory
	// Elapsed is the time since the last look of the same process, whatever happened to the clock; zero at the first.
	Elapsed time.Duration
	Now     time.Time
	// Full are the clusters that no more applications may move to within this hour, with the time when one may again.
	Full map[string]time.Time
}

// Verdict says whether a better place pays for a move.
type Verdict struct {
	Outcome string // Kept, Waiting or Moved
	Here    *Cluster
	There   *Cluster // the best other one, if it is better by enough
	Code    string
	Reason  string
	Memory  Memory
	// Again is when to look at it once more though nothing changes; zero for not at all.
	Again time.Duration
}

// Weigh says whether an application that may stay where it is should go to a better place nevertheless, and when. Stays
// must hold.
//
// A move is made when another cluster is better by enough at the moment (stickiness and margin), when that has paid for
// the move (the regret has come to the price), and when no guard wants it to wait. What cannot be seen is no reason to
// move: while the values of the present cluster are held or missing, or it does not answer, nothing is added to the
// regret; and a cluster whose values are held is no better place.
func Weigh(s *Snapshot, a *api.Application, l Look) Verdict {
	here := s.Find(*a.Status.ScheduledTo)
	v := Verdict{Outcome: Kept, Here: here, Memory: l.Memory.at(here.Name, l.Elapsed, l.Now)}
	was := v.Memory.Waiting
	v.Memory.Advantage, v.Memory.Waiting = 0, nil
	if h := holdOf(a, false, l.Now); h.code != "" && h.until.IsZero() {
		v.Memory.Regret = 0
		return v.stays(h.code, h.sentence)
	}
	if blind(here) {
		return v.stays(Blind, "it cannot be seen how good it is there")
	}
	best := s.rival(a, here)
	if best == nil {
		v.Memory.Regret = 0
		return v.stays(Matches, "no other cluster is known to be better")
	}
	enough, advantage := l.Rules.pays(best, here)
	if !enough {
		v.Memory.Advantage = min(advantage, 0)
		return v.stays(Matches, fmt.Sprintf("%s is not better by enough: %.3g against %.3g", best.Name, best.Score, here.Score))
	}
	v.There, v.Memory.Advantage = best, l.Rules.counted(advantage)
	wait := longest(guards(a, here, best, v.Memory, l))
	if !wait.until.After(l.Now) {
		v.Outcome, v.Code, v.Reason = Moved, Better, fmt.Sprintf("It moves from %s to %s, which is better: %s. The advantage has paid for the move.",
			here.Name, best.Name, scores(best, here))
		return v
	}
	v.Outcome, v.Code, v.Again = Waiting, wait.code, wait.until.Sub(l.Now)
	v.Reason = fmt.Sprintf("%s is better than %s: %s. The move waits until %s: %s.", best.Name, here.Name, scores(best, here),
		wait.until.UTC().Format(time.RFC3339), wait.sentence)
	now, until := api.At(l.Now), api.At(wait.until)
	v.Memory.Waiting = &api.WaitingMove{To: best.Name, Code: wait.code, Message: api.Shorten(v.Reason, maxReason), Since: &now, Until: &until}
	if was != nil && was.To == best.Name {
		v.Memory.Waiting.Since = was.Since
	}
	return v
}

func (v Verdict) stays(code, why string) Verdict {
	v.Code, v.Reason = code, "It stays on "+v.Here.Name+": "+why+"."
	return v
}

func scores(there, here *Cluster) string {
	if !here.Measured {
		return fmt.Sprintf("it has metrics, which give it %.3g", there.Score)
	}
	return fmt.Sprintf("%.3g against %.3g", there.Score, here.Score)
}

// Blind is the code of staying because it cannot be seen how good the present place is.
const Blind = "blind"

// blind says whether it cannot be seen how good a cluster is, though it has metrics, or whether it is there at all.
func blind(c *Cluster) bool {
	return c.Unread != "" || c.Held || c.State == api.ClusterOffline || c.State == api.ClusterConnecting
}

// rival is the best other cluster that the application could be on, nil if no values of one are known. Those that are
// equally good are told apart as at a first placement.
func (s *Snapshot) rival(a *api.Application, here *Cluster) *Cluster {
	var best *Cluster
	app := hash(a.Metadata.UID)
	for _, c := range s.ranked[here.Namespace] {
		if best != nil && c.Score < best.Score {
			break
		}
		if c == here || c.Held || s.refusal(c, a).Code != "" {
			continue
		}
		if best == nil || weight(app, c.spread) > weight(app, best.spread) {
			best = c
		}
	}
	return best
}

// The codes of guards that let a move wait, beside FailedMove.
const (
	Residence         = "residence"
	CoolDown          = "cool-down"
	ApplicationBudget = "application-budget"
	TargetBudget      = "target-budget"
	Unpaid            = "unpaid"
)

// guards are all reasons for which a move may have to wait.
func guards(a *api.Application, here, there *Cluster, m Memory, l Look) []hold {
	r, out := l.Rules, []hold{holdOf(a, false, l.Now)}
	if at := a.Status.Scheduled; at != nil && !at.Time().After(l.Now) {
		out = append(out, hold{Residence, fmt.Sprintf("it has been on %s since %s, and stays for %s at least",
			here.Name, at.Time().UTC().Format(time.RFC3339), r.RescheduleAfter), at.Time().Add(r.RescheduleAfter)})
	}
	if n := len(m.Moves); n > 0 {
		last := m.Moves[n-1].Time.Time()
		out = append(out, hold{CoolDown, fmt.Sprintf("within an hour it has moved %s, and stays for %s after that", often(n), r.coolDown(n)),
			last.Add(r.coolDown(n))})
		if r.PerApplication > 0 && n >= r.PerApplication {
			out = append(out, hold{ApplicationBudget, fmt.Sprintf("it has moved %s within an hour, and may not more often", often(n)),
				m.Moves[n-r.PerApplication].Time.Time().Add(budgetPeriod)})
		}
	}
	if until, full := l.Full[there.Name]; full {
		out = append(out, hold{TargetBudget, fmt.Sprintf("within an hour %d applications have moved to %s, and not more may", r.PerTarget, there.Name), until})
	}
	if missing := r.price() - m.Regret; missing > tie*(1+r.price()) {
		// A microsecond more, so that a rounding does not make it look in vain.
		wait := time.Duration(min(missing/m.Advantage, maxWait.Seconds())*float64(time.Second)) + time.Microsecond
		out = append(out, hold{Unpaid, "only then its advantage will have paid for it", l.Now.Add(wait)})
	}
	return out
}

// maxWait bounds the time until a move is paid for, which may be as long as one likes.
const maxWait = 24 * time.Hour

func longest(all []hold) hold {
	var out hold
	for _, h := range all {
		if h.until.After(out.until) {
			out = h
		}
	}
	return out
}

func often(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprint(n, " times")
}

// Record gives the verdict as a decision for the record.
func (v Verdict) Record(s *Snapshot, a *api.Application, now time.Time) api.Decision {
	d := decision{app: a, field: survey(s, a), current: v.Here.Name, chosen: v.Here.Name, here: v.Here, outcome: v.Outcome, code: v.Code, reason: v.Reason}
	if v.Outcome == Moved {
		d.chosen, d.there = v.There.Name, v.There
	}
	return d.record(now)
}
