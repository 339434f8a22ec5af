package kubernetes

import (
	"context"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/fleet"
)

// observe stores what is seen of an application that is otherwise left alone for now.
func (p *pass) observe(ctx context.Context) (controller.Result, error) {
	cluster := p.clusterOf(p.app.Status.RunningOn)
	if cluster == nil {
		return controller.Result{}, nil
	}
	m, err := connect(ctx, p.fleet, cluster)
	if err != nil {
		return controller.Result{After: p.resync}, nil // the cluster's own state says so
	}
	err = p.observed(ctx, m, map[string]any{})
	return controller.Result{After: p.lookAgain(m)}, err
}

// unseen is how soon an application is looked at again of which not everything is known. Informers tell of what changes,
// and not that they know now what there was before.
const unseen = 2 * time.Second

// lookAgain says when an application is to be looked at again if nobody tells of a change.
func (p *pass) lookAgain(m *fleet.Member) time.Duration {
	if !p.live(m).Synced() {
		return min(unseen, p.resync)
	}
	return p.resync
}

// observeUntil stores what is seen of an application that is to be worked on again after a while.
func (p *pass) observeUntil(ctx context.Context, wait time.Duration) (controller.Result, error) {
	_, err := p.observe(ctx)
	return controller.Result{After: wait}, err
}

// observed adds to a patch of the status what is seen on a cluster, and stores it if there is anything to store.
func (p *pass) observed(ctx context.Context, m *fleet.Member, status map[string]any) error {
	m.Observe(p.entries(m.Identity()))
	if seen := p.live(m); seen.Synced() {
		p.sawHealth(fleet.Health(seen.Live(), seen.Missing()), status)
		if found := addresses(m, seen); !p.app.Status.Services.Are(found) {
			status["services"] = p.servicesPatch(found)
		}
	}
	return p.store(ctx, status)
}

// sawHealth turns a report into the condition and the counts of pods.
func (p *pass) sawHealth(h fleet.HealthReport, status map[string]any) {
	conditions, _ := status["conditions"].(api.Conditions)
	if conditions == nil {
		conditions = p.app.Status.Conditions
	}
	before := conditions.Get(api.Healthy)
	generation := before.ObservedGeneration
	if applied := conditions.Get(api.Applied); applied.Status == api.True {
		generation = applied.ObservedGeneration // that of what is there, while a newer one is still to be applied
	}
	next := healthCondition(h, before, generation)
	if next != timeless(conditions.Get(api.Healthy)) {
		status["conditions"] = conditions.With(next, p.now())
	}
	if h.Containers != p.app.Status.ContainerHealth {
		status["container_health"] = h.Containers
	}
}

// timeless is a condition as it is found, without the time of its last transition.
func timeless(c api.Condition) api.Condition {
	c.LastTransition = nil
	return c
}

// healthCondition says how a report changes the condition. Until a generation has been ready once, not being ready is
// progress, not a defect.
func healthCondition(h fleet.HealthReport, before api.Condition, generation int64) api.Condition {
	c := api.Condition{Type: api.Healthy, ObservedGeneration: generation, Message: h.Message}
	wasReady := before.Status != api.Unknown && before.ObservedGeneration == generation
	switch {
	case h.Completed:
		c.Status, c.Reason = api.True, api.Completed
	case h.Ready:
		c.Status, c.Reason = api.True, "Ready"
	case h.Restarting:
		c.Status, c.Reason = api.False, api.Restarting
	case h.Failed || wasReady:
		c.Status, c.Reason = api.False, "NotReady"
	default:
		c.Status, c.Reason = api.Unknown, "Progressing"
	}
	return c
}

// addresses are those at which an application's services can be reached from outside of the cluster, by their names.
func addresses(m *fleet.Member, seen fleet.Snapshot) map[string]string {
	found := map[string]string{}
	for _, live := range seen.Live() {
		if live.GetKind() != "Service" {
			continue
		}
		if address, ok := fleet.ServiceAddress(live, m.Host()); ok {
			found[live.GetName()] = address
		}
	}
	return found
}

// servicesPatch is the merge patch that makes the services these: it removes by null.
func (p *pass) servicesPatch(services map[string]string) map[string]any {
	patch := map[string]any{}
	for name := range p.app.Status.Services {
		patch[name] = nil
	}
	for name, address := range services {
		patch[name] = address
	}
	return patch
}
