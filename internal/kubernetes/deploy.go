package kubernetes

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/failpoint"
	"github.com/rak-n-rok/krake/internal/fleet"
)

// deploy makes the cluster that the application is bound to hold its manifest.
func (p *pass) deploy(ctx context.Context) (controller.Result, error) {
	cluster := p.clusterOf(p.app.Status.ScheduledTo)
	if cluster == nil {
		return controller.Result{}, nil // the scheduler sees the same, and moves it
	}
	m, err := connect(ctx, p.fleet, cluster)
	if err != nil {
		return p.blocked(ctx, err)
	}
	clean, err := p.apply(ctx, m)
	if err != nil {
		return p.notApplied(ctx, m, err)
	}
	if err := p.deployed(ctx, m); err != nil {
		return controller.Result{}, err
	}
	for _, identity := range p.identities() {
		if identity == m.Identity() || !clean {
			continue
		}
		if clean, err = p.cleanCluster(ctx, identity); err != nil { // what an interrupted move left behind
			return p.blocked(ctx, err)
		}
	}
	if !clean {
		return controller.Result{After: time.Second}, nil // something removed is still going
	}
	return controller.Result{After: p.resync}, nil
}

// apply carries out the plan for one cluster. It returns false while objects that are no longer wanted are still there.
func (p *pass) apply(ctx context.Context, m *fleet.Member) (clean bool, err error) {
	m.Observe(p.entries(m.Identity()))
	owner, err := p.owner(ctx)
	if err != nil {
		return false, err
	}
	desired, err := m.Resolve(ctx, p.app.Spec.Manifest, owner)
	if err != nil {
		return false, err
	}
	plan := fleet.NewPlan(fleet.Situation{
		Cluster: m.Identity(), Desired: desired, Inventory: p.inventory.Objects, Live: p.live(m),
	})
	if plan.Empty() {
		return true, nil
	}
	if err := p.announce(ctx, m, plan); err != nil {
		return false, err
	}
	for _, wave := range plan.Waves() {
		if err := p.applyWave(ctx, m, wave); err != nil {
			return false, err
		}
	}
	return p.prune(ctx, m, plan.PruneWaves())
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
	var status map[string]any
	if len(plan.Create)+len(plan.Prune) > 0 || !p.accepted() {
		status = p.condition(api.Condition{Type: api.Applied, Status: api.Unknown, Reason: api.InProgress})
	}
	for _, c := range plan.Update {
		p.log.Info("applying again", "application", p.key, "object", c.Key(), "cluster", m.Identity(), "reason", c.Why)
	}
	if p.record(plan.Intents()...) {
		defer failpoint.Hit(failpoint.Announced)
		return p.store(ctx, status, api.InventoryPart)
	}
	if status == nil {
		return nil
	}
	return p.store(ctx, status)
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

// applyWave applies the objects of one wave and stores what came of them, also when one of them failed.
func (p *pass) applyWave(ctx context.Context, m *fleet.Member, wave []fleet.Change) error {
	var entries []api.InventoryObject
	var errs []error
	for _, r := range m.ApplyWave(ctx, wave) {
		if r.Err != nil {
			errs = append(errs, r.Err)
			continue
		}
		failpoint.Hit(failpoint.ObjectApplied)
		entries = append(entries, r.Entry)
	}
	if p.record(entries...) {
		if err := p.store(ctx, nil, api.InventoryPart); err != nil {
			return err
		}
		failpoint.Hit(failpoint.WaveStored)
	}
	return errors.Join(errs...)
}

// prune removes objects from a cluster, one wave after the other. It returns false while objects are still there.
func (p *pass) prune(ctx context.Context, m *fleet.Member, waves [][]api.InventoryObject) (clean bool, err error) {
	for _, wave := range waves {
		var gone []api.InventoryObject
		var errs []error
		for _, r := range m.DeleteWave(ctx, wave, p.app.Metadata.UID) {
			if r.Err != nil {
				errs = append(errs, r.Err)
			} else if r.Gone {
				failpoint.Hit(failpoint.ObjectDeleted)
				gone = append(gone, r.Entry)
			}
		}
		if len(gone) > 0 {
			p.drop(gone...)
			if err := p.store(ctx, nil, api.InventoryPart); err != nil {
				return false, err
			}
			failpoint.Hit(failpoint.RemovalStored)
		}
		if len(errs) > 0 || len(gone) < len(wave) {
			return false, errors.Join(errs...)
		}
	}
	return true, nil
}

// everything is the order in which all that the application has on a cluster is removed.
func (p *pass) everything(identity string) [][]api.InventoryObject {
	plan := fleet.NewPlan(fleet.Situation{Cluster: identity, Inventory: p.inventory.Objects})
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
	status["last_applied_manifest"] = p.app.Spec.Manifest
	defer failpoint.Hit(failpoint.Deployed)
	return p.observed(ctx, m, status)
}
