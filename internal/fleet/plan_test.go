package fleet

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
)

const here = "identity-of-this-cluster"

// wanted is an object of a manifest; a changed colour changes its hash.
func wanted(index int, name, colour string) Object {
	form := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name, "namespace": "default"},
		"data": map[string]any{"colour": colour},
	}}
	mark(form, Owner{UID: "u"})
	hash, _ := hashForm(form, nil)
	return Object{
		Entry: api.InventoryObject{Cluster: here, Version: "v1", Kind: "ConfigMap", Namespace: "default", Name: name, Hash: hash, Wave: int64(index % 3)},
		Index: index, form: form, owner: "u",
	}
}

// recorded is the entry of an object that exists.
func recorded(o Object, uid string) api.InventoryObject {
	e := o.Entry
	e.UID = uid
	return e
}

// asApplied is the live object as it is right after an apply.
func asApplied(o Object, owned string) *unstructured.Unstructured {
	live := o.form.DeepCopy()
	live.SetUID("uid")
	live.SetManagedFields([]metav1.ManagedFieldsEntry{{
		Manager: FieldManager, Operation: metav1.ManagedFieldsOperationApply, FieldsV1: metav1.NewFieldsV1(owned),
	}})
	return live
}

const allOwned = `{"f:metadata":{"f:labels":{"f:krake.cloud/app-uid":{}},"f:annotations":{"f:krake.cloud/name":{},"f:krake.cloud/namespace":{}}},"f:data":{"f:colour":{}}}`

// outline gives a plan as text.
func outline(p Plan) string {
	var out []string
	for _, list := range []struct {
		name    string
		changes []Change
	}{{"create", p.Create}, {"adopt", p.Adopt}, {"update", p.Update}} {
		for _, c := range list.changes {
			out = append(out, fmt.Sprintf("%s %s: %s", list.name, c.Entry.Name, c.Why))
		}
	}
	for _, o := range p.Keep {
		out = append(out, "keep "+o.Entry.Name)
	}
	for _, e := range p.Prune {
		out = append(out, "prune "+e.Name)
	}
	return strings.Join(out, "; ")
}

func TestPlans(t *testing.T) {
	a, b := wanted(0, "a", "blue"), wanted(1, "b", "blue")
	repainted := wanted(0, "a", "red")
	elsewhere := recorded(wanted(0, "a", "blue"), "uid")
	elsewhere.Cluster = "another"
	known := func(live *unstructured.Unstructured) Snapshot {
		return Snapshot{live: map[Key]*unstructured.Unstructured{a.Key(): live}}
	}
	for name, c := range map[string]struct {
		Situation
		want string
	}{
		"nothing at all":                    {Situation{}, ""},
		"everything is new":                 {Situation{Desired: []Object{a, b}}, "create a: new; create b: new"},
		"nothing has changed":               {Situation{Desired: []Object{a}, Inventory: []api.InventoryObject{recorded(a, "uid")}}, "keep a"},
		"the manifest has changed":          {Situation{Desired: []Object{repainted}, Inventory: []api.InventoryObject{recorded(a, "uid")}}, "update a: changed in the manifest"},
		"it is asked for":                   {Situation{Desired: []Object{a}, Inventory: []api.InventoryObject{recorded(a, "uid")}, Force: true}, "update a: asked for"},
		"a first apply may have happened":   {Situation{Desired: []Object{a}, Inventory: []api.InventoryObject{recorded(a, "")}}, "adopt a: begun before"},
		"an object is dropped":              {Situation{Desired: []Object{b}, Inventory: []api.InventoryObject{recorded(a, "uid"), recorded(b, "uid")}}, "keep b; prune a"},
		"an intent is dropped":              {Situation{Inventory: []api.InventoryObject{recorded(a, "")}}, "prune a"},
		"what is elsewhere plays no part":   {Situation{Desired: []Object{a}, Inventory: []api.InventoryObject{elsewhere}}, "create a: new"},
		"the live object is as it was made": {Situation{Desired: []Object{a}, Inventory: []api.InventoryObject{recorded(a, "uid")}, Live: known(asApplied(a, allOwned))}, "keep a"},
		"the live object is gone":           {Situation{Desired: []Object{a}, Inventory: []api.InventoryObject{recorded(a, "uid")}, Live: known(nil)}, "update a: missing on the cluster"},
		"others have changed it": {
			Situation{Desired: []Object{a}, Inventory: []api.InventoryObject{recorded(a, "uid")}, Live: known(asApplied(a, strings.Replace(allOwned, "f:colour", "f:size", 1)))},
			"update a: changed on the cluster: data.colour",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.Cluster = here
			p := NewPlan(c.Situation)
			if got := outline(p); got != c.want {
				t.Errorf("%q, not %q", got, c.want)
			}
			if p.Empty() != (c.want == "" || c.want == "keep a") {
				t.Error("Empty is wrong")
			}
		})
	}
}

// changedByOthers is a live object of which others have taken the colour.
func changedByOthers(o Object) *unstructured.Unstructured {
	return asApplied(o, strings.Replace(allOwned, "f:colour", "f:size", 1))
}

func TestAPlanTellsWhatDeviates(t *testing.T) {
	fresh, begun, dropped := wanted(0, "fresh", "blue"), wanted(0, "begun", "blue"), wanted(0, "dropped", "blue")
	painted, changed, missing, well := wanted(0, "painted", "red"), wanted(0, "changed", "blue"), wanted(0, "missing", "blue"), wanted(0, "well", "blue")
	altered := wanted(0, "altered", "blue")
	red := asApplied(altered, allOwned)
	red.Object["data"] = map[string]any{"colour": "red"}
	p := NewPlan(Situation{
		Cluster: here, Desired: []Object{fresh, begun, painted, changed, missing, well, altered},
		Inventory: []api.InventoryObject{recorded(begun, ""), recorded(dropped, "uid"), recorded(wanted(0, "painted", "blue"), "uid"),
			recorded(changed, "uid"), recorded(missing, "uid"), recorded(well, "uid"), recorded(altered, "uid")},
		Live: Snapshot{live: map[Key]*unstructured.Unstructured{
			changed.Key(): changedByOthers(changed), missing.Key(): nil, well.Key(): asApplied(well, allOwned), altered.Key(): red,
		}},
	})
	p.Hold(func(c Change) bool { return c.Entry.Name != "altered" })
	if got, want := outline(p), "create fresh: new; adopt begun: begun before; update altered: changed on the cluster: data.colour"+onAdmission+
		"; update painted: changed in the manifest; keep well; prune dropped"; !sameSet(got, want) {
		t.Errorf("the plan: %s", got)
	}
	if len(p.Held) != 2 {
		t.Errorf("held: %v", p.Held)
	}
	got := map[string]string{}
	for _, d := range p.Deviations() {
		got[d.Entry.Name] = fmt.Sprint(d.Way, d.Fields)
	}
	want := map[string]string{"fresh": "Missing[]", "begun": "Missing[]", "dropped": "Surplus[]", "painted": "Outdated[]",
		"changed": "Drifted[data.colour]", "missing": "Missing[]", "altered": "Drifted[data.colour" + onAdmission + "]"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func sameSet(a, b string) bool {
	x, y := strings.Split(a, "; "), strings.Split(b, "; ")
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

func TestIntentsAreRecordedWithoutUID(t *testing.T) {
	p := NewPlan(Situation{Cluster: here, Desired: []Object{wanted(0, "a", "blue")}})
	want := recorded(wanted(0, "a", "blue"), "")
	want.Hash = ""
	if d := cmp.Diff([]api.InventoryObject{want}, p.Intents()); d != "" {
		t.Error(d)
	}
}

// situations draws desired objects and an inventory that overlap.
func situations() *rapid.Generator[Situation] {
	return rapid.Custom(func(t *rapid.T) Situation {
		s := Situation{Cluster: here, Force: rapid.Bool().Draw(t, "force")}
		names := []string{"a", "b", "c", "d", "e", "f"}
		for i, name := range rapid.Permutation(names).Draw(t, "order")[:rapid.IntRange(0, 6).Draw(t, "desired")] {
			s.Desired = append(s.Desired, wanted(i, name, rapid.SampledFrom([]string{"red", "blue"}).Draw(t, "colour")))
		}
		for i, name := range rapid.Permutation(names).Draw(t, "recorded order")[:rapid.IntRange(0, 6).Draw(t, "recorded")] {
			e := recorded(wanted(i, name, "blue"), rapid.SampledFrom([]string{"", "uid"}).Draw(t, "uid"))
			e.Cluster = rapid.SampledFrom([]string{here, here, "another"}).Draw(t, "cluster")
			s.Inventory = append(s.Inventory, e)
		}
		return s
	})
}

func TestAPlanNeverLosesOrDoublesAnObject(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := situations().Draw(t, "situation")
		p := NewPlan(s)
		places := map[Key]int{}
		for _, wave := range p.Waves() {
			for _, c := range wave {
				places[c.Key()]++
			}
		}
		for _, o := range p.Keep {
			places[o.Key()]++
		}
		for _, o := range s.Desired {
			if places[o.Key()] != 1 {
				t.Fatalf("%s is in %d places: %s", o.Key(), places[o.Key()], outline(p))
			}
			delete(places, o.Key())
		}
		for _, e := range p.Prune {
			if !slices.Contains(s.Inventory, e) || e.Cluster != here {
				t.Fatalf("prunes %s of %s", KeyOf(e), e.Cluster)
			}
			if slices.ContainsFunc(s.Desired, func(o Object) bool { return o.Key() == KeyOf(e) }) {
				t.Fatalf("prunes %s, which is desired", KeyOf(e))
			}
			places[KeyOf(e)]++
		}
		for _, e := range s.Inventory {
			wanted := slices.ContainsFunc(s.Desired, func(o Object) bool { return o.Key() == KeyOf(e) })
			if e.Cluster == here && !wanted && places[KeyOf(e)] != 1 {
				t.Fatalf("%s of the inventory is in %d places", KeyOf(e), places[KeyOf(e)])
			}
		}
	})
}

func TestAPlanNeverWritesWhatIsNotRecordedBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := situations().Draw(t, "situation")
		p := NewPlan(s)
		before := slices.Concat(s.Inventory, p.Intents())
		for _, wave := range p.Waves() {
			for _, c := range wave {
				i := slices.IndexFunc(before, c.Entry.SameObject)
				if i < 0 || before[i].UID != c.Entry.UID {
					t.Fatalf("%+v is not in %+v", c.Entry, before)
				}
			}
		}
	})
}

func TestAPlanNeverDependsOnTheOrderOfTheInventory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := situations().Draw(t, "situation")
		p := NewPlan(s)
		s.Inventory = rapid.Permutation(s.Inventory).Draw(t, "another order")
		slices.Reverse(s.Desired)
		if a, b := outline(p), outline(NewPlan(s)); a != b {
			t.Fatalf("%s\n%s", a, b)
		}
	})
}

func TestWavesNeverGoBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := NewPlan(situations().Draw(t, "situation"))
		last := int64(-1)
		for _, wave := range p.Waves() {
			if wave[0].Entry.Wave <= last {
				t.Fatal("waves go back")
			}
			last = wave[0].Entry.Wave
			for _, c := range wave {
				if c.Entry.Wave != last {
					t.Fatal("a wave is mixed")
				}
			}
		}
		last = 1 << 30
		for _, wave := range p.PruneWaves() {
			if wave[0].Wave >= last {
				t.Fatal("removal goes forward")
			}
			last = wave[0].Wave
		}
	})
}

func TestAPlanThatWasCarriedOutLeavesNothingToDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := situations().Draw(t, "situation")
		p := NewPlan(s)
		var after []api.InventoryObject
		for _, wave := range p.Waves() {
			for _, c := range wave {
				after = append(after, recorded(c.Object, "uid"))
			}
		}
		for _, o := range p.Keep {
			after = append(after, o.Entry)
		}
		s.Inventory, s.Force = after, false
		if p := NewPlan(s); !p.Empty() {
			content, _ := json.Marshal(after)
			t.Fatalf("%s after %s", outline(p), content)
		}
	})
}
