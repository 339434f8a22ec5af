package kubernetes

import (
	"context"
	"maps"
	"slices"
	"strings"
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
	m, err := Connect(ctx, p.fleet, cluster)
	if err != nil {
		status := map[string]any{}
		p.lostSight(status, reasonOf(err).Message)
		return controller.Result{After: p.resync}, p.store(ctx, status)
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
		return p.sooner(min(unseen, p.resync))
	}
	return p.sooner(p.resync)
}

// observeUntil stores what is seen of an application that is to be worked on again after a while.
func (p *pass) observeUntil(ctx context.Context, wait time.Duration) (controller.Result, error) {
	_, err := p.observe(ctx)
	return controller.Result{After: p.sooner(wait)}, err
}

// observed adds to a patch of the status what is seen on a cluster, and stores it if there is anything to store.
func (p *pass) observed(ctx context.Context, m *fleet.Member, status map[string]any) error {
	m.Observe(p.entries(m.Identity()))
	seen := p.live(m)
	verdicts := p.rules.Ask(ctx, seen.Live())
	health := p.health(m.Identity(), seen, verdicts)
	if seen.Synced() {
		p.sawHealth(health, status)
		if found := addresses(m, seen, verdicts, p.app.Status.Services); !p.app.Status.Services.Are(found) {
			status["services"] = p.servicesPatch(found)
		}
		if p.accepted() || status["running_on"] != nil {
			p.describe(m.Identity(), seen, status)
		}
	}
	if err := p.compare(ctx, m, health, status); err != nil {
		return err
	}
	return p.store(ctx, status)
}

// health judges what is seen on a cluster. What is about to be removed there is told of beside the others, and says nothing
// of the application.
func (p *pass) health(identity string, seen fleet.Snapshot, verdicts fleet.Verdicts) fleet.HealthReport {
	all := fleet.Health(seen.Live(), seen.Missing(), verdicts)
	surplus := func(object fleet.Key) bool {
		d := p.sight.deviations[objectKey{identity, object}]
		return d != nil && d.Way == fleet.Surplus
	}
	if !slices.ContainsFunc(p.entries(identity), func(e api.InventoryObject) bool { return surplus(fleet.KeyOf(e)) }) {
		return all
	}
	wanted := seen.Without(surplus)
	h := fleet.Health(wanted.Live(), wanted.Missing(), verdicts)
	h.Objects = all.Objects
	return h
}

// sawHealth turns a report into the condition and the counts of pods.
func (p *pass) sawHealth(h fleet.HealthReport, status map[string]any) {
	conditions := p.conditionsIn(status)
	before := conditions.Get(api.Healthy)
	generation := before.ObservedGeneration
	if applied := conditions.Get(api.Applied); applied.Status == api.True {
		generation = applied.ObservedGeneration // that of what is there, while a newer one is still to be applied
	}
	p.putCondition(status, healthCondition(h, before, generation))
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
	case h.Unjudged:
		c.Status, c.Reason = api.Unknown, "Unjudged"
	case h.Failed || wasReady:
		c.Status, c.Reason = api.False, "NotReady"
	default:
		c.Status, c.Reason = api.Unknown, "Progressing"
	}
	return c
}

// addresses are those at which an application's services can be reached from outside of the cluster, by their names, and
// those that rules find in other objects. Where a rule cannot be applied, what was known before stays.
func addresses(m *fleet.Member, seen fleet.Snapshot, verdicts fleet.Verdicts, before api.Services) map[string]string {
	found := map[string]string{}
	for _, live := range seen.Live() {
		maps.Copy(found, ruledAddresses(live.GetName(), verdicts[live], before))
		if live.GetKind() != "Service" {
			continue
		}
		if address, ok := fleet.ServiceAddress(live, m.Host()); ok {
			found[live.GetName()] = address
		}
	}
	return found
}

// ruledAddresses are those that a rule finds in the object of this name. Names of services have no dots, so these come in no
// one's way.
func ruledAddresses(object string, v fleet.Verdict, before api.Services) map[string]string {
	found := map[string]string{}
	for name, address := range v.Addresses {
		found[object+"."+name] = address
	}
	for name := range before {
		if i := strings.LastIndexByte(name, '.'); v.Problem != "" && i >= 0 && name[:i] == object {
			found[name] = before.Text(name)
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
