package gc

import (
	"maps"
	"slices"
	"strings"

	"github.com/rak-n-rok/krake/api"
)

// Ref names an object of any kind. The namespace of global objects is empty.
type Ref struct{ Group, Kind, Namespace, Name string }

// RefOf returns the reference of the wire as a value that can be compared.
func RefOf(r api.ResourceRef) Ref {
	return Ref{Group: r.API, Kind: r.Kind, Namespace: r.NamespaceOrEmpty(), Name: r.Name}
}

// String gives the reference as GROUP/KIND/NAMESPACE/NAME, for people.
func (r Ref) String() string {
	return strings.Join(slices.DeleteFunc([]string{r.Group, r.Kind, r.Namespace, r.Name}, func(s string) bool { return s == "" }), "/")
}

func (r Ref) compare(o Ref) int { return strings.Compare(r.String(), o.String()) }

// Object is what the graph knows of an object.
type Object struct {
	Version string
	Owners  []Ref
	Marked  bool // its deletion was asked for
	Turn    bool // and dependents come next: the garbage collector's finalizer is the last in the list
	Spares  bool // but they are not deleted with it: it waits until they have another owner
}

// Graph knows which objects exist and who owns whom. What it says depends on the objects alone, not on the order in
// which it learned of them. Owners that do not exist are no hindrance.
type Graph struct {
	objects    map[Ref]Object
	dependents map[Ref]map[Ref]bool // by owner, whether that exists or not
}

// NewGraph returns an empty graph.
func NewGraph() *Graph {
	return &Graph{objects: map[Ref]Object{}, dependents: map[Ref]map[Ref]bool{}}
}

// Put adds an object, or replaces what was known of it.
func (g *Graph) Put(ref Ref, o Object) {
	g.Remove(ref)
	g.objects[ref] = o
	for _, owner := range o.Owners {
		if g.dependents[owner] == nil {
			g.dependents[owner] = map[Ref]bool{}
		}
		g.dependents[owner][ref] = true
	}
}

// Remove forgets an object; what depended on it stays.
func (g *Graph) Remove(ref Ref) {
	for _, owner := range g.objects[ref].Owners {
		delete(g.dependents[owner], ref)
		if len(g.dependents[owner]) == 0 {
			delete(g.dependents, owner)
		}
	}
	delete(g.objects, ref)
}

// Get returns what is known of an object.
func (g *Graph) Get(ref Ref) (o Object, exists bool) {
	o, exists = g.objects[ref]
	return o, exists
}

// Dependents returns the objects that name this one as an owner, in order.
func (g *Graph) Dependents(ref Ref) []Ref {
	return slices.SortedFunc(maps.Keys(g.dependents[ref]), Ref.compare)
}

// Cycle returns the objects that own an object and are owned by it, in order and including itself; none when it owns no
// object that owns it. It is the strongly connected component of the object.
func (g *Graph) Cycle(ref Ref) []Ref {
	above := g.walk(ref, func(r Ref) []Ref { return g.objects[r].Owners })
	if !above[ref] {
		return nil
	}
	// Whoever is on a path from the object to one of its owners is above it, too.
	members := g.walk(ref, func(r Ref) []Ref {
		return slices.DeleteFunc(slices.Collect(maps.Keys(g.dependents[r])), func(d Ref) bool { return !above[d] })
	})
	return slices.SortedFunc(maps.Keys(members), Ref.compare)
}

// walk returns all that can be reached from an object by one step or more.
func (g *Graph) walk(from Ref, next func(Ref) []Ref) map[Ref]bool {
	seen := map[Ref]bool{}
	todo := []Ref{from}
	for len(todo) > 0 {
		last := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, r := range next(last) {
			if !seen[r] {
				seen[r] = true
				todo = append(todo, r)
			}
		}
	}
	return seen
}

// unit is the object alone, or the circle that it belongs to.
func (g *Graph) unit(ref Ref) []Ref {
	if cycle := g.Cycle(ref); cycle != nil {
		return cycle
	}
	return []Ref{ref}
}

// Doomed says whether an object is to be deleted because its owners are, and who these owners are.
func (g *Graph) Doomed(ref Ref) (owners []Ref, doomed bool) {
	if o, exists := g.objects[ref]; !exists || o.Marked || len(o.Owners) == 0 {
		return nil, false
	}
	unit := g.unit(ref)
	for _, member := range unit {
		for _, name := range g.objects[member].Owners {
			if slices.Contains(unit, name) || slices.Contains(owners, name) {
				continue
			}
			owner, exists := g.objects[name]
			if exists && (!owner.Marked || owner.Spares) {
				return nil, false
			}
			doomed = doomed || owner.Turn
			owners = append(owners, name)
		}
	}
	return owners, doomed
}

// Free says whether an object whose deletion was asked for waits for nothing that depends on it.
func (g *Graph) Free(ref Ref) bool {
	if !g.objects[ref].Turn {
		return false
	}
	unit := g.unit(ref)
	for _, member := range unit {
		if !g.objects[member].Marked {
			return false
		}
	}
	for dependent := range g.dependents[ref] {
		if !slices.Contains(unit, dependent) {
			return false
		}
	}
	return true
}
