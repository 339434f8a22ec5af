package fleet

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rak-n-rok/krake/api"
)

// ears collects what Options.OnChange is told.
type ears struct {
	mu    sync.Mutex
	heard map[string]int // by application
}

func (e *ears) listen(_, appUID string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.heard == nil {
		e.heard = map[string]int{}
	}
	e.heard[appUID]++
}

// count returns how often a change of an application's objects was heard.
func (e *ears) count(appUID string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.heard[appUID]
}

// observed applies objects, has them observed, and returns their entries once all is known.
func (b *bench) observed(objects ...Object) []api.InventoryObject {
	b.Helper()
	var entries []api.InventoryObject
	for _, o := range objects {
		entries = append(entries, b.apply(o).Entry)
	}
	b.Observe(entries)
	b.eventually("everything being known", func() bool {
		s := b.Snapshot(b.owner.UID, entries)
		return s.Synced() && len(s.Live()) == len(entries)
	})
	return entries
}

func TestInformersSeeDriftAndDeletion(t *testing.T) {
	var e ears
	b := newBenchWith(t, Options{OnChange: e.listen})
	objects := b.resolve(b.owner, configMap+"\n---\n"+deployment)
	entries := b.observed(objects...)
	for i := range objects {
		live, known := b.Snapshot(b.owner.UID, entries).Of(entries[i])
		if lost := Drift(&objects[i], live); !known || len(lost) > 0 {
			t.Errorf("%s: known %t, lost %v", objects[i].Key(), known, lost)
		}
	}

	before := e.count(b.owner.UID)
	b.stranger(entries[0], func(live map[string]any) { mapAt(live, "data")["colour"] = "red" })
	b.eventually("drift", func() bool {
		live, _ := b.Snapshot(b.owner.UID, entries).Of(entries[0])
		return live != nil && slices.Equal(Drift(&objects[0], live), []string{"data.colour"})
	})
	b.eventually("word of the drift", func() bool { return e.count(b.owner.UID) > before })

	before = e.count(b.owner.UID)
	b.vanish(objects[0])
	b.eventually("the object missing", func() bool {
		missing := b.Snapshot(b.owner.UID, entries).Missing()
		return len(missing) == 1 && missing[0] == entries[0]
	})
	b.eventually("word of the deletion", func() bool { return e.count(b.owner.UID) > before })
}

func TestWhatWasAppliedAMomentAgoIsNotMissingOrChanged(t *testing.T) {
	b := newBench(t)
	first := b.resolve(b.owner, configMap)[0]
	b.observed(first)
	for i := range 20 {
		name := fmt.Sprintf("settings-%d", i)
		o := b.resolve(b.owner, strings.Replace(configMap, "settings", name, 1))[0]
		for _, content := range []string{"colour: blue", "size: large"} { // created, then changed
			changed := b.resolve(b.owner, strings.NewReplacer("settings", name, "colour: blue", content).Replace(configMap))[0]
			changed.Entry.UID = o.Entry.UID
			o.Entry = b.apply(changed).Entry
			inventory := []api.InventoryObject{o.Entry}
			p := NewPlan(Situation{
				Cluster: b.Identity(), Desired: []Object{changed}, Inventory: inventory, Live: b.Snapshot(b.owner.UID, inventory),
			})
			if !p.Empty() {
				t.Fatalf("right after the apply: %s", p.Update[0].Why)
			}
		}
		b.vanish(o)
		started := time.Now()
		b.eventually("its end being seen", func() bool {
			return len(b.Snapshot(b.owner.UID, []api.InventoryObject{o.Entry}).Missing()) == 1
		})
		if took := time.Since(started); took > writtenFor/2 {
			t.Fatalf("its end was seen after %s", took)
		}
	}
}

func TestAMarkTakenOffIsADeletionToInformers(t *testing.T) {
	var e ears
	b := newBenchWith(t, Options{OnChange: e.listen})
	entries := b.observed(b.resolve(b.owner, configMap)...)
	before := e.count(b.owner.UID)
	b.stranger(entries[0], func(live map[string]any) { mapAt(live, "metadata", "labels")[AppUIDLabel] = "someone" })
	b.eventually("the object missing", func() bool { return len(b.Snapshot("another", entries).Live()) == 1 })
	b.eventually("word to the old owner", func() bool { return e.count(b.owner.UID) > before })
	b.eventually("word to the new owner", func() bool { return e.count("someone") > 0 })
}

func TestOfSecretsOnlyMetadataAreKept(t *testing.T) {
	b := newBench(t)
	o := b.resolve(b.owner, "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: SPACE}\nstringData: {a: x}")[0]
	entries := b.observed(o)
	live, _ := b.Snapshot(b.owner.UID, entries).Of(entries[0])
	if live.Object["data"] != nil || live.GetKind() != "Secret" || live.GetAPIVersion() != "v1" {
		t.Errorf("kept: %v", live.Object)
	}
	if lost := Drift(&o, live); len(lost) > 0 {
		t.Errorf("lost at first: %v", lost)
	}
	if r := Health([]*unstructured.Unstructured{live}, nil, nil); !r.Ready {
		t.Errorf("health: %+v", r)
	}
	b.stranger(entries[0], func(live map[string]any) { mapAt(live, "data")["a"] = "eg==" })
	b.eventually("drift", func() bool {
		live, _ := b.Snapshot(b.owner.UID, entries).Of(entries[0])
		return slices.Equal(Drift(&o, live), []string{"data.a"})
	})
}

// limitedTo is the same bench with the rights of a user who may do this with ConfigMaps in the namespace, and read the
// identity of the cluster.
func (b *bench) limitedTo(verbs string) *bench {
	b.Helper()
	user := "user-" + b.space
	for _, o := range b.resolve(someOwner("setup"), strings.NewReplacer("USER", user, "VERBS", verbs).Replace(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: USER}
rules: [{apiGroups: [""], resources: [namespaces], resourceNames: [kube-system], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: USER, namespace: SPACE}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [VERBS]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: USER}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: USER}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: USER}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: USER, namespace: SPACE}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: USER}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: USER}]
`)) {
		b.apply(o)
	}
	kubeconfig := b.cluster.Kubeconfig(b)
	kubeconfig["users"].([]any)[0].(map[string]any)["user"].(map[string]any)["as"] = user
	limited := *b
	b.eventually("the rights", func() bool {
		m, err := b.fleet.Member(b.ctx, kubeconfig)
		if err != nil {
			return false
		}
		limited.Member = m
		_, err = m.Live(b.ctx, b.resolve(b.owner, configMap)[0].Entry)
		return err == nil
	})
	return &limited
}

func TestWithoutRightsEverywhereNamespacesAreWatched(t *testing.T) {
	var e ears
	b := newBenchWith(t, Options{OnChange: e.listen})
	limited := b.limitedTo(`"*"`)
	if limited.Member == b.Member || limited.gate.limiter.Load() != b.gate.limiter.Load() {
		t.Error("the two users do not have connections of their own that share a limit")
	}

	o := limited.resolve(b.owner, configMap)[0]
	entries := limited.observed(o)
	limited.observer.mu.Lock()
	feeds := limited.observer.watches[entryKind(o.Entry)].feeds
	if len(feeds) != 1 || feeds[b.space] == nil {
		t.Errorf("feeds: %v", feeds)
	}
	limited.observer.mu.Unlock()
	before := e.count(b.owner.UID)
	b.stranger(entries[0], func(live map[string]any) { mapAt(live, "data")["colour"] = "red" })
	b.eventually("word of the drift", func() bool { return e.count(b.owner.UID) > before })

	// Where there are no rights, nothing is claimed to be known.
	elsewhere := entries[0]
	elsewhere.Namespace = "default"
	limited.Observe([]api.InventoryObject{elsewhere})
	if s := limited.Snapshot(b.owner.UID, []api.InventoryObject{elsewhere}); s.Synced() || len(s.Missing()) > 0 {
		t.Errorf("snapshot: %+v", s)
	}
	if r, err := limited.Probe(b.ctx); err != nil || !strings.Contains(r.NodesHidden, "nodes is forbidden") {
		t.Errorf("probe: %+v, %v", r, err)
	}
}

func TestWhatMayNotBeWatchedIsReadOneByOne(t *testing.T) {
	for _, verbs := range []string{"get, create, patch, delete", "get, create, patch, delete, list"} {
		var e ears
		b := newBenchWith(t, Options{OnChange: e.listen, Poll: 50 * time.Millisecond})
		limited := b.limitedTo(verbs)
		objects := limited.resolve(limited.owner, configMap+"\n---\n"+strings.Replace(configMap, "settings", "more", 1))
		var entries []api.InventoryObject
		for _, o := range objects {
			entries = append(entries, limited.apply(o).Entry)
		}
		known := func(what string, holds func(Snapshot) bool) {
			t.Helper()
			b.eventually(what, func() bool {
				limited.Observe(entries) // as the controllers do when something is not known
				s := limited.Snapshot(b.owner.UID, entries)
				return s.Synced() && holds(s)
			})
		}
		known("both", func(s Snapshot) bool { return len(s.Live()) == 2 })
		before := e.count(b.owner.UID)
		b.stranger(entries[0], func(live map[string]any) { mapAt(live, "data")["colour"] = "red" })
		known("drift", func(s Snapshot) bool {
			live, _ := s.Of(entries[0])
			return live != nil && len(Drift(&objects[0], live)) == 1
		})
		b.eventually("word of the drift", func() bool { return e.count(b.owner.UID) > before })
		before = e.count(b.owner.UID)
		b.vanish(objects[1])
		known("the end of one", func(s Snapshot) bool { return len(s.Missing()) == 1 && s.Missing()[0].Name == "more" })
		b.eventually("word of the end", func() bool { return e.count(b.owner.UID) > before })
	}
}

func TestAKindThatIsTakenOutOfServiceIsForgotten(t *testing.T) {
	b := newBench(t)
	group := b.space + ".example.org"
	objects := b.resolve(b.owner, strings.ReplaceAll(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: toys.GROUP}
spec:
  group: GROUP
  scope: Cluster
  names: {kind: Toy, plural: toys, singular: toy, listKind: ToyList}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
---
apiVersion: GROUP/v1
kind: Toy
metadata: {name: one, namespace: ignored}
spec: {parts: [wheel, {name: frame}], ratio: 0.5, "on": true}
`, "GROUP", group))
	if ns := objects[1].Entry.Namespace; ns != "" {
		t.Errorf("a cluster-wide object is in the namespace %s", ns)
	}
	b.apply(objects[0])
	b.eventually("the kind in service", func() bool { _, err := b.Apply(b.ctx, objects[1]); return err == nil })
	entries := b.observed(objects[1])
	if live, _ := b.Snapshot(b.owner.UID, entries).Of(entries[0]); len(Drift(&objects[1], live)) > 0 {
		t.Errorf("lost: %v", Drift(&objects[1], live))
	}
	b.vanish(objects[0])
	b.eventually("the watch ending", func() bool {
		b.observer.mu.Lock()
		defer b.observer.mu.Unlock()
		return b.observer.watches[entryKind(entries[0])] == nil
	})
	b.eventually("the object counting as gone", func() bool {
		gone, err := b.Delete(b.ctx, entries[0], b.owner.UID, Itself)
		return gone && err == nil
	})
	if _, known := b.Snapshot(b.owner.UID, entries).Of(entries[0]); known {
		t.Error("still known")
	}
}

func TestAClosedFleetHasNoInformers(t *testing.T) {
	b := newBench(t)
	entries := b.observed(b.resolve(b.owner, configMap)...)
	b.fleet.Close() // waits for them
	b.Observe(entries)
	if _, err := b.fleet.Member(b.ctx, b.cluster.Kubeconfig(t)); err == nil {
		t.Error("a closed fleet gave a connection")
	}
}
