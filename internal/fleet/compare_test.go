package fleet

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rak-n-rok/krake/api"
)

const secret = `
apiVersion: v1
kind: Secret
metadata: {name: key, namespace: SPACE, annotations: {note: hunter0}}
stringData: {password: hunter2, user: me}
`

// deployed applies documents and returns their entries, as the inventory has them.
func (b *bench) deployed(documents string) []api.InventoryObject {
	b.Helper()
	var out []api.InventoryObject
	for _, o := range b.resolve(b.owner, documents) {
		out = append(out, b.apply(o).Entry)
	}
	return out
}

// compared is what Compare says of documents, as KIND NAME ACTION and the paths that would change.
func (b *bench) compared(documents string, inventory []api.InventoryObject) (short map[string][]string, all []api.ObjectDiff) {
	b.Helper()
	var desired []Object
	if documents != "" {
		desired = b.resolve(b.owner, documents)
	}
	all, err := b.Compare(b.ctx, desired, inventory, b.owner.UID)
	if err != nil {
		b.Fatal(err)
	}
	short = map[string][]string{}
	for _, d := range all {
		var paths []string
		for _, c := range d.Changes {
			paths = append(paths, c.Path)
		}
		short[d.Kind+" "+d.Name+" "+string(d.Action)] = paths
	}
	return short, all
}

func TestCompareTellsWhatAnApplyWouldChange(t *testing.T) {
	others := strings.Replace(configMap, "name: settings", "name: more", 1)
	for name, c := range map[string]struct {
		was, is string
		by      func(b *bench, inventory []api.InventoryObject) // what happens in between
		want    map[string][]string
	}{
		"nothing": {was: deployment, is: deployment, want: map[string][]string{"Deployment web nothing": nil}},
		"a value": {
			was: configMap, is: strings.Replace(configMap, "blue", "red", 1),
			want: map[string][]string{"ConfigMap settings update": {"data.colour"}},
		},
		"a quantity spelled otherwise": {
			was: deployment, is: strings.Replace(deployment, "1000m", "'1'", 1),
			want: map[string][]string{"Deployment web nothing": nil},
		},
		"a field dropped from the manifest": {
			was: configMap, is: strings.Replace(configMap, "{colour: blue}", "{}", 1),
			want: map[string][]string{"ConfigMap settings update": {"data.colour"}},
		},
		"a field that others have changed": {
			was: deployment, is: deployment,
			by: func(b *bench, inventory []api.InventoryObject) {
				b.stranger(inventory[0], func(live map[string]any) { mapAt(live, "spec")["replicas"] = int64(3) })
			},
			want: map[string][]string{"Deployment web update": {"spec.replicas"}},
		},
		"a field that others have added": {
			was: configMap, is: configMap,
			by: func(b *bench, inventory []api.InventoryObject) {
				b.stranger(inventory[0], func(live map[string]any) { mapAt(live, "data")["theirs"] = "x" })
			},
			want: map[string][]string{"ConfigMap settings nothing": nil},
		},
		"an object that is gone": {
			was: configMap, is: configMap,
			by: func(b *bench, inventory []api.InventoryObject) {
				if _, err := b.Delete(b.ctx, inventory[0], b.owner.UID, Itself); err != nil {
					b.Fatal(err)
				}
			},
			want: map[string][]string{"ConfigMap settings create": {
				"data.colour", `metadata.annotations["krake.cloud/installation"]`, `metadata.annotations["krake.cloud/name"]`,
				`metadata.annotations["krake.cloud/namespace"]`, `metadata.labels["krake.cloud/app-uid"]`,
			}},
		},
		"one object for another": {
			was: others, is: configMap,
			want: map[string][]string{"ConfigMap more remove": nil, "ConfigMap settings create": {
				"data.colour", `metadata.annotations["krake.cloud/installation"]`, `metadata.annotations["krake.cloud/name"]`,
				`metadata.annotations["krake.cloud/namespace"]`, `metadata.labels["krake.cloud/app-uid"]`,
			}},
		},
		"nothing is wanted any more": {was: configMap, want: map[string][]string{"ConfigMap settings remove": nil}},
		"what the cluster does not accept": {
			was: deployment, is: strings.Replace(deployment, "matchLabels: {app: web}", "matchLabels: {app: other}", 1),
			want: map[string][]string{"Deployment web refuse": nil},
		},
		"a kind and a namespace that the manifest brings itself": {
			is: `
apiVersion: v1
kind: Namespace
metadata: {name: SPACE-own}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: inner, namespace: SPACE-own}
data: {a: b}`,
			want: map[string][]string{
				"Namespace SPACE-own create": {
					`metadata.annotations["krake.cloud/installation"]`, `metadata.annotations["krake.cloud/name"]`,
					`metadata.annotations["krake.cloud/namespace"]`, `metadata.labels["krake.cloud/app-uid"]`,
				},
				"ConfigMap inner create": {
					"data.a", `metadata.annotations["krake.cloud/installation"]`, `metadata.annotations["krake.cloud/name"]`,
					`metadata.annotations["krake.cloud/namespace"]`, `metadata.labels["krake.cloud/app-uid"]`,
				},
			},
		},
		"a namespace that nobody brings": {
			is:   strings.Replace(configMap, "SPACE", "nowhere", 1),
			want: map[string][]string{"ConfigMap settings refuse": nil},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			var inventory []api.InventoryObject
			if c.was != "" {
				inventory = b.deployed(c.was)
			}
			if c.by != nil {
				c.by(b, inventory)
			}
			before := b.versions(inventory)
			got, _ := b.compared(c.is, inventory)
			want := map[string][]string{}
			for text, paths := range c.want {
				want[strings.ReplaceAll(text, "SPACE", b.space)] = paths
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(before, b.versions(inventory)); diff != "" {
				t.Errorf("something was written: %s", diff)
			}
		})
	}
}

// versions are the versions of the objects that are there.
func (b *bench) versions(inventory []api.InventoryObject) map[Key]string {
	b.Helper()
	out := map[Key]string{}
	for _, e := range inventory {
		live, err := b.Live(b.ctx, e)
		if err != nil {
			b.Fatal(err)
		}
		if live != nil && live.GetKind() != "Deployment" { // to whose status others write
			out[KeyOf(e)] = live.GetResourceVersion()
		}
	}
	return out
}

func TestCompareNamesTheOwnerOfWhatIsForeignAndTellsNothingOfIt(t *testing.T) {
	b := newBench(t)
	other := someOwner("other")
	for _, o := range b.resolve(other, configMap) {
		b.apply(o)
	}
	short, all := b.compared(strings.Replace(configMap, "blue", "red", 1), nil)
	if _, ok := short["ConfigMap settings refuse"]; !ok || !strings.Contains(all[0].Reason, "system:admin/other") {
		t.Errorf("%v %+v", short, all)
	}
	if text, _ := json.Marshal(all); strings.Contains(string(text), "blue") {
		t.Errorf("what others have was told: %s", text)
	}
}

func TestCompareTellsNoSecret(t *testing.T) {
	b := newBench(t)
	inventory := b.deployed(secret)
	for name, document := range map[string]string{
		"changed": strings.ReplaceAll(secret, "hunter", "rabbit"), "new": strings.Replace(secret, "name: key", "name: fresh", 1),
		"refused": strings.Replace(secret, "stringData", "data", 1),
		"typed":   strings.Replace(secret, "stringData: {", "type: kubernetes.io/tls\nstringData: {", 1),
	} {
		short, all := b.compared(document, inventory)
		text, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"hunter", "rabbit", base64.StdEncoding.EncodeToString([]byte("hunter2")), base64.StdEncoding.EncodeToString([]byte("rabbit2"))} {
			if strings.Contains(string(text), word) {
				t.Errorf("%s: %s was told: %s", name, word, text)
			}
		}
		if name == "changed" {
			want := []string{"data.password", "metadata.annotations.note"}
			if diff := cmp.Diff(want, short["Secret key update"]); diff != "" {
				t.Error(diff)
			}
		}
	}
}

const observedSchema = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: null}
`

func TestCompareLeavesWhatIsNotObserved(t *testing.T) {
	b := newBench(t)
	schema := []map[string]any{object(t, observedSchema).Object}
	resolve := func(document string) []Object {
		objects, err := b.Resolve(b.ctx, Wish{Manifest: b.manifest(document), Schema: schema}, b.owner)
		if err != nil {
			t.Fatal(err)
		}
		return objects
	}
	entry := b.apply(resolve(deployment)[0]).Entry
	b.stranger(entry, func(live map[string]any) {
		mapAt(live, "spec")["replicas"] = int64(2)
		listAt(live, "spec", "template", "spec", "containers")[0]["image"] = "web:9"
	})
	all, err := b.Compare(b.ctx, resolve(deployment), []api.InventoryObject{entry}, b.owner.UID)
	if err != nil {
		t.Fatal(err)
	}
	want := []api.FieldDiff{{Path: "spec.replicas", Before: int64(2), After: int64(1)}}
	if diff := cmp.Diff(want, all[0].Changes); diff != "" {
		t.Error(diff)
	}
}
