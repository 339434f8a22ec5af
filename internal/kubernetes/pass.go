package kubernetes

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/fleet"
)

// pass is one look at one application: the newest state, and what the pass learned.
type pass struct {
	*Applications
	key       controller.Key
	app       *api.Application
	inventory api.Inventory
	migration api.Migration
	arrived   *arrival // what was seen on the target of a move once everything was ready there

	inventoryChanged, migrationChanged bool // and not stored yet
}

// arrival is how an application is doing on the target of a move.
type arrival struct {
	health   fleet.HealthReport
	services map[string]string
}

// remembered is what the controller keeps of an application between passes, to ask the API less. It is the only writer
// of these parts, so what it wrote last is what is stored.
type remembered struct {
	uid       string
	inventory api.Inventory
	migration api.Migration
	refusal   refusal
}

// memory remembers by key. Its zero value is empty.
type memory struct {
	mu   sync.Mutex
	m    map[controller.Key]*remembered
	uids map[string]controller.Key
}

func (m *memory) get(key controller.Key, uid string) *remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.m[key]; r != nil && r.uid == uid {
		return r
	}
	return nil
}

func (m *memory) put(key controller.Key, r *remembered) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.m == nil {
		m.m, m.uids = map[controller.Key]*remembered{}, map[string]controller.Key{}
	}
	m.m[key], m.uids[r.uid] = r, key
}

func (m *memory) forget(key controller.Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.m, key)
}

// remove forgets an application whose record is gone.
func (m *memory) remove(key controller.Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.m, key)
	maps.DeleteFunc(m.uids, func(_ string, k controller.Key) bool { return k == key })
}

// key finds the application of a UID.
func (m *memory) key(uid string) (controller.Key, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.uids[uid]
	return k, ok
}

// begin reads what the API knows of the application.
func (c *Applications) begin(ctx context.Context, key controller.Key, app *api.Application) (*pass, error) {
	p := &pass{Applications: c, key: key, app: app}
	if r := c.memory.get(key, app.Metadata.UID); r != nil {
		p.inventory, p.migration = r.inventory, r.migration
		return p, nil
	}
	if _, err := c.set.GetPart(ctx, app, api.InventoryPart, &p.inventory); err != nil {
		return nil, err
	}
	if _, err := c.set.GetPart(ctx, app, api.MigrationPart, &p.migration); err != nil {
		return nil, err
	}
	c.memory.put(key, &remembered{uid: app.Metadata.UID, inventory: p.inventory, migration: p.migration})
	return p, nil
}

// store writes the status fields of a merge patch, and in the same transaction the parts of which something is not
// stored yet. Nil fields store the parts alone; with nothing to store it does nothing.
func (p *pass) store(ctx context.Context, status map[string]any) error {
	parts := map[string]any{}
	if p.inventoryChanged {
		parts[api.InventoryPart] = p.inventory
	}
	if p.migrationChanged {
		parts[api.MigrationPart] = p.migration
	}
	if len(status)+len(parts) == 0 {
		return nil
	}
	if status == nil {
		status = map[string]any{}
	}
	app, err := p.set.PatchStatus(ctx, p.app, map[string]any{"status": status, "parts": parts})
	if err != nil {
		return err
	}
	p.app, p.inventoryChanged, p.migrationChanged = app, false, false
	if r := p.memory.get(p.key, app.Metadata.UID); r != nil {
		r.inventory, r.migration = p.inventory, p.migration
	}
	return nil
}

// flush stores the parts alone.
func (p *pass) flush(ctx context.Context) error { return p.store(ctx, nil) }

// enterPhase sets the state of a move.
func (p *pass) enterPhase(m api.Migration) { p.migration, p.migrationChanged = m, true }

// condition returns the patch that sets one condition, nil when it holds already.
func (p *pass) condition(c api.Condition) map[string]any {
	c.ObservedGeneration = p.app.Metadata.Generation
	if c == timeless(p.app.Status.Conditions.Get(c.Type)) {
		return nil
	}
	return map[string]any{"conditions": p.app.Status.Conditions.With(c, p.now())}
}

// entries returns the inventory of one cluster.
func (p *pass) entries(identity string) []api.InventoryObject {
	var out []api.InventoryObject
	for _, o := range p.inventory.Objects {
		if o.Cluster == identity {
			out = append(out, o)
		}
	}
	return out
}

// record puts entries into the inventory, replacing those of the same objects. The slice is copied: the old one may be
// in memory.
func (p *pass) record(entries ...api.InventoryObject) {
	objects := slices.Clone(p.inventory.Objects)
	for _, e := range entries {
		i := slices.IndexFunc(objects, e.SameObject)
		switch {
		case i < 0:
			objects = append(objects, e)
			p.inventoryChanged = true
		case objects[i] != e:
			objects[i] = e
			p.inventoryChanged = true
		}
	}
	p.inventory = api.Inventory{Objects: objects}
}

// drop takes entries out of the inventory.
func (p *pass) drop(entries ...api.InventoryObject) {
	objects := make([]api.InventoryObject, 0, len(p.inventory.Objects))
	for _, o := range p.inventory.Objects {
		if !slices.ContainsFunc(entries, o.SameObject) {
			objects = append(objects, o)
		}
	}
	p.inventoryChanged = p.inventoryChanged || len(objects) < len(p.inventory.Objects)
	p.inventory = api.Inventory{Objects: objects}
}
