package gc

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func named(name string) Ref {
	return Ref{Group: "kubernetes", Kind: "Cluster", Namespace: "testing", Name: name}
}

func letters(refs []Ref) string {
	out := make([]string, len(refs))
	for i, r := range refs {
		out[i] = r.Name
	}
	return strings.Join(out, "")
}

// drawn makes a graph from text: "B<A" is B owned by A, "A!" is A with its deletion asked for and its dependents next,
// "A?" is A with its deletion asked for and somebody else's finalizer next, "A!~" is "A!" that spares what it owns.
func drawn(text string) *Graph {
	g := NewGraph()
	for _, word := range strings.Fields(text) {
		name, owners, _ := strings.Cut(word, "<")
		o := Object{Marked: strings.ContainsAny(name, "!?"), Turn: strings.Contains(name, "!"), Spares: strings.Contains(name, "~")}
		for _, owner := range owners {
			o.Owners = append(o.Owners, named(string(owner)))
		}
		g.Put(named(strings.Trim(name, "!?~")), o)
	}
	return g
}

func (g *Graph) all(is func(Ref) bool) string {
	var refs []Ref
	for r := range g.objects {
		if is(r) {
			refs = append(refs, r)
		}
	}
	slices.SortFunc(refs, Ref.compare)
	return letters(refs)
}

func (g *Graph) doomed() string {
	return g.all(func(r Ref) bool { _, doomed := g.Doomed(r); return doomed })
}

func (g *Graph) free() string { return g.all(g.Free) }

func TestWhoIsDeletedAndWhoMayGo(t *testing.T) {
	tests := map[string]struct{ graph, doomed, free string }{
		"nothing is asked for":                           {"A B<A C<AB", "", ""},
		"one alone may go":                               {"A!", "", "A"},
		"one waits for somebody else's work":             {"A? B<A", "", ""},
		"dependents come first":                          {"A! B<A C<A", "BC", ""},
		"those below come later":                         {"A! B<A C<B", "B", ""},
		"an owner waits for its dependents":              {"A! B!<A", "", "B"},
		"F8 owners and siblings stay":                    {"A B!<A C<A D<B E<C", "D", ""},
		"an owner that stays keeps its dependent":        {"A! B C<AB", "", ""},
		"so the one that goes must wait for it":          {"A! C<AB B", "", ""},
		"the last owner takes it along":                  {"A! B! C<AB", "C", ""},
		"an owner past its turn does not keep it":        {"A! B? C<AB", "C", ""},
		"an owner past its turn does not take it along":  {"B? C<B", "", ""},
		"an owner that is gone does not keep it":         {"A! C<AX", "C", ""},
		"F12 nor does it take it along":                  {"C<X", "", ""},
		"F13 a diamond is no circle":                     {"A! B!<A C!<A D<BC", "D", ""},
		"a diamond goes from below":                      {"A! B!<A C!<A D!<BC", "", "D"},
		"a member of a circle takes no other along":      {"A!<C B<A C<B", "", ""},
		"but what else it owns":                          {"A!<C B<A C<B D<A", "D", ""},
		"a circle goes when all of it is asked to":       {"A!<C B!<A C!<B", "", "ABC"},
		"but not before what depends on it":              {"A!<C B!<A C!<B D!<B", "", "ACD"},
		"a circle is taken along from outside":           {"X! A<CX B<A C<B", "ABC", ""},
		"an owner of any member keeps it":                {"X! Y A<CX B<A C<BY", "", ""},
		"two circles with a common member are one":       {"A!<BC B!<A C<A", "", ""},
		"what is below a circle is not in it":            {"A!<B B!<A C!<B", "", "AC"},
		"what is above a circle is not in it":            {"X!  A!<BX B!<A", "", "AB"},
		"one that owns itself may go":                    {"A!<A", "", "A"},
		"one that owns itself goes with its other owner": {"X! A<AX", "A", ""},
		"what was never seen is neither doomed nor free": {"B<A", "", ""},
		"one that spares what it owns waits for it":      {"A!~ B<A", "", ""},
		"and goes when nothing is left":                  {"A!~ B", "", "A"},
		"it keeps what another would take along":         {"A!~ B! C<AB", "", ""},
		"it goes itself with its owner":                  {"X! A!~<X B<A", "", ""},
		"the same owner twice is one owner":              {"A! B<AA", "B", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			g := drawn(test.graph)
			if d, f := g.doomed(), g.free(); d != test.doomed || f != test.free {
				t.Errorf("%s: doomed %q, want %q; free %q, want %q", test.graph, d, test.doomed, f, test.free)
			}
		})
	}
}

func TestF6DependentsFollowTheirOwners(t *testing.T) {
	g := drawn("A B C<A D<A")
	g.Put(named("C"), Object{Owners: []Ref{named("B")}})
	g.Put(named("D"), Object{})
	g.Put(named("E"), Object{Owners: []Ref{named("A"), named("B")}})
	g.Put(named("A"), Object{Marked: true})
	if a, b := letters(g.Dependents(named("A"))), letters(g.Dependents(named("B"))); a != "E" || b != "CE" {
		t.Errorf("A has %q, B has %q", a, b)
	}
	for _, name := range []string{"A", "B", "C", "D", "E"} {
		g.Remove(named(name))
	}
	if len(g.objects)+len(g.dependents) > 0 {
		t.Errorf("left of the graph: %+v", g)
	}
}

func TestTheOwnersToConfirmAreThoseOutsideOfTheCircle(t *testing.T) {
	owners, doomed := drawn("X! Y! A<BX B<AY").Doomed(named("A"))
	if !doomed || letters(owners) != "XY" {
		t.Errorf("doomed %v by %q", doomed, letters(owners))
	}
}

// drawGraph makes any graph over a few names, of which some may be missing.
func drawGraph(t *rapid.T) map[Ref]Object {
	n := rapid.IntRange(1, 7).Draw(t, "objects")
	name := rapid.Custom(func(t *rapid.T) Ref { return named(fmt.Sprint(rapid.IntRange(0, n).Draw(t, "name"))) })
	out := map[Ref]Object{}
	for i := range n {
		o := Object{Owners: rapid.SliceOfN(name, 0, 3).Draw(t, "owners"), Marked: rapid.Bool().Draw(t, "marked")}
		o.Turn = o.Marked
		out[named(fmt.Sprint(i))] = o
	}
	return out
}

func sortedNames(objects map[Ref]Object) []Ref {
	var refs []Ref
	for r := range objects {
		refs = append(refs, r)
	}
	slices.SortFunc(refs, Ref.compare)
	return refs
}

func TestF5TheOrderOfTheNewsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		objects := drawGraph(t)
		g, h := NewGraph(), NewGraph()
		for _, r := range sortedNames(objects) {
			g.Put(r, objects[r])
		}
		for _, r := range rapid.Permutation(sortedNames(objects)).Draw(t, "order") {
			switch rapid.IntRange(0, 2).Draw(t, "detour") {
			case 0:
				h.Put(r, Object{Owners: []Ref{named("0"), named("1")}})
			case 1:
				h.Put(r, objects[r])
				h.Remove(r)
			}
			h.Put(r, objects[r])
		}
		for _, r := range sortedNames(objects) {
			gOwners, gDoomed := g.Doomed(r)
			hOwners, hDoomed := h.Doomed(r)
			if gDoomed != hDoomed || letters(gOwners) != letters(hOwners) || g.Free(r) != h.Free(r) ||
				letters(g.Cycle(r)) != letters(h.Cycle(r)) || letters(g.Dependents(r)) != letters(h.Dependents(r)) {
				t.Fatalf("%s differs", r)
			}
		}
	})
}

func TestACircleIsWhoeverOwnsEachOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		objects := drawGraph(t)
		g := NewGraph()
		owns := map[[2]Ref]bool{} // in any number of steps
		for r, o := range objects {
			g.Put(r, o)
			for _, owner := range o.Owners {
				owns[[2]Ref{owner, r}] = true
			}
		}
		refs := sortedNames(objects)
		for _, via := range refs {
			for _, a := range refs {
				for _, b := range refs {
					owns[[2]Ref{a, b}] = owns[[2]Ref{a, b}] || owns[[2]Ref{a, via}] && owns[[2]Ref{via, b}]
				}
			}
		}
		for _, a := range refs {
			var want []Ref
			for _, b := range refs {
				if owns[[2]Ref{a, b}] && owns[[2]Ref{b, a}] {
					want = append(want, b)
				}
			}
			if got := g.Cycle(a); letters(got) != letters(want) {
				t.Fatalf("%s is in a circle with %q, want %q", a, letters(got), letters(want))
			}
		}
	})
}

func TestACollectionIsSafeAndComesToAnEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		objects := drawGraph(t)
		g := NewGraph()
		for r, o := range objects {
			g.Put(r, o)
		}
		for {
			var possible []Ref
			for _, r := range sortedNames(g.objects) {
				if _, doomed := g.Doomed(r); doomed || g.Free(r) {
					possible = append(possible, r)
				}
			}
			if len(possible) == 0 {
				break
			}
			r := rapid.SampledFrom(possible).Draw(t, "next")
			o := g.objects[r]
			if o.Marked {
				for _, d := range g.Dependents(r) {
					if !g.objects[d].Marked {
						t.Fatalf("%s went before %s, which depends on it", r, d)
					}
				}
				g.Remove(r)
				continue
			}
			o.Marked, o.Turn = true, true
			g.Put(r, o)
		}
		// Whoever was asked to go and is still there waits for somebody who has reason to stay.
		for r, o := range g.objects {
			if !o.Marked {
				continue
			}
			waits := false
			for _, d := range append(g.Dependents(r), g.Cycle(r)...) {
				waits = waits || !g.objects[d].Marked || g.waitsToo(d, r)
			}
			if !waits {
				t.Fatalf("%s waits for nothing", r)
			}
		}
		for r, o := range g.objects {
			kept := len(o.Owners) == 0 || o.Marked
			for _, owner := range o.Owners {
				x, exists := g.objects[owner]
				kept = kept || !exists || !x.Marked || slices.Contains(g.Cycle(r), owner)
			}
			for _, member := range g.Cycle(r) { // a circle is kept by an owner of any member
				for _, owner := range g.objects[member].Owners {
					x, exists := g.objects[owner]
					kept = kept || exists && !x.Marked
				}
			}
			if !kept {
				t.Fatalf("%s stays although all its owners go", r)
			}
		}
	})
}

// waitsToo says whether a dependent that was asked to go is itself held up, other than by the one that asks.
func (g *Graph) waitsToo(d, asking Ref) bool { return d != asking && !g.Free(d) }
