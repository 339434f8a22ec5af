package kubernetes

import (
	"strings"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
)

// What nobody asked to go, by what the removal rests on.
func TestWhatNobodyAskedToGo(t *testing.T) {
	manifest := api.Manifest{
		{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "web"}},
		{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "config", "namespace": "solar"}},
		{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "solar", "namespace": "is ignored"}},
	}
	object := func(group, kind, namespace, name string) api.InventoryObject {
		return api.InventoryObject{Cluster: "berlin", Group: group, Kind: kind, Namespace: namespace, Name: name}
	}
	wanted := []api.InventoryObject{
		object("apps", "Deployment", "wherever", "web"), object("", "ConfigMap", "solar", "config"), object("", "Namespace", "", "solar"),
	}
	unwanted := []api.InventoryObject{
		object("apps", "Deployment", "wherever", "db"), object("extensions", "Deployment", "wherever", "web"),
		object("", "ConfigMap", "lunar", "config"), object("", "Secret", "solar", "config"),
	}
	batch := append(wanted, unwanted...)
	names := func(objects []api.InventoryObject) string {
		var out []string
		for _, o := range objects {
			out = append(out, o.Kind+" "+o.Namespace+"/"+o.Name)
		}
		return strings.Join(out, ", ")
	}
	for g, want := range map[ground][]api.InventoryObject{byName: nil, undone: nil, moved: unwanted, cascaded: batch, pruned: batch} {
		if got := g.unasked(batch, manifest); names(got) != names(want) {
			t.Errorf("ground %d: %s, want %s", g, names(got), names(want))
		}
	}
	if names(batch) != names(append(wanted, unwanted...)) {
		t.Error("the batch was changed")
	}
}

func TestAnApplicationOfWhichNothingIsKnownAnyMoreIsNotTold(t *testing.T) {
	a, b, c := entry("berlin", "web", "u1"), entry("berlin", "db", "u2"), entry("vienna", "web", "u3")
	r := api.Removal{Waiting: []api.InventoryObject{a, b}, Why: "why", Allowed: []string{"u3", "u4"}}
	if got := forgetting(r, []api.InventoryObject{b, c}); len(got.Waiting) != 1 || got.Waiting[0] != b || len(got.Allowed) != 1 || got.Why == "" {
		t.Errorf("%+v", got)
	}
	if got := forgetting(r, []api.InventoryObject{c}); len(got.Waiting) != 0 || got.Why != "" {
		t.Errorf("%+v", got)
	}
	if len(r.Waiting) != 2 || len(r.Allowed) != 2 {
		t.Errorf("the one before was changed: %+v", r)
	}
}

func TestWhatIsSaidOfARemoval(t *testing.T) {
	app := api.New[api.Application]()
	app.Metadata.Name, app.Metadata.Generation = "web", 3
	waiting := api.Removal{Waiting: []api.InventoryObject{entry("berlin", "web", "u1"), entry("berlin", "db", "u2")}, Why: pruned.why()}
	cs := saying(nil, waiting, app, noon)
	c := cs.Get(api.AwaitingApproval)
	if c.Status != api.True || c.Reason != api.ManyRemovals || c.ObservedGeneration != 3 ||
		!strings.HasPrefix(c.Message, "2 objects ") || !strings.Contains(c.Message, "'rok kube application approve -n  web'") {
		t.Errorf("%+v", c)
	}
	later := api.At(noon.Time().Add(1))
	if again := saying(cs, waiting, app, later); again.Get(api.AwaitingApproval).LastTransition != c.LastTransition || approvalChanged(cs, again) {
		t.Errorf("it was said again: %+v", again)
	}
	if over := saying(cs, api.Removal{}, app, later); len(over) != 0 || !approvalChanged(cs, over) {
		t.Errorf("it is still said: %+v", over)
	}
	if quiet := saying(nil, api.Removal{Allowed: []string{"u1"}}, app, later); len(quiet) != 0 {
		t.Errorf("few objects are worth no word: %+v", quiet)
	}
}

// What holds files stays until its time is over or somebody has approved that it goes, whatever else may go.
func TestWhatOfKeptFilesMayGo(t *testing.T) {
	a, b := entry("berlin", "a", "u1"), entry("berlin", "b", "u2")
	both, until := []api.InventoryObject{a, b}, after(time.Hour)
	approved := api.Removal{Allowed: []string{"u1"}}
	for name, c := range map[string]struct {
		before     api.Removal
		objects    []api.InventoryObject
		kept       bool
		free, wait string
	}{
		"nothing is approved": {api.Removal{}, both, true, "", "a b"},
		"one is approved":     {approved, both, true, "a", "b"},
		"time is over":        {approved, both, false, "a b", ""},
		"the application has again what was approved": {approved, []api.InventoryObject{b}, true, "", "b"},
		"the application has all of it again":         {approved, nil, true, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			v := keeping(c.before, c.objects, "They were left.", c.kept, &until)
			names := func(objects []api.InventoryObject) string {
				var out []string
				for _, o := range objects {
					out = append(out, o.Name)
				}
				return strings.Join(out, " ")
			}
			if names(v.free) != c.free || names(v.removal.Waiting) != c.wait {
				t.Errorf("%q may go and %q waits, not %q and %q", names(v.free), names(v.removal.Waiting), c.free, c.wait)
			}
			if waits := c.wait != ""; waits != (v.removal.Until != nil) || waits != (v.removal.Why != "") {
				t.Errorf("it is said %+v", v.removal)
			}
			if len(c.objects) < 2 && len(v.removal.Allowed) > 0 {
				t.Errorf("approved is still %v", v.removal.Allowed)
			}
		})
	}
}
