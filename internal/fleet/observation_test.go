package fleet

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rak-n-rok/krake/api"
)

// Rows of the acceptance scenarios about observation and drift, C1 to C19, that a package alone can show.

const observedManifest = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {template: {spec: {containers: [{name: web, image: "web:1.10"}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80, protocol: TCP}]}
---
apiVersion: v1
kind: Secret
metadata: {name: key}
`

const schemaOfObservation = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: null, template: {spec: {containers: [{image: null}, {observer_schema_list_min_length: 1, observer_schema_list_max_length: 1}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: null}, {observer_schema_list_min_length: 0, observer_schema_list_max_length: 2}]}
---
apiVersion: v1
kind: Secret
metadata: {name: key}
`

// seen gives what Describe says of a cluster that has these objects.
func seen(t *testing.T, live string) []map[string]any {
	t.Helper()
	s := Snapshot{live: map[Key]*unstructured.Unstructured{}}
	for _, o := range manifest(t, live) {
		object := &unstructured.Unstructured{Object: o}
		e := api.InventoryObject{Group: object.GroupVersionKind().Group, Kind: object.GetKind(), Name: object.GetName()}
		s.entries = append(s.entries, e)
		s.live[KeyOf(e)] = object
	}
	return Describe(Wish{Manifest: manifest(t, observedManifest), Schema: manifest(t, schemaOfObservation)}, s).Observed
}

func TestWhatIsSeenOfObjectsByTheirSchemas(t *testing.T) {
	live := func(image string, replicas int, ports string, secret bool) string {
		deployment := strings.NewReplacer("web:1.10", image, "{template", fmt.Sprintf("{replicas: %d, paused: true, template", replicas))
		parts := strings.Split(deployment.Replace(observedManifest), "\n---\n")
		parts[1] = strings.Replace(parts[1], "{port: 80, protocol: TCP}", ports, 1)
		if !secret {
			parts = parts[:2]
		}
		return strings.Join(parts, "\n---\n")
	}
	want := func(image string, replicas, ports int, secret bool) []string {
		out := []string{fmt.Sprintf("Deployment %s %d", image, replicas), fmt.Sprintf("Service %d", ports)}
		if secret {
			out = append(out, "Secret")
		}
		return out
	}
	const one, two, three = "{port: 80, protocol: TCP, nodePort: 30080}", "{port: 80}, {port: 81}", "{port: 80}, {port: 81}, {port: 82}"
	for name, c := range map[string]struct {
		live string
		want []string
	}{
		"C2: as it was made":                 {live("web:1.10", 1, one, true), want("web:1.10", 1, 1, true)},
		"C2: another image and two replicas": {live("web:1.4", 2, one, true), want("web:1.4", 2, 1, true)},
		"C2: a second port":                  {live("web:1.10", 1, two, true), want("web:1.10", 1, 2, true)},
		"C2: a third port":                   {live("web:1.10", 1, three, true), want("web:1.10", 1, 3, true)},
		"C2: no ports":                       {live("web:1.10", 1, "", true), want("web:1.10", 1, 0, true)},
		"C2: no secret":                      {live("web:1.10", 1, one, false), want("web:1.10", 1, 1, false)},
		"C3: a protocol is not observed":     {live("web:1.10", 1, strings.Replace(one, "TCP", "UDP", 1), true), want("web:1.10", 1, 1, true)},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, o := range seen(t, c.live) {
				line := o["kind"].(string)
				switch line {
				case "Deployment":
					image := listAt(o, "spec", "template", "spec", "containers")[0]
					line += fmt.Sprintf(" %v %v", image["image"], at(o, []string{"spec", "replicas"}))
				case "Service":
					ports := listAt(o, "spec", "ports")
					line += fmt.Sprintf(" %v", ports[len(ports)-1][currentLength])
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	if diff := cmp.Diff(seen(t, live("web:1.10", 1, one, true)), seen(t, live("web:1.10", 1, strings.Replace(one, "TCP", "UDP", 1), true))); diff != "" {
		t.Errorf("C3: a protocol that is not observed makes a difference: %s", diff)
	}
}

// C4: an object is looked for in the namespace that its manifest names, else in the kubeconfig's, else in "default". The
// manifest stays as it is.
func TestC4ObjectsAreObservedInTheirNamespaces(t *testing.T) {
	b := newBench(t)
	for name, c := range map[string]struct{ context, manifest, want string }{
		"C4: in neither":                           {"", "", "default"},
		"C4: in the kubeconfig":                    {b.space, "", b.space},
		"C4: in the manifest":                      {"", b.space, b.space},
		"C4: in the manifest as in the kubeconfig": {"kube-system", b.space, b.space},
	} {
		t.Run(name, func(t *testing.T) {
			kubeconfig := b.cluster.Kubeconfig(t)
			if c.context != "" {
				kubeconfig["contexts"].([]any)[0].(map[string]any)["context"].(map[string]any)["namespace"] = c.context
			}
			m, err := b.fleet.Member(b.ctx, kubeconfig)
			if err != nil {
				t.Fatal(err)
			}
			inner := *b
			inner.TB, inner.Member, inner.owner = t, m, someOwner("app")
			wish := api.Manifest{{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "c4-" + b.space}, "data": map[string]any{"colour": "blue"}}}
			if c.manifest != "" {
				wish[0]["metadata"].(map[string]any)["namespace"] = c.manifest
			}
			before := fmt.Sprint(wish)
			objects, err := m.Resolve(b.ctx, Wish{Manifest: wish}, inner.owner)
			if err != nil {
				t.Fatal(err)
			}
			entries := inner.observed(objects...)
			defer inner.vanish(objects[0])
			live, known := m.Snapshot(inner.owner.UID, entries).Of(entries[0])
			if !known || live.GetNamespace() != c.want || entries[0].Namespace != c.want {
				t.Errorf("observed in %v (known %t), recorded in %s, not in %s", live, known, entries[0].Namespace, c.want)
			}
			if after := fmt.Sprint(wish); after != before {
				t.Errorf("the manifest became %s", after)
			}
		})
	}
}

// C5: a cluster that answers 503 is one of which nothing is known. Nothing is missing there, and nothing has drifted.
func TestC5AnErrorOfTheClusterTellsNothingOfItsObjects(t *testing.T) {
	j := newJunction(t) // which closes after the bench has ended its watches
	b := newBench(t)
	j.lead(t, b.cluster)
	m, err := b.fleet.Member(b.ctx, j.kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	inner := *b
	inner.Member = m
	objects := inner.resolve(b.owner, configMap)
	entries := inner.observed(objects...)
	j.between.Store(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	j.CloseClientConnections()
	b.vanish(objects[0]) // which cannot be seen
	plan := func() Plan {
		return NewPlan(Situation{Cluster: m.Identity(), Desired: objects, Inventory: entries, Live: m.Snapshot(b.owner.UID, entries)})
	}
	b.eventually("nothing being known", func() bool {
		if p := plan(); !p.Empty() {
			t.Fatalf("while the cluster fails there is to be done: %s", outline(p))
		}
		return !m.Snapshot(b.owner.UID, entries).Synced()
	})
	j.between.Store(func(http.ResponseWriter, *http.Request) bool { return false })
	b.eventually("the loss being seen", func() bool { p := plan(); return len(p.Update) == 1 && p.Update[0].Way == Missing })
}

// C18: a maximum of 0 is no bound.
func TestC18AListWithoutABoundMayHaveAnyLength(t *testing.T) {
	b := newBench(t)
	const manifest = `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: SPACE}
spec: {selector: {app: web}, ports: [{name: a, port: 80}]}
`
	w := b.watched(`
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: null}, {observer_schema_list_min_length: 0, observer_schema_list_max_length: 0}]}
`)
	w.want(manifest)
	b.stranger(w.entry, func(o map[string]any) {
		ports := at(o, []string{"spec", "ports"}).([]any)
		for i := range int64(4) {
			ports = append(ports, map[string]any{"port": 81 + i, "name": fmt.Sprint("more-", i)})
		}
		mapAt(o, "spec")["ports"] = ports
	})
	if lost := w.drift(manifest); lost != "[]" {
		t.Errorf("drifted: %s", lost)
	}
	w.want(manifest)
	if n := len(listAt(w.live(w.entry).Object, "spec", "ports")); n != 5 {
		t.Errorf("there are %d ports", n)
	}
}

// C19: keys with capitals and values of labels are like any others.
func TestC19AnyKeyCanBeObserved(t *testing.T) {
	b := newBench(t)
	const manifest = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: SPACE, labels: {tier: front, example.org/Owner: me}}
data: {README: read me, other: "1"}
`
	w := b.watched(`
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {tier: null, example.org/Owner: null}}
data: {README: null}
`)
	w.want(manifest)
	b.stranger(w.entry, func(o map[string]any) {
		mapAt(o, "data")["README"], mapAt(o, "data")["other"] = "burn me", "2"
		mapAt(o, "metadata", "labels")["tier"], mapAt(o, "metadata", "labels")["example.org/Owner"] = "back", "you"
	})
	if lost := w.drift(manifest); lost != "[data.README metadata.labels.example.org/Owner metadata.labels.tier]" {
		t.Errorf("drifted: %s", lost)
	}
	w.want(manifest)
	w.has(map[string]any{"data README": "read me", "data other": "2", "metadata labels tier": "front", "metadata labels example.org/Owner": "me"})
}
