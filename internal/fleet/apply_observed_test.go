package fleet

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rak-n-rok/krake/api"
)

// A watched object is one that is observed by a schema. It plays the part of the controller: it remembers what was wanted
// and what is recorded.
type watched struct {
	*bench
	schema []map[string]any
	before []map[string]any
	entry  api.InventoryObject
}

func (b *bench) watched(schema string) *watched {
	b.Helper()
	return &watched{bench: b, schema: b.manifest(schema)}
}

func (w *watched) object(manifest string) Object {
	w.Helper()
	wish := Wish{Manifest: w.manifest(manifest), Schema: w.schema, Applied: w.before}
	objects, err := w.Resolve(w.ctx, wish, w.owner)
	if err != nil {
		w.Fatal(err)
	}
	o := objects[0]
	o.Entry.UID = w.entry.UID
	return o
}

// want applies a manifest.
func (w *watched) want(manifest string) {
	w.Helper()
	a := w.apply(w.object(manifest))
	w.entry = a.Entry
	wish := Wish{Manifest: w.manifest(manifest), Schema: w.schema, Applied: w.before}
	w.before = Describe(wish, Snapshot{
		entries: []api.InventoryObject{a.Entry}, live: map[Key]*unstructured.Unstructured{KeyOf(a.Entry): a.Live},
	}).Applied
	if lost := w.drift(manifest); lost != "[]" {
		w.Errorf("right after an apply it has drifted: %s", lost)
	}
}

func (w *watched) drift(manifest string) string {
	w.Helper()
	o := w.object(manifest)
	return fmt.Sprint(Drift(&o, w.live(w.entry)))
}

// has checks what the cluster has at some paths, such as "spec replicas".
func (w *watched) has(want map[string]any) {
	w.Helper()
	live := w.live(w.entry)
	for path, value := range want {
		if got := at(live.Object, strings.Fields(path)); fmt.Sprint(got) != fmt.Sprint(value) {
			w.Errorf("%s is %v, want %v", path, got, value)
		}
	}
}

func container(object map[string]any) map[string]any {
	return listAt(object, "spec", "template", "spec", "containers")[0]
}

const webSchema = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {team: null}}
spec:
  template:
    spec:
      containers:
      - {name: null, image: null}
      - {observer_schema_list_min_length: 1, observer_schema_list_max_length: 2}
`

func TestWhatIsNotObservedIsSetOnce(t *testing.T) {
	b := newBench(t)
	w := b.watched(webSchema)
	manifest := func(words string) string {
		return strings.NewReplacer("web:1", "web:"+words[:1], "replicas: 1", "replicas: "+words[:1]).Replace(
			strings.Replace(deployment, "{name: web,", "{name: web, labels: {"+words[2:]+"},", 1))
	}
	w.want(manifest("1 team: a, tier: b"))
	w.has(map[string]any{"spec replicas": 1, "metadata labels team": "a", "metadata labels tier": "b", "metadata labels " + AppUIDLabel: b.owner.UID})
	b.stranger(w.entry, func(o map[string]any) {
		mapAt(o, "spec")["replicas"] = int64(3)
		container(o)["resources"] = map[string]any{"requests": map[string]any{"cpu": "2"}}
	})
	if lost := w.drift(manifest("1 team: a, tier: b")); lost != "[]" {
		t.Errorf("somebody has changed what is not observed: %s", lost)
	}
	// A change of the manifest brings what is observed, and leaves what others have made of the rest.
	w.want(manifest("2 team: c, tier: d"))
	w.has(map[string]any{"spec replicas": 3, "metadata labels team": "c", "metadata labels tier": "b"})
	if c := container(w.live(w.entry).Object); c["image"] != "web:2" || textAt(c, "resources", "requests", "cpu") != "2" || len(listAt(c, "env")) != 1 {
		t.Errorf("the container is %v", c)
	}
	// What the manifest has no longer stays: a value that is observed is remembered, and the rest is not touched.
	w.want(manifest("2 other: x"))
	w.has(map[string]any{"metadata labels team": "c", "metadata labels tier": "b", "metadata labels other": "x", "spec replicas": 3})
	// Others that change what is observed are noticed and overruled.
	b.stranger(w.entry, func(o map[string]any) { container(o)["image"] = "theirs" })
	if lost := w.drift(manifest("2 other: x")); lost != "[spec.template.spec.containers[0].image]" {
		t.Errorf("drifted: %s", lost)
	}
	if by, err := b.ChangedBy(b.ctx, w.object(manifest("2 other: x"))); err != nil || fmt.Sprint(by) != "[kubectl-edit]" {
		t.Errorf("changed by %v, %v", by, err)
	}
	w.want(manifest("2 other: x"))
	if c := container(w.live(w.entry).Object); c["image"] != "web:2" {
		t.Errorf("the container is %v", c)
	}
	// A schema that observes more takes it over.
	w.schema = b.manifest(strings.Replace(webSchema, "spec:\n", "spec:\n  replicas: null\n", 1))
	w.want(manifest("2 other: x"))
	w.has(map[string]any{"spec replicas": 2})
	// One that observes less lets go of it, and it stays as it is.
	w.schema = b.manifest(strings.Replace(webSchema, ", labels: {team: null}", "", 1))
	w.want(manifest("4 other: x"))
	w.has(map[string]any{"spec replicas": 2, "metadata labels tier": "b", "metadata labels other": "x"})
	w.has(map[string]any{"metadata labels team": nil}) // neither the manifest nor the schema has it any more
}

// All that was set once may come to belong to others, or to be observed.
func TestNothingMayBeLeftOfWhatWasSetOnce(t *testing.T) {
	const manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: SPACE}\ndata: {kept: a, once: b}"
	const schema = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {kept: null}"
	for name, c := range map[string]struct {
		change func(w *watched)
		once   string
	}{
		"others have it": {func(w *watched) { w.stranger(w.entry, func(o map[string]any) { mapAt(o, "data")["once"] = "theirs" }) }, "theirs"},
		"it is observed": {func(w *watched) {
			w.schema = w.manifest(strings.Replace(schema, "kept: null", "kept: null, once: null", 1))
		}, "b"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newBench(t).watched(schema)
			w.want(manifest)
			c.change(w)
			w.want(strings.Replace(manifest, "kept: a", "kept: c", 1))
			w.has(map[string]any{"data kept": "c", "data once": c.once})
		})
	}
}

func TestAValueThatTheClusterAssignsIsKept(t *testing.T) {
	b := newBench(t)
	const manifest = `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: SPACE}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80}]}
`
	w := b.watched(`
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: null
  sessionAffinity: null
  ports:
  - {port: null, nodePort: null}
  - {observer_schema_list_min_length: 1, observer_schema_list_max_length: 1}
`)
	w.want(manifest)
	port := func() any { return listAt(w.live(w.entry).Object, "spec", "ports")[0]["nodePort"] }
	first := port()
	want := b.manifest(strings.NewReplacer("{port: 80}", fmt.Sprintf("{port: 80, nodePort: %v}", first), "type:", "sessionAffinity: None, type:").Replace(manifest))
	if diff := cmp.Diff([]map[string]any(want), w.before); diff != "" {
		t.Errorf("remembered is %s", diff)
	}
	b.stranger(w.entry, func(o map[string]any) {
		listAt(o, "spec", "ports")[0]["nodePort"] = 30000 + (first.(int64)-30000+1)%2767
		mapAt(o, "spec")["sessionAffinity"] = "ClientIP"
	})
	if lost := w.drift(manifest); lost != "[spec.ports[0].nodePort spec.sessionAffinity]" {
		t.Errorf("drifted: %s", lost)
	}
	w.want(manifest)
	if port() != first {
		t.Errorf("the port is %v, it was %v at first", port(), first)
	}
	w.has(map[string]any{"spec sessionAffinity": "None"})
	// The list may not become longer.
	b.stranger(w.entry, func(o map[string]any) {
		ports := at(o, []string{"spec", "ports"}).([]any)
		ports[0].(map[string]any)["name"] = "ours"
		mapAt(o, "spec")["ports"] = append(ports, map[string]any{"port": int64(81), "name": "theirs"}, map[string]any{"port": int64(82), "name": "more"})
	})
	if lost := w.drift(manifest); lost != "[spec.ports has 3 elements, at most 1 are allowed]" {
		t.Errorf("drifted: %s", lost)
	}
	w.want(manifest)
	if ports := listAt(w.live(w.entry).Object, "spec", "ports"); len(ports) != 1 || ports[0]["nodePort"] != first {
		t.Errorf("the ports are %v", ports)
	}
}

func TestAListThatIsReplacedAsAWholeIsObservedSoOrNotAtAll(t *testing.T) {
	b := newBench(t)
	manifest := strings.Replace(deployment, "args: []", "args: [a, b]", 1)
	schema := func(args string) string {
		return strings.Replace(webSchema, "{name: null, image: null}", "{name: null, args: "+args+"}", 1)
	}
	const control = "{observer_schema_list_min_length: 0, observer_schema_list_max_length: 0}"
	w := b.watched(schema("[null, " + control + "]"))
	_, err := b.Apply(b.ctx, w.object(manifest))
	if !Final(err) || !strings.Contains(fmt.Sprint(err), "spec.template.spec.containers[0].args") || Reason(err).Code != api.InvalidResource {
		t.Errorf("a part of it: %v", err)
	}
	w.schema = b.manifest(schema("[null, null, " + control + "]"))
	w.want(manifest)
	b.stranger(w.entry, func(o map[string]any) { container(o)["args"] = []any{"theirs"} })
	if lost := w.drift(manifest); lost != "[spec.template.spec.containers[0].args]" {
		t.Errorf("drifted: %s", lost)
	}
	w.schema = b.manifest(schema("[" + control + "]"))
	w.want(manifest)
	if args := fmt.Sprint(container(w.live(w.entry).Object)["args"]); args != "[theirs]" {
		t.Errorf("of a list of which only the length is observed the content is %s", args)
	}
}

func TestAnObservedObjectOfSomebodyElseIsLeftAlone(t *testing.T) {
	b := newBench(t)
	theirs := b.resolve(someOwner("other"), deployment)[0]
	theirs.Entry = b.apply(theirs).Entry
	w := b.watched(webSchema)
	var foreign *ForeignError
	if _, err := b.Apply(b.ctx, w.object(deployment)); !errors.As(err, &foreign) {
		t.Errorf("%v", err)
	}
	w.entry.UID = "33333333-3333-3333-3333-333333333333"
	if _, err := b.Apply(b.ctx, w.object(deployment)); !errors.As(err, &foreign) {
		t.Errorf("recorded: %v", err)
	}
	if version := b.live(theirs.Entry).GetLabels()[AppUIDLabel]; version != theirs.owner {
		t.Errorf("it is marked as %s", version)
	}
	if gone, err := b.Delete(b.ctx, theirs.Entry, theirs.owner, Itself); err != nil {
		t.Fatal(gone, err)
	}
	b.eventually("its end", func() bool { live, err := b.Live(b.ctx, theirs.Entry); return err == nil && live == nil })
	var vanished *VanishedError
	if _, err := b.Apply(b.ctx, w.object(deployment)); !errors.As(err, &vanished) {
		t.Errorf("gone: %v", err)
	}
}
