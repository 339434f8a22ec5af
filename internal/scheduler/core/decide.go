package core

import (
	"fmt"
	"time"

	"github.com/rak-n-rok/krake/api"
)

// Outcomes of a decision.
const (
	Placed  = "placed"  // on a cluster for the first time
	Kept    = "kept"    // where it is
	Waiting = "waiting" // where it is, for the time being
	Moved   = "moved"   // to another cluster
	Refused = "refused" // no cluster can be chosen; it stays where it is, if it is anywhere
)

// Codes of decisions, beside those of holds and guards for one that stays, and those of refusals for one that has to leave
// its cluster. They are stored.
const (
	Matches = "matches"  // it stays where it is because it may
	First   = "first"    // it had no place before
	Better  = "better"   // another cluster has become better
	Nowhere = "no-place" // no cluster can be chosen
)

// Stays says whether an application that is bound to a cluster may stay there. It is Decide's first question alone, at
// a cost that does not depend on the number of clusters.
func Stays(s *Snapshot, a *api.Application) bool {
	return a.Status.ScheduledTo != nil && reasonToLeave(s, a).Code == ""
}

// Decide says where an application is to run, and why. An application stays where it is as long as it may.
func Decide(s *Snapshot, a *api.Application, now time.Time) api.Decision {
	d := decision{app: a, field: survey(s, a)}
	if a.Status.ScheduledTo != nil {
		d.current, d.here, d.leave = a.Status.ScheduledTo.Name, s.Find(*a.Status.ScheduledTo), reasonToLeave(s, a)
	}
	d.outcome, d.chosen, d.code, d.reason = d.settle(now)
	if d.outcome == Placed || d.outcome == Moved {
		d.there = d.best[0]
	}
	return d.record(now)
}

// decision is a decision in the making.
type decision struct {
	field
	app             *api.Application
	current, chosen string   // names of clusters, empty for none
	here, there     *Cluster // the current one, nil if there is none, or it is gone; and the chosen one if it is another
	leave           Refusal  // why it must leave the current one
	outcome         string
	code, reason    string
}

// reasonToLeave says why an application must leave the cluster that it is bound to.
func reasonToLeave(s *Snapshot, a *api.Application) Refusal {
	c := s.Find(*a.Status.ScheduledTo)
	if c == nil {
		return Refusal{Code: Gone}
	}
	if r := check(c, a, true); r.Code != "" || a.Status.RunningOn != nil {
		return r
	}
	return s.avoids(c) // it has refused the application
}

func (d *decision) settle(now time.Time) (outcome, chosen, code, reason string) {
	bound := d.current != ""
	held := holdOf(d.app, true, now)
	switch {
	case bound && d.leave.Code == "":
		return Kept, d.current, Matches, "It stays on " + d.current + ", which still matches."
	case bound && held.code != "" && held.until.IsZero():
		return Kept, d.current, held.code, d.although("It stays on %s, because %s", d.current, held.sentence)
	case d.matching == 0 && d.leave.Code == Draining:
		return Kept, d.current, string(Draining), d.although("It stays on %s for now, because there is no other place (%s)", d.current, d.refusals())
	case d.matching == 0:
		return Refused, "", Nowhere, d.noPlace()
	case bound && held.code != "":
		return Kept, d.current, held.code, d.although("It stays on %s until %s, because %s, and then goes to %s",
			d.current, held.until.UTC().Format(time.RFC3339), held.sentence, d.best[0].Name)
	case bound:
		return Moved, d.best[0].Name, string(d.leave.Code), fmt.Sprintf("It moves from %s to %s: %s.", d.current, d.best[0].Name, d.leave.sentence())
	case d.matching == 1:
		return Placed, d.best[0].Name, First, "Only " + d.best[0].Name + " matches."
	case d.best[0].Measured:
		return Placed, d.best[0].Name, First, d.preferred()
	default:
		return Placed, d.best[0].Name, First, fmt.Sprintf("%d clusters match and are equally good; %s is this application's share of them.",
			d.matching, d.best[0].Name)
	}
}

// preferred says why the best of several clusters is that, if metrics say so.
func (d *decision) preferred() string {
	first, next := d.best[0], d.best[1]
	switch {
	case !next.Measured:
		return fmt.Sprintf("%d clusters match; %s is the only one with metrics, which give it a score of %.3g.", d.matching, first.Name, first.Score)
	case better(first, next) == 0:
		return fmt.Sprintf("%d clusters match; the metrics give several of them the best score of %.3g, and %s is this application's share of these.",
			d.matching, first.Score, first.Name)
	default:
		return fmt.Sprintf("%d clusters match; the metrics give %s the best score, %.3g, and %s the next, %.3g.",
			d.matching, first.Name, first.Score, next.Name, next.Score)
	}
}

func (d *decision) although(format string, args ...any) string {
	return fmt.Sprintf(format, args...) + ", although " + d.leave.sentence() + "."
}
