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
	Moved   = "moved"   // to another cluster
	Refused = "refused" // no cluster can be chosen; it stays where it is, if it is anywhere
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
		d.current, d.leave = a.Status.ScheduledTo.Name, reasonToLeave(s, a)
	}
	d.outcome, d.chosen, d.reason = d.settle(now)
	return d.record(now)
}

// decision is a decision in the making.
type decision struct {
	field
	app             *api.Application
	current, chosen string  // names of clusters, empty for none
	leave           Refusal // why it must leave the current one
	outcome, reason string
}

// reasonToLeave says why an application must leave the cluster that it is bound to.
func reasonToLeave(s *Snapshot, a *api.Application) Refusal {
	c := s.Find(*a.Status.ScheduledTo)
	if c == nil {
		return Refusal{Code: Gone}
	}
	return check(c, a, true)
}

func (d *decision) settle(now time.Time) (outcome, chosen, reason string) {
	hold := time.Unix(d.app.Status.MigrationTimeout, 0)
	bound := d.current != ""
	switch {
	case bound && d.leave.Code == "":
		return Kept, d.current, "It stays on " + d.current + ", which still matches."
	case bound && !d.app.Spec.Constraints.Migration:
		return Kept, d.current, d.although("It stays on %s, because its migration is switched off", d.current)
	case bound && moving(d.app):
		return Kept, d.current, d.although("It stays bound to %s until the move that is under way has ended", d.current)
	case d.matching == 0:
		return Refused, "", d.noPlace()
	case bound && now.Before(hold):
		return Kept, d.current, d.although("It stays on %s until %s, because a move has failed, and then goes to %s",
			d.current, hold.UTC().Format(time.RFC3339), d.best[0].Name)
	case bound:
		return Moved, d.best[0].Name, fmt.Sprintf("It moves from %s to %s: %s.", d.current, d.best[0].Name, d.leave.sentence())
	case d.matching == 1:
		return Placed, d.best[0].Name, "Only " + d.best[0].Name + " matches."
	default:
		return Placed, d.best[0].Name, fmt.Sprintf("%d clusters match and are equally good; %s is this application's share of them.",
			d.matching, d.best[0].Name)
	}
}

func (d *decision) although(format string, args ...any) string {
	return fmt.Sprintf(format, args...) + ", although " + d.leave.sentence() + "."
}

// moving says whether the application is on its way between two clusters. It must not get a third one then.
func moving(a *api.Application) bool {
	return a.Status.Conditions.Get(api.Migrating).Status == api.True ||
		a.Status.Conditions.Get(api.ShuttingDown).Status == api.True
}
