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
	resources api.Resources
	removal   *api.Removal // nil until it is asked for: others write it, too, so it is not remembered
	arrived   *arrival     // what was seen on the target of a move once everything was ready there
	withheld  []string     // the clusters from which something is not removed as long as nobody approves it
	sight     *sight
	looked    bool // at what deviates, and nothing was done since

	inventoryChanged, migrationChanged, resourcesChanged, removalChanged bool // and not stored yet
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
	resources api.Resources
	refusal   refusal
}

// memory remembers by key. Its zero value is empty.
type memory struct {
	mu     sync.Mutex
	m      map[controller.Key]*remembered
	uids   map[string]controller.Key
	sights map[string]*sight // by UID
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

// update changes what is remembered, if anything is.
func (m *memory) update(key controller.Key, uid string, inventory api.Inventory, migration api.Migration, resources api.Resources) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.m[key]; r != nil && r.uid == uid {
		r.inventory, r.migration, r.resources = inventory, migration, resources
	}
}

func (m *memory) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.m)
	clear(m.uids)
	clear(m.sights)
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
	maps.DeleteFunc(m.sights, func(uid string, _ *sight) bool { return m.uids[uid] == key })
	maps.DeleteFunc(m.uids, func(_ string, k controller.Key) bool { return k == key })
}

// sight returns what was seen of the application with this UID. It is kept while the rest is read anew.
func (m *memory) sight(uid string) *sight {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sights == nil {
		m.sights = map[string]*sight{}
	}
	s := m.sights[uid]
	if s == nil {
		s = &sight{deviations: deviations{}}
		m.sights[uid] = s
	}
	return s
}

// having finds the applications that have such an object.
func (m *memory) having(such func(api.InventoryObject) bool) []controller.Key {
	m.mu.Lock()
	defer m.mu.Unlock()
	var keys []controller.Key
	for key, r := range m.m {
		if slices.ContainsFunc(r.inventory.Objects, such) {
			keys = append(keys, key)
		}
	}
	return keys
}

// key finds the application of a UID.
func (m *memory) key(uid string) (controller.Key, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.uids[uid]
	return k, ok
}

// begin reads what the API knows of the application.
func (c *Applications) begin(ctx context.Context, key controller.Key) (*pass, error) {
	app, err := c.set.Get(ctx, key.Namespace, key.Name)
	if err != nil {
		return nil, err
	}
	p := &pass{Applications: c, key: key, app: app, sight: c.memory.sight(app.Metadata.UID)}
	if r := c.memory.get(key, app.Metadata.UID); r != nil {
		p.inventory, p.migration, p.resources = r.inventory, r.migration, r.resources
		return p, nil
	}
	if _, err := c.set.GetPart(ctx, app, api.InventoryPart, &p.inventory); err != nil {
		return nil, err
	}
	if _, err := c.set.GetPart(ctx, app, api.MigrationPart, &p.migration); err != nil {
		return nil, err
	}
	if _, err := c.set.GetPart(ctx, app, api.ResourcesPart, &p.resources); err != nil {
		return nil, err
	}
	c.memory.put(key, &remembered{uid: app.Metadata.UID, inventory: p.inventory, migration: p.migration, resources: p.resources})
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
	if p.resourcesChanged {
		parts[api.ResourcesPart] = p.resources
	}
	if p.removalChanged {
		parts[api.RemovalPart] = p.removal
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
	p.app, p.inventoryChanged, p.migrationChanged, p.resourcesChanged, p.removalChanged = app, false, false, false, false
	p.memory.update(p.key, app.Metadata.UID, p.inventory, p.migration, p.resources)
	return nil
}

// flush stores the parts alone.
func (p *pass) flush(ctx context.Context) error { return p.store(ctx, nil) }

// enterPhase sets the state of a move.
func (p *pass) enterPhase(m api.Migration) { p.migration, p.migrationChanged = m, true }

// condition returns the patch that sets one condition, nil when it holds already.
func (p *pass) condition(c api.Condition) map[string]any {
	status := map[string]any{}
	p.setCondition(status, c)
	if len(status) == 0 {
		return nil
	}
	return status
}

// setCondition adds a condition for the newest generation to a patch of the status.
func (p *pass) setCondition(status map[string]any, c api.Condition) {
	c.ObservedGeneration = p.app.Metadata.Generation
	p.putCondition(status, c)
}

// putCondition adds a condition to a patch of the status, unless it holds already.
func (p *pass) putCondition(status map[string]any, c api.Condition) {
	if conditions := p.conditionsIn(status); c != timeless(conditions.Get(c.Type)) {
		status["conditions"] = conditions.With(c, p.now())
	}
}

// conditionsIn are the conditions as they are after a patch of the status.
func (p *pass) conditionsIn(status map[string]any) api.Conditions {
	if conditions, ok := status["conditions"].(api.Conditions); ok {
		return conditions
	}
	return p.app.Status.Conditions
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
