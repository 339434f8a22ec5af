package kubernetes

import (
	"context"
	"slices"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
	"github.com/rak-n-rok/krake/internal/fleet"
)

// mayGo returns those objects of a batch on one cluster that may be removed, and by which mark others than the recorded
// ones are known to be the application's: by none where only what was counted or approved may go.
func (p *pass) mayGo(ctx context.Context, m *fleet.Member, objects []api.InventoryObject, g ground) (free []api.InventoryObject, mark string, err error) {
	unasked := slices.DeleteFunc(g.unasked(objects, p.app.Spec.Manifest), func(o api.InventoryObject) bool {
		return isHelper(p.app.Metadata.UID, o) // nobody asked for it to be there either
	})
	if len(unasked) == 0 || p.budget.unlimited() {
		return objects, p.app.Metadata.UID, p.nothingWaits(ctx, m.Identity())
	}
	before, err := p.readRemoval(ctx)
	if err != nil {
		return nil, "", err
	}
	v, err := p.budget.judge(ctx, m, p.app.Metadata.UID, before, batch{objects, unasked, g.why()})
	if err != nil {
		return nil, "", err
	}
	p.record(v.objects...)
	if v.waits {
		p.withheld = append(p.withheld, m.Identity())
		p.tellWaiting(m, before, v.removal)
	}
	return v.free, "", p.storeRemoval(ctx, before, v.removal)
}

// withholds says whether something on a cluster waits for approval, as this pass has found.
func (p *pass) withholds(identity string) bool { return slices.Contains(p.withheld, identity) }

// tellWaiting writes an event about objects that did not wait before.
func (p *pass) tellWaiting(m *fleet.Member, before, after api.Removal) {
	waiting := on(m.Identity(), after.Waiting)
	if sameObjects(on(m.Identity(), before.Waiting), waiting) {
		return
	}
	cluster := p.clusterName(m.Identity())
	p.log.Warn("a removal waits for approval", "application", p.key, "cluster", cluster, "objects", len(waiting), "why", after.Why)
	p.events.Warning(p.app, "RemovalWaits", "On the cluster %s: %s", cluster, after.Condition(p.app).Message)
}

// nothingWaits takes back what was said of objects on a cluster that waited: they may go, or are to stay.
func (p *pass) nothingWaits(ctx context.Context, identity string) error {
	if !tells(p.app.Status.Conditions) {
		return nil
	}
	before, err := p.readRemoval(ctx)
	if err != nil {
		return err
	}
	after := before
	after.Waiting = notOn(identity, before.Waiting)
	return p.storeRemoval(ctx, before, after)
}

func (p *pass) readRemoval(ctx context.Context) (api.Removal, error) {
	if p.removal == nil {
		var stored api.Removal
		if _, err := p.set.GetPart(ctx, p.app, api.RemovalPart, &stored); err != nil {
			return stored, err
		}
		p.removal = &stored
	}
	return *p.removal, nil
}

// storeRemoval stores what waits and what may go, with the condition that tells of it. An approval that came meanwhile has
// changed the application, so that this write is refused.
func (p *pass) storeRemoval(ctx context.Context, before, after api.Removal) error {
	after = forgetting(after, p.inventory.Objects)
	p.removal, p.removalChanged = &after, !wire.Equal(before, after)
	var status map[string]any
	if conditions := saying(p.app.Status.Conditions, after, p.app, p.now()); !wire.Equal(conditions, p.app.Status.Conditions) {
		status = map[string]any{"conditions": conditions}
	}
	return p.store(ctx, status)
}

// mayGo returns those objects of a leftover that may be removed, and the mark by which others than the recorded ones are
// known, as for an application; with the leftover as it is stored then.
func (c *Leftovers) mayGo(ctx context.Context, m *fleet.Member, l *api.Leftover, objects []api.InventoryObject) (_ *api.Leftover, free []api.InventoryObject, mark string, err error) {
	if !l.KeepsFiles() && (l.Spec.Cleared || c.budget.unlimited() || len(objects) == 0) {
		return l, objects, l.Spec.ApplicationUID, nil
	}
	var before api.Removal
	if _, err := c.set.GetPart(ctx, l, api.RemovalPart, &before); err != nil {
		return l, nil, "", err
	}
	if l.KeepsFiles() {
		v := keeping(before, objects, l.Spec.Cause, c.keptFor(l) > 0, l.Spec.KeepUntil)
		l, err = c.storeVerdict(ctx, m, l, before, v)
		return l, v.free, l.Spec.ApplicationUID, err
	}
	v, err := c.budget.judge(ctx, m, l.Spec.ApplicationUID, before, batch{objects, objects, l.Spec.Cause})
	if err != nil {
		return l, nil, "", err
	}
	l, err = c.storeVerdict(ctx, m, l, before, v)
	return l, v.free, "", err
}

// keeping is the verdict on objects with files: as long as they are kept, those may go that somebody has approved, and then
// all of them. An approval does not outlast that the application has an object again: it was for what was left then.
func keeping(before api.Removal, objects []api.InventoryObject, cause string, kept bool, until *api.Time) verdict {
	v := verdict{removal: forgetting(before, objects), objects: objects, free: objects}
	v.removal.Waiting, v.removal.Until = []api.InventoryObject{}, nil
	if !kept {
		return v
	}
	isAllowed := func(o api.InventoryObject) bool { return slices.Contains(before.Allowed, o.UID) }
	v.free = slices.DeleteFunc(slices.Clone(objects), func(o api.InventoryObject) bool { return !isAllowed(o) })
	if waiting := slices.DeleteFunc(slices.Clone(objects), isAllowed); len(waiting) > 0 {
		v.removal.Waiting, v.removal.Why, v.removal.Until = waiting, cause, until
	}
	return v
}

// storeVerdict stores what waits and what may go of a leftover, and the UIDs that its objects have now.
func (c *Leftovers) storeVerdict(ctx context.Context, m *fleet.Member, l *api.Leftover, before api.Removal, v verdict) (*api.Leftover, error) {
	objects := slices.Clone(l.Spec.Objects)
	for i, o := range objects {
		if at := slices.IndexFunc(v.objects, o.SameObject); at >= 0 {
			objects[i].UID = v.objects[at].UID
		}
	}
	if !slices.Equal(objects, l.Spec.Objects) {
		var err error
		if l, err = c.set.Patch(ctx, l, map[string]any{"spec": map[string]any{"objects": objects}}); err != nil {
			return l, err
		}
	}
	after := forgetting(v.removal, objects)
	conditions := saying(l.Status.Conditions, after, l, api.At(c.clock()))
	if wire.Equal(before, after) && wire.Equal(conditions, l.Status.Conditions) {
		return l, nil
	}
	stored, err := c.set.PatchStatus(ctx, l, map[string]any{
		"status": map[string]any{"conditions": conditions, "message": conditions.Get(api.AwaitingApproval).Message},
		"parts":  map[string]any{api.RemovalPart: after},
	})
	if err != nil {
		return l, err
	}
	if v.waits && !sameObjects(before.Waiting, after.Waiting) {
		c.log.Warn("a leftover waits for approval", "leftover", l.Metadata.Name, "cluster", m.Identity(), "objects", len(after.Waiting))
		c.events.Warning(stored, "RemovalWaits", "%s", after.Condition(stored).Message)
	}
	return stored, nil
}
