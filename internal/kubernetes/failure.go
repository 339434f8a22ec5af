package kubernetes

import (
	"context"
	"errors"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/fleet"
)

// refusal is a manifest that a cluster refused, and when it is tried again.
type refusal struct {
	generation int64
	cluster    api.ResourceRef
	until      time.Time
}

// refusedFor says how long the manifest is still not tried again on the cluster that it is bound to.
func (p *pass) refusedFor() time.Duration {
	r := p.memory.get(p.key, p.app.Metadata.UID)
	if r == nil || r.refusal.generation != p.app.Metadata.Generation || !api.SameRef(&r.refusal.cluster, p.app.Status.ScheduledTo) {
		return 0
	}
	return r.refusal.until.Sub(p.clock())
}

// holdBack has the manifest not tried again for a while.
func (p *pass) holdBack() {
	if r := p.memory.get(p.key, p.app.Metadata.UID); r != nil {
		r.refusal = refusal{p.app.Metadata.Generation, *p.app.Status.ScheduledTo, p.clock().Add(p.refused)}
	}
}

// reasonOf is what users see of an error. Waiting for a cluster's record is like not reaching the cluster.
func reasonOf(err error) api.Reason {
	var wait *WaitError
	if errors.As(err, &wait) {
		return api.Reason{Code: api.ClusterNotReachable, Message: wait.message}
	}
	return fleet.Reason(err)
}

// ours says whether an error comes from Krake's own API and so says nothing of the cluster.
func ours(err error) bool {
	var p *api.Problem
	return errors.As(err, &p) || client.Unreachable(err) || errors.Is(err, context.Canceled)
}

// blocked stores that the cluster cannot be worked with now, and has it tried again.
func (p *pass) blocked(ctx context.Context, err error) (controller.Result, error) {
	return p.blockedWith(ctx, err, map[string]any{})
}

// blockedWith also stores what else is known: a patch of the status.
func (p *pass) blockedWith(ctx context.Context, err error, status map[string]any) (controller.Result, error) {
	if ours(err) {
		return controller.Result{}, err
	}
	reason := reasonOf(err)
	if silent(err) {
		p.lostSight(status, reason.Message)
	}
	p.setCondition(status, api.Condition{Type: api.Applied, Status: p.appliedBefore(), Reason: string(reason.Code), Message: reason.Message})
	if storeErr := p.store(ctx, status); storeErr != nil {
		return controller.Result{}, storeErr
	}
	var wait *WaitError
	if errors.As(err, &wait) {
		return controller.Result{After: p.resync}, nil // a change of the cluster's record brings us back
	}
	if pause := fleet.RetryAfter(err); pause > 0 {
		return controller.Result{After: pause}, nil // as the cluster asks
	}
	return controller.Result{}, err
}

// appliedBefore keeps the condition of an application whose newest generation was accepted: that the cluster does not
// answer takes nothing back.
func (p *pass) appliedBefore() api.ConditionStatus {
	if p.accepted() {
		return api.True
	}
	return api.Unknown
}

// notApplied stores why the manifest could not be applied. What a refused manifest has created in its first attempt is
// removed again, usually before that is said: nothing is left on the cluster.
func (p *pass) notApplied(ctx context.Context, m *fleet.Member, err error) (controller.Result, error) {
	if ours(err) {
		return controller.Result{}, err
	}
	final := fleet.Final(err)
	if final && p.app.Status.RunningOn == nil {
		if _, err := p.cleanCluster(ctx, m.Identity(), fleet.Itself, undone); err != nil && ours(err) {
			return controller.Result{}, err
		}
	}
	status, seen := map[string]any{}, p.live(m)
	if err := p.compare(ctx, m, p.health(m.Identity(), seen, p.rules.Ask(ctx, seen.Live())), status); err != nil {
		return controller.Result{}, err
	}
	if !final {
		return p.blockedWith(ctx, err, status)
	}
	reason := reasonOf(err)
	before := p.app.Status.Conditions.Get(api.Applied)
	p.setCondition(status, api.Condition{Type: api.Applied, Status: api.False, Reason: string(reason.Code), Message: reason.Message})
	if p.conditionsIn(status).Get(api.Applied) != before {
		p.log.Warn("the manifest was refused", "application", p.key, "code", reason.Code, "error", reason.Message)
		p.events.Warning(p.app, "ManifestRefused", "%s", reason.Message)
	}
	if err := p.store(ctx, status); err != nil {
		return controller.Result{}, err
	}
	p.holdBack()
	return p.heldBack(ctx, p.refused)
}

// heldBack waits with a manifest that was refused. What is still there of its first attempt goes meanwhile: a namespace
// takes its time.
func (p *pass) heldBack(ctx context.Context, wait time.Duration) (controller.Result, error) {
	if p.app.Status.RunningOn == nil && len(p.inventory.Objects) > 0 {
		clean, err := p.cleanAll(ctx, undone)
		if err != nil {
			return controller.Result{}, err
		}
		if !clean {
			wait = min(wait, time.Second)
		}
	}
	return p.observeUntil(ctx, wait)
}
