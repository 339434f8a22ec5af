package fleet

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
)

// nested is a value within n maps.
func nested(n int) string {
	return strings.Repeat(`{"a": `, n) + "1" + strings.Repeat("}", n)
}

// many draws up n lines.
func many(n int, line string) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, line+"\n", i)
	}
	return out.String()
}

// What a manifest may hold that is not meant well, or not thought through. Either it works, and the second look finds
// nothing to do, or the refusal says why.
func TestHostileManifests(t *testing.T) {
	b := newBench(t)
	other := b.apply(b.resolve(someOwner("other"), strings.Replace(configMap, "settings", "others", 1))[0])
	config := "apiVersion: v1\nkind: ConfigMap\nmetadata: {namespace: SPACE, name: a, "
	for name, c := range map[string]struct {
		manifest string
		says     string // empty if it works
		code     api.ReasonCode
	}{
		"three hundred objects": {strings.TrimSuffix(many(300, config+"labels: {number: '%d'}}\n---"), "\n---\n"), "", ""},
		"an object too large for its kind": {
			"apiVersion: v1\nkind: ConfigMap\nmetadata: {namespace: SPACE, name: a}\ndata: {a: " + strings.Repeat("x", 1<<20+1) + "}", "may not be more than 1048576 bytes", api.KubernetesError,
		},
		"an object just small enough":          {"apiVersion: v1\nkind: ConfigMap\nmetadata: {namespace: SPACE, name: a}\ndata: {a: " + strings.Repeat("x", 1<<20-1024) + "}", "", ""},
		"an object too large for the database": {strings.Replace(deployment, "value: fast", "value: "+strings.Repeat("x", 1600<<10), 1), "too large", api.KubernetesError},
		"an object too large for a request":    {strings.Replace(deployment, "value: fast", "value: "+strings.Repeat("x", 4<<20), 1), "too large", api.KubernetesError},
		"ten thousand annotations": {
			"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  namespace: SPACE\n  name: a\n  annotations:\n" + many(10000, "    a%d: "+strings.Repeat("x", 30)), "metadata.annotations: Too long", api.KubernetesError,
		},
		"ten thousand annotations that are none": {
			"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  namespace: SPACE\n  name: a\n  annotations:\n" + many(5000, "    a b%d: x"), "bytes more)", api.KubernetesError,
		},
		"a deep value where none belongs":   {config + "}\ndata: {a: " + nested(200) + "}", ".data.a", api.KubernetesError},
		"a deep value that is kept":         {"apiVersion: SPACE.example.org/v1\nkind: Toy\nmetadata: {namespace: SPACE, name: a}\nspec: " + nested(250), "", ""},
		"a name that climbs":                {strings.Replace(config, "name: a,", "name: ../secrets/a,", 1) + "}", `metadata.name "../secrets/a" is no name`, api.InvalidResource},
		"a name of dots":                    {strings.Replace(config, "name: a,", "name: '..',", 1) + "}", "is no name", api.InvalidResource},
		"a name with an escape":             {strings.Replace(config, "name: a,", "name: a%2Fb,", 1) + "}", "is no name", api.InvalidResource},
		"a name with a question":            {strings.Replace(config, "name: a,", "name: 'a?force=true',", 1) + "}", "Invalid value", api.KubernetesError},
		"a name with a blank and an umlaut": {strings.Replace(config, "name: a,", "name: 'ä b',", 1) + "}", "Invalid value", api.KubernetesError},
		"a name that is a book":             {strings.Replace(config, "name: a,", "name: "+strings.Repeat("a", 1<<20)+",", 1) + "}", "is no name", api.InvalidResource},
		"a name that is long":               {strings.Replace(config, "name: a,", "name: "+strings.Repeat("a", 254)+",", 1) + "}", "253", api.KubernetesError},
		"a namespace that climbs":           {strings.Replace(config, "namespace: SPACE", "namespace: SPACE/../kube-system", 1) + "}", "is no name of a namespace", api.InvalidResource},
		"a kind that is a book":             {"apiVersion: v1\nkind: " + strings.Repeat("K", 1<<20) + "\nmetadata: {name: a}", "bytes more)", api.UnsupportedResource},
		"a List":                            {"apiVersion: v1\nkind: List\nmetadata: {name: a}\nitems: [{apiVersion: v1, kind: List, metadata: {name: b}, items: []}]", "it is a list: put its 1 items", api.InvalidResource},
		"a list of a kind":                  {"apiVersion: v1\nkind: ConfigMapList\nmetadata: {name: a}\nitems: []", "it is a list", api.InvalidResource},
		"a name to be made up, and a name":  {config + "generateName: x-}", "", ""},
		"null members":                      {config + "labels: null, annotations: null, finalizers: null, ownerReferences: null}\ndata: null\nbinaryData: null", "", ""},
		"null in a list":                    {strings.Replace(deployment, "args: []", "args: [null]", 1), "", ""},
		"null in a list of maps":            {strings.Replace(deployment, "env: [", "env: [null, ", 1), "", api.KubernetesError},
		"a text for a map":                  {strings.Replace(deployment, "matchLabels: {app: web}", "matchLabels: web", 1), ".spec.selector.matchLabels: expected map", api.KubernetesError},
		"a map for a text":                  {config + "}\ndata: {a: {}}", ".data.a: expected string", api.KubernetesError},
		"a spec that is a text":             {"apiVersion: apps/v1\nkind: Deployment\nmetadata: {namespace: SPACE, name: a}\nspec: x", ".spec: expected map", api.KubernetesError},
		"a negative number":                 {strings.Replace(deployment, "replicas: 1", "replicas: -1", 1), "must be greater than or equal to 0", api.KubernetesError},
		"a status":                          {deployment + "\nstatus: {replicas: 7, readyReplicas: 7, observedGeneration: 99}", "", ""},
		"an owner":                          {config + "ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: others, uid: " + string(other.Live.GetUID()) + "}]}", "ownerReferences", api.InvalidResource},
		"a finalizer of others":             {config + "finalizers: [example.org/mine]}", "", ""},
		"managed fields":                    {config + "managedFields: [{manager: krake, operation: Apply, apiVersion: v1, fieldsType: FieldsV1, fieldsV1: {'f:data': {}}}]}", "", ""},
		"managed fields that are none":      {config + "managedFields: x}", "", ""},
		"a uid and a version":               {config + "uid: x, resourceVersion: '7', generation: 3, creationTimestamp: null, deletionTimestamp: '2020-01-01T00:00:00Z'}", "", ""},
		"a mark of somebody else":           {config + "labels: {krake.cloud/app-uid: " + other.Live.GetLabels()[AppUIDLabel] + "}, annotations: {krake.cloud/name: other, krake.cloud/installation: there}}", "", ""},
		"a definition of a kind that is served": {`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: secrets.}
spec: {group: "", scope: Cluster, names: {kind: ConfigMap, plural: secrets, singular: s, listKind: L}, versions: [{name: v1, served: true, storage: true}]}
---
` + config + "}", "apiextensions.k8s.io", api.KubernetesError},
		"a definition that climbs": {`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: a.SPACE.org}
spec: {group: SPACE.org, scope: Cluster, names: {kind: Trap, plural: ../../../api/v1/secrets, singular: s, listKind: L}, versions: [{name: v1, served: true, storage: true}]}
---
apiVersion: SPACE.org/v1
kind: Trap
metadata: {name: a}`, "does not know the kind Trap", api.UnsupportedResource},
		"a definition that makes no sense": {"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\nspec: {versions: [x, null, {name: 1}], names: []}", "CustomResourceDefinition a", api.KubernetesError},
		"a Binding":                        {"apiVersion: v1\nkind: Binding\nmetadata: {namespace: SPACE, name: a}\ntarget: {kind: Node, name: a}", "Binding of v1 (index 0 of the manifest) is a request", api.UnsupportedResource},
		"an Eviction":                      {"apiVersion: policy/v1\nkind: Eviction\nmetadata: {namespace: SPACE, name: a}", "does not know the kind Eviction", api.UnsupportedResource},
		"a TokenReview":                    {"apiVersion: authentication.k8s.io/v1\nkind: TokenReview\nmetadata: {name: a}\nspec: {token: x}", "is a request", api.UnsupportedResource},
		"a SubjectAccessReview":            {"apiVersion: authorization.k8s.io/v1\nkind: LocalSubjectAccessReview\nmetadata: {namespace: SPACE, name: a}", "is a request", api.UnsupportedResource},
		"a TokenRequest":                   {"apiVersion: authentication.k8s.io/v1\nkind: TokenRequest\nmetadata: {namespace: SPACE, name: a}", "does not know the kind", api.UnsupportedResource},
		"a Scale":                          {"apiVersion: autoscaling/v1\nkind: Scale\nmetadata: {namespace: SPACE, name: a}\nspec: {replicas: 9}", "does not know the kind", api.UnsupportedResource},
		"a ComponentStatus":                {"apiVersion: v1\nkind: ComponentStatus\nmetadata: {name: a}", "ComponentStatus", api.UnsupportedResource},
	} {
		t.Run(name, func(t *testing.T) {
			b := *b
			b.TB, b.owner = t, someOwner("hostile")
			b.space = b.makeNamespace()
			if strings.Contains(c.manifest, "kind: Toy") {
				b.defineToys()
			}
			m := b.manifest(c.manifest)
			for i := range m[1:] {
				if meta := mapAt(m[i+1], "metadata"); len(m) == 300 {
					meta["name"] = fmt.Sprint("a", i)
				}
			}
			started := time.Now()
			err := b.lifeOf(m)
			switch {
			case c.code == "" && err != nil:
				t.Error(err)
			case c.code != "" && err == nil:
				t.Error("it works")
			case c.code != "" && (!Final(err) || Reason(err).Code != c.code || !strings.Contains(Reason(err).Message, c.says)):
				t.Errorf("%s, final %t: %v", Reason(err).Code, Final(err), Reason(err).Message)
			case c.code != "" && len(Reason(err).Message) > longestReason+100:
				t.Errorf("the reason has %d bytes", len(Reason(err).Message))
			}
			if took := time.Since(started); took > 20*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
	if live := b.live(other.Entry); live.GetUID() != other.Live.GetUID() || live.GetResourceVersion() != other.Live.GetResourceVersion() {
		t.Error("what is somebody else's was touched")
	}
}

func (b *bench) defineToys() {
	b.Helper()
	b.apply(b.resolve(someOwner("setup"), strings.ReplaceAll(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: toys.GROUP}
spec:
  group: GROUP
  scope: Namespaced
  names: {kind: Toy, plural: toys, singular: toy, listKind: ToyList}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
`, "GROUP", b.space+".example.org"))[0])
}

// lifeOf applies a manifest, looks whether anything is left to do, and removes it.
func (b *bench) lifeOf(m api.Manifest) error {
	b.Helper()
	objects, err := b.Resolve(b.ctx, Wish{Manifest: m}, b.owner)
	if err != nil {
		return err
	}
	if err := b.CheckAll(b.ctx, objects); err != nil {
		return err
	}
	plan := NewPlan(Situation{Cluster: b.Identity(), Desired: objects})
	var entries []api.InventoryObject
	for _, wave := range plan.Waves() {
		for _, r := range b.ApplyWave(b.ctx, wave) {
			if r.Err != nil {
				return r.Err
			}
			entries = append(entries, r.Entry)
		}
	}
	b.Observe(entries)
	b.eventually("everything being known", func() bool { return b.Snapshot(b.owner.UID, entries).Synced() })
	seen := b.Snapshot(b.owner.UID, entries)
	again := NewPlan(Situation{Cluster: b.Identity(), Desired: objects, Inventory: entries, Live: seen})
	if !again.Empty() {
		b.Errorf("the second look finds %d to create, %d to update: %+v", len(again.Create), len(again.Update), again.Update)
	}
	Health(seen.Live(), seen.Missing(), nil)
	Describe(Wish{Manifest: m}, seen)
	for _, live := range seen.Live() {
		if live.GetLabels()[AppUIDLabel] != b.owner.UID || live.GetAnnotations()[InstallationAnnotation] != "here" {
			b.Errorf("the marks are %v %v", live.GetLabels(), live.GetAnnotations())
		}
	}
	rest := NewPlan(Situation{Cluster: b.Identity(), Inventory: entries})
	for _, wave := range rest.PruneWaves() {
		for _, r := range b.DeleteWave(b.ctx, wave, b.owner.UID, Itself) {
			if r.Err != nil {
				b.Error(r.Err)
			}
		}
	}
	return nil
}

// junk draws any JSON there is.
func junk() *rapid.Generator[any] {
	leaf := rapid.OneOf(
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Int64().AsAny(), rapid.String().AsAny(),
		rapid.SampledFrom([]any{json.Number("1e999"), json.Number("-0"), json.Number("1.0"), json.Number("99999999999999999999"), "../..", "%", "v1", "Secret"}),
	)
	var value func(depth int) *rapid.Generator[any]
	value = func(depth int) *rapid.Generator[any] {
		if depth == 0 {
			return leaf
		}
		return rapid.OneOf(leaf, rapid.SliceOfN(value(depth-1), 0, 3).AsAny(), rapid.MapOfN(someKey(), value(depth-1), 0, 4).AsAny())
	}
	return value(4)
}

func someKey() *rapid.Generator[string] {
	return rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"metadata", "name", "namespace", "labels", "annotations", "spec", "template", "containers", "volumes", "ports", "data", "stringData",
		"status", "loadBalancer", "ingress", "versions", "names", "plural", "group", "items", "replicas", "type", "accessModes",
		"observer_schema_list_min_length", "observer_schema_list_max_length",
	}))
}

// hostile draws objects that come close to being some, with anything anywhere.
func hostile() *rapid.Generator[map[string]any] {
	return rapid.Custom(func(t *rapid.T) map[string]any {
		o := rapid.MapOfN(someKey(), junk(), 0, 5).Draw(t, "object")
		version := rapid.SampledFrom([]string{"v1", "v1", "v1", "apps/v1", "batch/v1", "apiextensions.k8s.io/v1", "a/b/c"}).Draw(t, "version")
		kind := rapid.SampledFrom([]string{"ConfigMap", "Secret", "Pod", "Service", "Deployment", "Job", "CustomResourceDefinition", "PersistentVolumeClaim"}).Draw(t, "kind")
		metadata := rapid.MapOfN(someKey(), junk(), 0, 2).Draw(t, "metadata")
		for field, value := range map[string]any{"apiVersion": version, "kind": kind, "metadata": metadata} {
			if rapid.IntRange(0, 9).Draw(t, field) > 0 {
				o[field] = value
			}
		}
		if rapid.IntRange(0, 9).Draw(t, "named") > 0 {
			metadata["name"] = rapid.OneOf(rapid.StringMatching(`[a-b]{1,2}`), rapid.StringMatching(`[a./%]{1,4}`)).Draw(t, "name")
		}
		return o
	})
}

// Whatever a manifest holds, nothing panics, nothing of the manifest is changed, and what is resolved is marked as its
// owner's and stays on its own path.
func TestNoManifestBreaksAnything(t *testing.T) {
	m := still("v1 ConfigMap configmaps", "v1 Secret secrets", "v1 Pod pods", "v1 Service services", "v1 PersistentVolumeClaim persistentvolumeclaims",
		"apps/v1 Deployment deployments", "batch/v1 Job jobs", "apiextensions.k8s.io/v1 CustomResourceDefinition customresourcedefinitions cluster")
	owner := Owner{UID: "11111111", Namespace: "team", Name: "web", Installation: "here"}
	rapid.Check(t, func(t *rapid.T) {
		w := Wish{
			Manifest: rapid.SliceOfN(hostile(), 0, 2).Draw(t, "manifest"),
			Schema:   rapid.SliceOfN(hostile(), 0, 2).Draw(t, "schema"),
			Applied:  rapid.SliceOfN(hostile(), 0, 2).Draw(t, "applied"),
		}
		if rapid.Bool().Draw(t, "confined") {
			w.Confined = &Confinement{}
		}
		before := fmt.Sprintf("%#v", w)
		w.Manifest.HarmfulTwice()
		objects, err := m.Resolve(t.Context(), w, owner)
		if err == nil {
			var live []*unstructured.Unstructured
			for i := range objects {
				o := &objects[i]
				if o.form.GetLabels()[AppUIDLabel] != owner.UID || o.form.GetAnnotations()[InstallationAnnotation] != "here" {
					t.Fatalf("%s is not marked: %v", o.Key(), o.form.Object["metadata"])
				}
				if w.Confined != nil && o.Entry.Namespace != "krake-team" {
					t.Fatalf("%s is not in its place", o.Key())
				}
				for _, part := range pathOf(o.resource, o.Entry.Namespace, o.Entry.Name)[1:] {
					if part == "" || part == ".." || strings.Contains(part, "/") {
						t.Fatalf("its path has the part %q", part)
					}
				}
				Drift(o, o.form)
				live = append(live, o.form)
			}
			s := Snapshot{live: map[Key]*unstructured.Unstructured{}}
			for i, o := range objects {
				s.entries, s.live[o.Key()] = append(s.entries, o.Entry), live[i]
			}
			Health(live, nil, nil)
			Describe(w, s)
			NewPlan(Situation{Cluster: "here", Desired: objects, Inventory: s.entries, Live: s})
		} else if !Final(err) && !Unreachable(err) {
			t.Fatalf("neither a refusal nor a fault: %v", err)
		}
		if after := fmt.Sprintf("%#v", w); after != before {
			t.Fatalf("the wish was changed:\n%s\n%s", before, after)
		}
	})
}

func TestADefinitionDoesNotRedirectAKindThatIsServed(t *testing.T) {
	m := still("apps/v1 Deployment deployments", "apiextensions.k8s.io/v1 CustomResourceDefinition customresourcedefinitions cluster")
	objects, err := m.Resolve(t.Context(), Wish{Manifest: manifest(t, `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: daemonsets.apps}
spec: {group: apps, scope: Cluster, names: {kind: Deployment, plural: daemonsets}, versions: [{name: v1, served: true}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: a}`)}, Owner{UID: "u"})
	if err != nil || objects[1].resource.Resource != "deployments" || objects[1].Entry.Namespace != "context" {
		t.Errorf("%+v, %v", objects, err)
	}
}
