package fleet

import (
	"cmp"
	"slices"

	"github.com/rak-n-rok/krake/api"
)

// Plan is what has to be done on one cluster so that it has what is desired. Each list is sorted by wave and then by
// place in the manifest; Prune is sorted the other way round.
type Plan struct {
	// Create are objects that the inventory does not know. Their intent must be recorded before they are applied.
	Create []Change
	// Adopt are objects whose intent is recorded, and nothing else: they may exist or not.
	Adopt []Change
	// Update are objects that exist and differ from what is desired.
	Update []Change
	// Held are such objects, too, which are left alone for now.
	Held []Change
	// Keep are objects with which nothing is wrong as far as is known. Their entries are those of the inventory.
	Keep []Object
	// Prune are objects of the inventory that are not desired any more.
	Prune []api.InventoryObject
}

// Change is an object that is to be applied, and why, in words for people.
type Change struct {
	Object
	Why string
	// Way and Fields say of an object that exists how it deviates; there is no way if it is applied only because that was
	// asked for.
	Way    Way
	Fields []string
}

// The reasons of changes that somebody asked for. All others are something that happened on the cluster.
const (
	ManifestChanged = "changed in the manifest"
	AskedFor        = "asked for"
)

// Intent is the object's entry before it is created: without UID and hash.
func (c Change) Intent() api.InventoryObject {
	e := c.Entry
	e.UID, e.Hash = "", ""
	return e
}

// Situation is what a plan is made from.
type Situation struct {
	// Cluster is the identity of the cluster. Objects of the inventory that are elsewhere play no part.
	Cluster   string
	Desired   []Object
	Inventory []api.InventoryObject
	// Live is what is known of the live objects; the zero value when nothing is.
	Live Snapshot
	// Force applies everything, whether it seems to differ or not.
	Force bool
}

// NewPlan compares what is desired with what the inventory and the live objects say. It depends on nothing else.
func NewPlan(s Situation) Plan {
	recorded := map[Key]api.InventoryObject{}
	for _, e := range s.Inventory {
		if e.Cluster == s.Cluster {
			recorded[KeyOf(e)] = e
		}
	}
	var p Plan
	desired := map[Key]bool{}
	for _, o := range s.Desired {
		desired[o.Key()] = true
		e, known := recorded[o.Key()]
		o.Entry.UID = e.UID
		switch d := s.deviation(o, e); {
		case !known:
			p.Create = append(p.Create, Change{Object: o, Why: "new"})
		case e.UID == "":
			p.Adopt = append(p.Adopt, Change{Object: o, Why: "begun before"})
		case d.Way != "":
			p.Update = append(p.Update, Change{o, d.words(), d.Way, d.Fields})
		case s.Force:
			p.Update = append(p.Update, Change{Object: o, Why: AskedFor})
		default:
			p.Keep = append(p.Keep, o)
		}
	}
	for key, e := range recorded {
		if !desired[key] {
			p.Prune = append(p.Prune, e)
		}
	}
	p.sort()
	return p
}

// deviation says in what way an object that exists is not as it is desired, as far as that is known; in none if it is.
func (s *Situation) deviation(o Object, recorded api.InventoryObject) Deviation {
	live, known := s.Live.Of(recorded)
	switch {
	case o.Entry.Hash != recorded.Hash:
		return Deviation{Way: Outdated}
	case !known:
		return Deviation{}
	case live == nil:
		return Deviation{Way: Missing}
	}
	if fields := Drift(&o, live); len(fields) > 0 {
		return Deviation{Way: Drifted, Fields: fields}
	}
	return Deviation{}
}

func (p *Plan) sort() {
	for _, changes := range [][]Change{p.Create, p.Adopt, p.Update} {
		slices.SortFunc(changes, func(a, b Change) int { return inOrder(&a.Object, &b.Object) })
	}
	slices.SortFunc(p.Keep, func(a, b Object) int { return inOrder(&a, &b) })
	slices.SortFunc(p.Prune, func(a, b api.InventoryObject) int {
		return cmp.Or(cmp.Compare(b.Wave, a.Wave), cmp.Compare(b.Kind, a.Kind), cmp.Compare(b.Group, a.Group),
			cmp.Compare(b.Namespace, a.Namespace), cmp.Compare(b.Name, a.Name))
	})
}

func inOrder(a, b *Object) int {
	return cmp.Or(cmp.Compare(a.Entry.Wave, b.Entry.Wave), cmp.Compare(a.Index, b.Index))
}

// Empty says whether there is nothing to do.
func (p *Plan) Empty() bool {
	return len(p.Create)+len(p.Adopt)+len(p.Update)+len(p.Prune) == 0
}

// Intents are the entries that the inventory must have before anything of the plan is applied: those of new objects,
// without UID and hash.
func (p *Plan) Intents() []api.InventoryObject {
	var out []api.InventoryObject
	for _, c := range p.Create {
		out = append(out, c.Intent())
	}
	return out
}

// Unproven are the objects of which it has to be checked, before the first write, that they are not somebody else's.
func (p *Plan) Unproven() []Object {
	var out []Object
	for _, c := range slices.Concat(p.Create, p.Adopt) {
		out = append(out, c.Object)
	}
	return out
}

// Waves are the changes in the order in which they are to be applied. Those of one wave may be applied at once.
func (p *Plan) Waves() [][]Change {
	all := slices.Concat(p.Create, p.Adopt, p.Update)
	slices.SortFunc(all, func(a, b Change) int { return inOrder(&a.Object, &b.Object) })
	return inWaves(all, func(c Change) int64 { return c.Entry.Wave })
}

// PruneWaves are the objects to be removed in the order in which they are. Those of one wave may be removed at once.
func (p *Plan) PruneWaves() [][]api.InventoryObject {
	return inWaves(p.Prune, func(e api.InventoryObject) int64 { return e.Wave })
}

// inWaves cuts a sorted list where the wave changes.
func inWaves[T any](sorted []T, wave func(T) int64) [][]T {
	var out [][]T
	for i, item := range sorted {
		if i == 0 || wave(sorted[i-1]) != wave(item) {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], item)
	}
	return out
}
