package kubernetes

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/failpoint"
	"github.com/rak-n-rok/krake/internal/fleet"
)

// beginMove starts a move from the cluster that the application runs on to the one that it is bound to.
func (p *pass) beginMove(ctx context.Context) (controller.Result, error) {
	target := p.clusterOf(p.app.Status.ScheduledTo)
	if target == nil || target.Status.Identity == "" {
		return controller.Result{After: p.resync}, nil // it is not known yet, or is going away
	}
	source := p.sourceIdentity(target.Status.Identity)
	if source == "" {
		// The same cluster under another record: the inventory knows clusters by identity, so there is nothing to move.
		p.log.Info("the record of the cluster has changed, not the cluster", "application", p.key, "to", target.Metadata.Name)
		return controller.Result{}, p.store(ctx, map[string]any{"running_on": p.app.Status.ScheduledTo})
	}
	now := p.now()
	why, first := p.app.StopsFirst()
	copies, message := p.copies(), ""
	switch {
	case copies:
		why, message = "its files are copied", "it is stopped while its files are copied to "+target.Metadata.Name
	case first:
		message = "it is stopped before it is created on " + target.Metadata.Name + ", because " + why
	}
	p.enterPhase(begin(api.Migration{
		Message: message, Source: p.app.Status.RunningOn, Target: p.app.Status.ScheduledTo, SourceID: source, TargetID: target.Status.Identity,
		Generation: p.app.Metadata.Generation, Started: &now, Failures: p.migration.Failures, Copies: copies,
	}, first, now, p.limits))
	p.log.Info("moving", "application", p.key, "from", p.app.Status.RunningOn.Name, "to", target.Metadata.Name,
		"phase", p.migration.Phase, "why", why)
	status := p.condition(api.Condition{Type: api.Migrating, Status: api.True, Reason: string(p.migration.Phase), Message: message})
	if err := p.store(ctx, status); err != nil {
		return controller.Result{}, err
	}
	failpoint.Hit(failpoint.MoveBegun)
	return p.move(ctx)
}

// sourceIdentity returns the cluster other than the target on which the application has objects, empty when there is
// none: the one that it runs on, rather than one that is still to be cleaned from an earlier attempt.
func (p *pass) sourceIdentity(target string) string {
	others := p.others(target)
	if c := p.clusterOf(p.app.Status.RunningOn); c != nil && slices.Contains(others, c.Status.Identity) {
		return c.Status.Identity
	}
	if len(others) == 0 {
		return ""
	}
	return others[0]
}

// move carries out the action of the phase that a move is in, and goes on to the next phase.
func (p *pass) move(ctx context.Context) (controller.Result, error) {
	result, again, err := p.moveAction(ctx)
	if err != nil {
		return controller.Result{}, err
	}
	next, eff := advance(p.migration, result, p.now(), p.limits)
	if next.Phase == p.migration.Phase {
		if result.outcome == done {
			again = settling(next, p.now(), p.limits)
			result.why = fmt.Sprintf("it is ready, and has to be for %s until clients are sent there", p.limits.settle)
		}
		if next.Ready != p.migration.Ready || next.Deadline != p.migration.Deadline || next.Attempts != p.migration.Attempts {
			p.enterPhase(next)
		}
		return controller.Result{After: p.until(again)}, p.moveWaits(ctx, result.why)
	}
	cleaned, g := p.migration.SourceID, moved
	if p.migration.Phase == api.PhaseUndoing {
		cleaned, g = p.migration.TargetID, undone
	}
	if eff.handOver {
		if err := p.handOver(ctx, cleaned, cause(result), g); err != nil {
			return controller.Result{}, err
		}
	}
	status := p.effectsOf(eff, next)
	if eff.switchOver {
		p.settleTemplates()
	}
	p.log.Info("move", "application", p.key, "from", p.migration.Phase, "to", next.Phase, "message", next.Message)
	p.tellMove(eff, next)
	p.enterPhase(next)
	if err := p.store(ctx, status); err != nil {
		return controller.Result{}, err
	}
	failpoint.Hit(failpoint.MoveAdvanced)
	if next.Phase == api.PhaseNone {
		return controller.Result{After: time.Millisecond}, nil
	}
	return p.move(ctx) // the cache does not know of this phase yet
}

// tellMove writes an event about the end of a move.
func (p *pass) tellMove(eff effects, next api.Migration) {
	from, to := p.clusterName(p.migration.SourceID), p.clusterName(p.migration.TargetID)
	switch {
	case eff.giveUp:
		p.events.Warning(p.app, "MoveFailed", "It stays on %s and does not move to %s: %s", from, to, next.Message)
	case next.Phase == api.PhaseNone:
		p.events.Normal(p.app, "Moved", "It has moved from %s to %s.", from, to)
	}
}

// cause says why something is left over after a move.
func cause(r result) string {
	switch r.outcome {
	case unheard:
		return unreachable
	case withheld:
		return unapproved
	}
	return "It could not be removed in time when the application moved away."
}

// moveWaits stores what a move waits for, and what it has done so far.
func (p *pass) moveWaits(ctx context.Context, why string) error {
	status := p.condition(api.Condition{Type: api.Migrating, Status: api.True, Reason: string(p.migration.Phase),
		Message: cmp.Or(why, p.migration.Message)})
	if status != nil {
		p.log.Info("a move waits", "application", p.key, "phase", p.migration.Phase, "for", why)
	}
	return p.store(ctx, status)
}

// until waits for an action to be repeated, but not beyond the deadline of the phase.
func (p *pass) until(wait time.Duration) time.Duration {
	if d := p.migration.Deadline; d != nil {
		wait = min(wait, max(d.Time().Sub(p.clock()), 10*time.Millisecond))
	}
	return wait
}

// moveAction does what the phase is for, and says when it is to be done again. An error is one of Krake's own API.
func (p *pass) moveAction(ctx context.Context) (result, time.Duration, error) {
	switch phase := p.migration.Phase; {
	case phase == api.PhaseClaiming:
		return p.claim(ctx)
	case phase == api.PhaseStopping && p.migration.Copies:
		return p.halt(ctx)
	case phase == api.PhaseCopying:
		return p.copy(ctx)
	case phase == api.PhaseUndoing && p.migration.Copies:
		return p.takeBack(ctx)
	case phase == api.PhaseStopping:
		return p.leaveSource(ctx, fleet.AndItsOwn)
	case phase == api.PhaseRemoving:
		return p.leaveSource(ctx, fleet.Itself)
	case phase == api.PhaseUndoing:
		return p.clear(ctx, p.migration.TargetID, fleet.Itself, undone)
	case phase == api.PhaseCreating:
		return p.createOnTarget(ctx)
	default:
		return result{}, p.resync, nil
	}
}

// leaveSource removes everything from the source but files, which are kept for a while.
func (p *pass) leaveSource(ctx context.Context, extent fleet.Extent) (result, time.Duration, error) {
	if err := p.keepFiles(ctx, p.migration.SourceID); err != nil {
		return result{}, 0, err
	}
	return p.clear(ctx, p.migration.SourceID, extent, moved)
}

// clear removes everything from one cluster of a move.
func (p *pass) clear(ctx context.Context, identity string, extent fleet.Extent, g ground) (result, time.Duration, error) {
	clean, err := p.cleanCluster(ctx, identity, extent, g)
	switch {
	case err != nil && ours(err):
		return result{}, 0, err
	case silent(err):
		return result{unheard, reasonOf(err).Message}, time.Second, nil
	case err != nil:
		return result{notYet, reasonOf(err).Message}, time.Second, nil
	case !clean && p.withholds(identity):
		return result{withheld, "somebody has to approve what it would remove from " + p.clusterName(identity)}, p.resync, nil
	case !clean:
		return result{}, 500 * time.Millisecond, nil
	default:
		return result{outcome: done}, 0, nil
	}
}

// createOnTarget applies the manifest on the target and says whether everything is ready there.
func (p *pass) createOnTarget(ctx context.Context) (result, time.Duration, error) {
	target := p.clusterOf(p.migration.Target)
	if target == nil {
		return result{refused, "its record was removed"}, 0, nil
	}
	m, err := Connect(ctx, p.fleet, target)
	if err == nil {
		_, err = p.apply(ctx, m)
	}
	if err != nil {
		return halfway(err)
	}
	m.Observe(p.entries(m.Identity()))
	seen := p.live(m)
	if unseen := seen.Unknown(); len(unseen) > 0 {
		return result{notYet, fmt.Sprintf("it is not known yet how %s is doing", fleet.KeyOf(unseen[0]))}, p.lookAgain(m), nil
	}
	verdicts := p.rules.Ask(ctx, seen.Live())
	h := fleet.Health(seen.Live(), seen.Missing(), verdicts)
	if !h.Ready && !h.Completed {
		return result{notYet, h.Message}, p.resync, nil
	}
	p.arrived = &arrival{h, addresses(m, seen, verdicts, nil)}
	return result{outcome: done}, 0, nil
}

// effectsOf gives the status fields that change with a new phase.
func (p *pass) effectsOf(eff effects, next api.Migration) map[string]any {
	now := p.now()
	conditions := p.app.Status.Conditions.Without(api.Migrating)
	if next.Phase != api.PhaseNone {
		conditions = p.app.Status.Conditions.With(api.Condition{Type: api.Migrating, Status: api.True, Reason: string(next.Phase),
			Message: next.Message, ObservedGeneration: p.app.Metadata.Generation}, now)
	}
	status := map[string]any{}
	switch {
	case eff.leaveSource:
		status["running_on"] = nil
		status["services"] = p.servicesPatch(nil)
	case eff.switchOver:
		status["running_on"] = p.migration.Target
		status["services"] = p.servicesPatch(p.arrived.services)
		status["last_applied_manifest"] = fleet.Describe(p.wish(p.migration.TargetID), fleet.Snapshot{}).Applied
		status["migration_retries"], status["migration_timeout"] = 0, 0
		conditions = conditions.With(api.Condition{Type: api.Applied, Status: api.True, Reason: "Accepted",
			ObservedGeneration: p.app.Metadata.Generation}, now)
		conditions = conditions.With(healthCondition(p.arrived.health, conditions.Get(api.Healthy), p.app.Metadata.Generation), now)
		status["container_health"] = p.arrived.health.Containers
	case eff.giveUp:
		status["scheduled_to"] = p.app.Status.RunningOn
		status["migration_retries"] = next.Failures
		status["migration_timeout"] = now.Time().Unix() + holdSeconds*next.Failures
		conditions = conditions.With(api.Condition{Type: api.Migrating, Status: api.False, Reason: "GaveUp",
			Message: "The last move was given up: " + next.Message, ObservedGeneration: p.app.Metadata.Generation}, now)
	}
	status["conditions"] = conditions
	return status
}

// holdSeconds is how long the scheduler leaves an application alone after a failed move, for each failure in a row.
const holdSeconds = 60
