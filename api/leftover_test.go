package api_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rak-n-rok/krake/api"
)

func object(cluster, name string) api.InventoryObject {
	return api.InventoryObject{Cluster: cluster, Version: "v1", Kind: "ConfigMap", Namespace: "x", Name: name}
}

func TestWhatAnApplicationHasSomewhereIsHandedOnWithItsRecord(t *testing.T) {
	inventory := &api.Inventory{Objects: []api.InventoryObject{object("id-1", "a"), object("id-2", "b"), object("id-1", "c")}}
	got := stored().Removed(map[string]any{api.InventoryPart: inventory})
	want := map[string][]api.InventoryObject{
		"u-1.id-1": {object("id-1", "a"), object("id-1", "c")},
		"u-1.id-2": {object("id-2", "b")},
	}
	for _, r := range got {
		l := r.(*api.Leftover)
		if diff := cmp.Diff(want[l.Metadata.Name], l.Spec.Objects); diff != "" {
			t.Errorf("%s: %s", l.Metadata.Name, diff)
		}
		delete(want, l.Metadata.Name)
		ref := api.ApplicationKind.Ref("solar", "forecast")
		if !api.SameRef(l.Spec.Application, &ref) || l.Spec.ApplicationUID != "u-1" || l.Spec.Cause == "" ||
			l.Metadata.NamespaceOrEmpty() != "solar" || l.Kind != "Leftover" || "u-1."+l.Spec.Identity != l.Metadata.Name {
			t.Errorf("%+v", l)
		}
		if refused := refusal(t, api.LeftoverKind, text(t, l)); refused != "" {
			t.Errorf("the server would not take it: %s", refused)
		}
	}
	if len(want) != 0 {
		t.Errorf("nothing was made of %v", want)
	}
}

func TestNothingIsHandedOnWhereNothingIsLeft(t *testing.T) {
	for name, parts := range map[string]map[string]any{
		"no parts":            nil,
		"no inventory":        {api.PlacementPart: &api.Placement{}},
		"an empty inventory":  {api.InventoryPart: &api.Inventory{}},
		"another part's type": {api.InventoryPart: &api.Placement{}},
	} {
		if got := stored().Removed(parts); len(got) != 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestTheWayToAClusterOutlivesItsRecord(t *testing.T) {
	sound := func() *api.Cluster {
		c := api.New[api.Cluster]()
		c.Metadata.Name, c.Metadata.Namespace, c.Metadata.UID = "edge-1", pointer("solar"), "u-9"
		c.Status.Identity, c.Spec.Kubeconfig = "id-1", parse(t, kubeconfig).(map[string]any)
		return c
	}
	got := sound().Removed(nil)
	if len(got) != 1 {
		t.Fatalf("%d leftovers", len(got))
	}
	l := got[0].(*api.Leftover)
	if l.Metadata.Name != "cluster.u-9" || l.Spec.Identity != "id-1" || !api.SameRef(l.Spec.Cluster, cluster("edge-1")) || len(l.Spec.Kubeconfig) == 0 {
		t.Errorf("%+v", l)
	}
	if refused := refusal(t, api.LeftoverKind, text(t, l)); refused != "" {
		t.Errorf("the server would not take it: %s", refused)
	}
	never, cloud := sound(), sound()
	never.Status.Identity, cloud.Spec.Kubeconfig = "", nil
	for name, c := range map[string]*api.Cluster{"it was never reached": never, "there is no way to it": cloud} {
		if got := c.Removed(nil); len(got) != 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestObjectsAreTheSameByTheirPlaceAndName(t *testing.T) {
	base := api.InventoryObject{Cluster: "c", Group: "g", Version: "v1", Kind: "k", Namespace: "n", Name: "x"}
	newer := base
	newer.Version, newer.UID, newer.Hash, newer.Wave = "v2", "u", "h", 3
	if !base.SameObject(newer) {
		t.Error("a new version of an object is another object")
	}
	for i := range 5 {
		other := base
		*[]*string{&other.Cluster, &other.Group, &other.Kind, &other.Namespace, &other.Name}[i] = "other"
		if base.SameObject(other) {
			t.Errorf("%+v is the same", other)
		}
	}
}
