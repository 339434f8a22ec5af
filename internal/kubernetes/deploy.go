package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/failpoint"
	"github.com/rak-n-rok/krake/internal/fleet"
)

// deploy makes the cluster that the application is bound to hold its manifest.
func (p *pass) deploy(ctx context.Context) (controller.Result, error) {
	if wait := p.refusedFor(); wait > 0 {
		return p.heldBack(ctx, wait)
	}
	cluster := p.clusterOf(p.app.Status.ScheduledTo)
	if cluster == nil {
		return controller.Result{}, nil // the scheduler sees the same, and moves it
	}
	m, err := Connect(ctx, p.fleet, cluster)
	if err != nil {
		return p.blocked(ctx, err)
	}
	if _, twice := p.app.StopsFirst(); twice && p.app.Status.RunningOn == nil {
		if empty, err := p.emptyOthers(ctx, m); err != nil || !empty {
			return p.stillElsewhere(ctx, err)
		}
	}
	clean, err := p.apply(ctx, m)
	if errors.Is(err, errVanished) {
		return controller.Result{After: time.Millisecond}, nil
	}
	if err != nil {
		return p.notApplied(ctx, m, err)
	}
	if err := p.deployed(ctx, m); err != nil {
		return controller.Result{}, err
	}
	for _, identity := range p.others(m.Identity()) {
		left, err := p.leave(ctx, identity) // a first attempt elsewhere, before the scheduler chose this cluster
		if err != nil {
			return controller.Result{}, err
		}
		clean = clean && left
	}
	if !clean && len(p.withheld) == 0 {
		return controller.Result{After: min(stillGoing, p.resync)}, nil
	}
	return controller.Result{After: p.lookAgain(m)}, nil
}

// stillGoing is how soon it is looked again for objects that were removed and are still there. News of their end come by
// themselves where they are watched.
const stillGoing = 5 * time.Second

// emptyOthers removes what there is on other clusters, from an attempt before the scheduler chose this one. Of an
// application that must not run twice nothing may be left there, and it waits for clusters that do not answer.
func (p *pass) emptyOthers(ctx context.Context, m *fleet.Member) (empty bool, err error) {
	empty = true
	for _, identity := range p.others(m.Identity()) {
		clean, err := p.cleanCluster(ctx, identity, fleet.AndItsOwn, moved)
		if err != nil {
			return false, err
		}
		empty = empty && clean
	}
	return empty, nil
}

// stillElsewhere has the deployment wait for what is still on other clusters.
func (p *pass) stillElsewhere(ctx context.Context, err error) (controller.Result, error) {
	if err != nil {
		return p.blocked(ctx, fmt.Errorf("before anything is created, what is left elsewhere has to go: %w", err))
	}
	return controller.Result{After: p.stillThere()}, nil
}

// errVanished says that objects are gone that somebody else has deleted. The inventory knows; the next pass announces and
// creates them like new ones.
var errVanished = errors.New("objects are gone from the cluster")

// apply carries out the plan for one cluster. It returns false while objects that are no longer wanted are still there.
func (p *pass) apply(ctx context.Context, m *fleet.Member) (clean bool, err error) {
	m.Observe(p.entries(m.Identity()))
	plan, err := p.plan(ctx, m)
	if err != nil {
		return false, err
	}
	if plan.Empty() {
		return true, p.nothingWaits(ctx, m.Identity())
	}
	p.looked = false
	if err := p.applyPlan(ctx, m, plan); err != nil {
		return false, err
	}
	if clean, err = p.prune(ctx, m, plan.Prune, fleet.Itself, pruned); err != nil {
		return false, errors.Join(err, p.flush(ctx))
	}
	return clean, nil
}

// applyPlan applies what a plan has to create and to change, one wave after the other.
func (p *pass) applyPlan(ctx context.Context, m *fleet.Member, plan fleet.Plan) error {
	if err := p.ensureHome(ctx, m, plan); err != nil {
		return err
	}
	if err := p.announce(ctx, m, plan); err != nil {
		return err
	}
	for i, wave := range plan.Waves() {
		if i > 0 { // the UIDs of the last wave are stored with what comes of it all
			if err := p.flush(ctx); err != nil {
				return err
			}
			failpoint.Hit(failpoint.WaveStored)
		}
		if err := p.applyWave(ctx, m, wave); err != nil {
			return errors.Join(err, p.flush(ctx))
		}
	}
	return nil
}

// ensureHome makes the namespace in which new objects have to be, where each namespace of Krake has one of its own.
func (p *pass) ensureHome(ctx context.Context, m *fleet.Member, plan fleet.Plan) error {
	home := fleet.HomeOf(p.app.Metadata.NamespaceOrEmpty())
	isInside := func(o fleet.Object) bool { return o.Entry.Namespace == home }
	if p.confined == nil || !slices.ContainsFunc(plan.Unproven(), isInside) {
		return nil
	}
	owner, err := p.owner(ctx)
	if err != nil {
		return err
	}
	return m.EnsureHome(ctx, owner)
}

// owner is how the application's objects are marked.
func (p *pass) owner(ctx context.Context) (fleet.Owner, error) {
	installation, err := p.installation(ctx)
	return fleet.Owner{
		UID: p.app.Metadata.UID, Namespace: p.app.Metadata.NamespaceOrEmpty(), Name: p.app.Metadata.Name, Installation: installation,
	}, err
}

// live is what is known without asking of the application's objects on a cluster.
func (p *pass) live(m *fleet.Member) fleet.Snapshot {
	return m.Snapshot(p.app.Metadata.UID, p.entries(m.Identity()))
}

// announce stores what is about to be created, after it made sure that nobody else has it: a process that dies on the
// way leaves nothing that nobody knows of.
func (p *pass) announce(ctx context.Context, m *fleet.Member, plan fleet.Plan) error {
	if err := m.CheckAll(ctx, plan.Unproven()); err != nil {
		return err
	}
	if err := p.ensureFinalizer(ctx); err != nil {
		return err
	}
	status := p.begun(plan)
	for _, c := range plan.Update {
		p.log.Info("applying again", "application", p.key, "object", c.Key(), "cluster", m.Identity(), "reason", c.Why)
		if c.Repairs() {
			p.tellRepair(ctx, m, c)
		}
	}
	p.record(plan.Intents()...)
	if err := p.store(ctx, status); err != nil {
		return err
	}
	failpoint.Hit(failpoint.Announced)
	return nil
}

// tellRepair writes an event about an object that is put back to what it was, and by whom it was changed.
func (p *pass) tellRepair(ctx context.Context, m *fleet.Member, c fleet.Change) {
	by := ""
	managers, _ := m.ChangedBy(ctx, c.Object) // who it was is not worth a failure
	if len(managers) > 0 {
		by = " (by " + strings.Join(managers, " and ") + ")"
	}
	p.sight.deviations.changedBy(keyOfEntry(c.Entry), managers)
	p.events.Warning(p.app, "Repaired", "%s on the cluster %s is applied again: %s%s.", c.Key(), p.clusterName(m.Identity()), c.Why, by)
}

// begun says that something is being applied. A repair is not worth a word; a repeated attempt leaves what was said of
// the one before until it has another end; a move speaks for itself.
func (p *pass) begun(plan fleet.Plan) map[string]any {
	c := p.app.Status.Conditions.Get(api.Applied)
	news := c.Reason == "" || c.ObservedGeneration != p.app.Metadata.Generation || c.Status == api.True && len(plan.Create) > 0
	if !news || p.migration.Phase != api.PhaseNone {
		return nil
	}
	return p.condition(api.Condition{Type: api.Applied, Status: api.Unknown, Reason: api.InProgress})
}

// accepted says whether the newest generation was accepted by the cluster before.
func (p *pass) accepted() bool {
	c := p.app.Status.Conditions.Get(api.Applied)
	return c.Status == api.True && c.ObservedGeneration == p.app.Metadata.Generation
}

// ensureFinalizer keeps the record until the objects are gone.
func (p *pass) ensureFinalizer(ctx context.Context) error {
	if slices.Contains(p.app.Metadata.Finalizers, api.FinalizerResources) {
		return nil
	}
	finalizers := append(slices.Clone(p.app.Metadata.Finalizers), api.FinalizerResources)
	app, err := p.set.Patch(ctx, p.app, map[string]any{"metadata": map[string]any{"finalizers": finalizers}})
	if err != nil {
		return err
	}
	failpoint.Hit(failpoint.FinalizerSet)
	p.app = app
	return nil
}

// applyWave applies the objects of one wave and notes what came of them, also when one of them failed.
func (p *pass) applyWave(ctx context.Context, m *fleet.Member, wave []fleet.Change) error {
	ctx, cancel := context.WithTimeout(ctx, waveTime)
	defer cancel()
	var errs []error
	vanished := false
	for i, r := range m.ApplyWave(ctx, wave) {
		var gone *fleet.VanishedError
		isGone, object := errors.As(r.Err, &gone), keyOfEntry(wave[i].Entry)
		if wave[i].Repairs() && (isGone || r.Err == nil) {
			p.sight.deviations.repair(object, p.clock())
		}
		switch {
		case isGone:
			vanished = true
			p.record(wave[i].Intent())
		case r.Err != nil:
			p.sight.deviations.failed(object, r.Err)
			errs = append(errs, r.Err)
		default:
			failpoint.Hit(failpoint.ObjectApplied)
			p.record(r.Entry)
		}
	}
	if len(errs) == 0 && vanished {
		return errVanished
	}
	return errors.Join(errs...)
}

// waveTime is how long a wave may take. What was done of it by then is noted, and the next pass goes on. It is shorter
// than the time for which leftovers look for what was only announced, so that nothing is created after they have stopped.
const waveTime = settled - 15*time.Second

// prune removes objects from a cluster, one wave after the other. It returns false while objects are still there. What
// is gone is noted; whoever calls stores it.
func (p *pass) prune(ctx context.Context, m *fleet.Member, objects []api.InventoryObject, extent fleet.Extent, g ground) (clean bool, err error) {
	free, mark, err := p.mayGo(ctx, m, objects, g)
	if err != nil {
		return false, err
	}
	for _, wave := range inOrder(m, free) {
		var errs []error
		clean := true
		for _, r := range m.DeleteWave(ctx, wave, mark, extent) {
			clean = clean && r.Gone
			if r.Err != nil {
				errs = append(errs, r.Err)
			} else if r.Gone {
				failpoint.Hit(failpoint.ObjectDeleted)
				p.drop(r.Entry)
			}
		}
		if len(errs) > 0 || !clean {
			return false, errors.Join(errs...)
		}
	}
	return len(free) == len(objects), nil
}

// inOrder is the order in which objects are removed from a cluster.
func inOrder(m *fleet.Member, objects []api.InventoryObject) [][]api.InventoryObject {
	plan := fleet.NewPlan(fleet.Situation{Cluster: m.Identity(), Inventory: objects})
	return plan.PruneWaves()
}

// deployed stores that the cluster has accepted the manifest, with what is seen of it.
func (p *pass) deployed(ctx context.Context, m *fleet.Member) error {
	status := p.condition(api.Condition{Type: api.Applied, Status: api.True, Reason: "Accepted"})
	if status == nil && api.SameRef(p.app.Status.RunningOn, p.app.Status.ScheduledTo) {
		return p.observed(ctx, m, map[string]any{})
	}
	if status == nil {
		status = map[string]any{}
	}
	status["running_on"] = p.app.Status.ScheduledTo
	status["last_applied_manifest"] = fleet.Describe(p.wish(m.Identity()), fleet.Snapshot{}).Applied
	if err := p.observed(ctx, m, status); err != nil {
		return err
	}
	failpoint.Hit(failpoint.Deployed)
	return nil
}
