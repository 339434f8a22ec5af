package fleet

import (
	"encoding/json"
	"net/http"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rak-n-rok/krake/api"
)

func (b *bench) delete(o Object, appUID string) bool {
	b.Helper()
	gone, err := b.Delete(b.ctx, o.Entry, appUID, Itself)
	if err != nil {
		b.Fatal(err)
	}
	return gone
}

func TestAnObjectIsDeletedAndTheSecondTimeItIsGone(t *testing.T) {
	b := newBench(t)
	o := b.resolve(b.owner, configMap)[0]
	o.Entry = b.apply(o).Entry
	for range 2 {
		if !b.delete(o, b.owner.UID) {
			t.Error("not gone")
		}
	}
	if live, err := b.Live(b.ctx, o.Entry); live != nil || err != nil {
		t.Errorf("Live = %v, %v", live, err)
	}
}

// An answer of the cluster is believed: what it does not let go is still there, what it does not have is gone.
func TestF3ADeleteThatIsRefusedIsAnErrorAndOneOfNothingIsDone(t *testing.T) {
	b, j := newBench(t), newJunction(t)
	j.lead(t, b.cluster)
	m, err := b.fleet.Member(b.ctx, j.kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	o := b.resolve(b.owner, configMap)[0]
	entry := b.apply(o).Entry
	for code, test := range map[int]struct {
		reason metav1.StatusReason
		gone   bool
	}{403: {metav1.StatusReasonForbidden, false}, 404: {metav1.StatusReasonNotFound, true}} {
		j.between.Store(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodDelete {
				return false
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			_ = json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
				Status: "Failure", Reason: test.reason, Code: int32(code), Message: "no"})
			return true
		})
		gone, err := m.Delete(b.ctx, entry, b.owner.UID, Itself)
		if gone != test.gone || (err == nil) != test.gone || !test.gone && !Final(err) {
			t.Errorf("%d: gone is %v, %v", code, gone, err)
		}
	}
}

// What may go is looked for as what is to be deleted is, and nothing is touched.
func TestWhatWouldBeDeletedIsFound(t *testing.T) {
	b := newBench(t)
	objects := b.resolve(b.owner, configMap+"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: other, namespace: SPACE}\n")
	here := b.apply(objects[0]).Entry
	intent, replaced, absent := here, here, objects[1].Entry
	intent.UID, replaced.UID = "", "of one before"
	unknown := here
	unknown.Group, unknown.Version, unknown.Kind = "example.org", "v1", "Nothing"
	entries := []api.InventoryObject{here, intent, replaced, absent, unknown}
	for name, test := range map[string]struct {
		mark string
		want []string
	}{
		"by the application's mark": {b.owner.UID, []string{here.UID, here.UID, here.UID, "", ""}},
		"by another one's mark":     {"another", []string{here.UID, "", "", "", ""}},
		"by no mark":                {"", []string{here.UID, "", "", "", ""}},
	} {
		for i, found := range b.Find(b.ctx, entries, test.mark) {
			if found.Err != nil || found.UID != test.want[i] {
				t.Errorf("%s: %d is %+v, want %s", name, i, found, test.want[i])
			}
		}
	}
	// Without a mark, only the very object goes, and one that has no mark is nobody's.
	b.stranger(here, func(live map[string]any) { delete(mapAt(live, "metadata", "labels"), AppUIDLabel) })
	for _, e := range []api.InventoryObject{intent, replaced} {
		if !b.delete(Object{Entry: e}, "") {
			t.Error("an object that is not the recorded one is not taken for gone")
		}
	}
	if live := b.live(here); live == nil {
		t.Fatal("another object was deleted than the recorded one")
	}
	if !b.delete(Object{Entry: here}, "") {
		t.Error("the recorded one is still there")
	}
}

func TestAnObjectWithFinalizersIsTerminatingUntilTheyAreDone(t *testing.T) {
	b := newBench(t)
	o := b.resolve(b.owner, configMap)[0]
	o.form.SetFinalizers([]string{"example.org/wait"})
	o.Entry = b.apply(o).Entry
	for range 2 {
		if b.delete(o, b.owner.UID) {
			t.Error("gone in spite of its finalizer")
		}
	}
	b.stranger(o.Entry, func(live map[string]any) { delete(mapAt(live, "metadata"), "finalizers") })
	b.eventually("its end", func() bool { return b.delete(o, b.owner.UID) })
}

func TestDeletingAJobTakesItsPodsAlong(t *testing.T) {
	b := newBench(t)
	o := b.resolve(b.owner, `
apiVersion: batch/v1
kind: Job
metadata: {name: work, namespace: SPACE}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}
`)[0]
	o.Entry = b.apply(o).Entry
	pods := b.resolve(b.owner, "apiVersion: v1\nkind: Pod\nmetadata: {name: any}")[0].resource
	count := func() int {
		list, err := b.observer.dynamic.Resource(pods).Namespace(b.space).List(b.ctx, listAll)
		if err != nil {
			t.Fatal(err)
		}
		return len(list.Items)
	}
	b.eventually("a pod", func() bool { return count() == 1 })
	b.eventually("the end of the job", func() bool { return b.delete(o, b.owner.UID) })
	b.eventually("the end of the pod", func() bool { return count() == 0 })
}

func TestAWorkloadIsGoneWithItsPodsWhereThatIsAskedFor(t *testing.T) {
	b := newBench(t)
	o := b.resolve(b.owner, `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: SPACE}
spec:
  selector: {matchLabels: {app: db}}
  serviceName: db
  template:
    metadata: {labels: {app: db}, finalizers: [example.org/busy]}
    spec: {containers: [{name: c, image: i}]}
`)[0]
	o.Entry = b.apply(o).Entry
	pod := api.InventoryObject{Version: "v1", Kind: "Pod", Namespace: b.space, Name: "db-0"}
	live := func() *unstructured.Unstructured {
		live, err := b.Live(b.ctx, pod)
		if err != nil {
			t.Fatal(err)
		}
		return live
	}
	remove := func() bool {
		gone, err := b.Delete(b.ctx, o.Entry, b.owner.UID, AndItsOwn)
		if err != nil {
			t.Fatal(err)
		}
		return gone
	}
	b.eventually("a pod", func() bool { return live() != nil })
	b.eventually("the pod being terminated", func() bool {
		if remove() {
			t.Fatal("it is gone before its pod is")
		}
		return live().GetDeletionTimestamp() != nil
	})
	if remove() {
		t.Error("it is gone before its pod is")
	}
	b.stranger(pod, func(pod map[string]any) { delete(mapAt(pod, "metadata"), "finalizers") })
	b.eventually("its end", remove)
	if live() != nil {
		t.Error("the pod is there")
	}
}

func TestWhatIsNotOursIsNotDeleted(t *testing.T) {
	b := newBench(t)
	theirs := b.resolve(someOwner("other"), configMap)[0]
	theirs.Entry = b.apply(theirs).Entry
	intent := b.resolve(b.owner, configMap)[0]
	recorded := intent
	recorded.Entry.UID = "33333333-3333-3333-3333-333333333333" // ours was replaced by theirs
	for name, o := range map[string]Object{"an intent": intent, "an object that is gone": recorded} {
		if !b.delete(o, b.owner.UID) {
			t.Errorf("%s: not gone", name)
		}
		if b.live(o.Entry).GetDeletionTimestamp() != nil {
			t.Errorf("%s: theirs is being deleted", name)
		}
	}
}

func TestAnIntentOfOursIsDeleted(t *testing.T) {
	b := newBench(t)
	o := b.resolve(b.owner, configMap)[0]
	b.apply(o)
	if !b.delete(o, b.owner.UID) { // its entry has no UID
		t.Error("not gone")
	}
}

func TestOurObjectIsDeletedEvenWithoutItsMark(t *testing.T) {
	b := newBench(t)
	o := b.resolve(b.owner, configMap)[0]
	o.Entry = b.apply(o).Entry
	b.stranger(o.Entry, func(live map[string]any) { delete(mapAt(live, "metadata"), "labels") })
	if !b.delete(o, b.owner.UID) {
		t.Error("not gone")
	}
}

func TestADeleteStatesWhatWasSeen(t *testing.T) {
	b := newBench(t)
	o := b.resolve(b.owner, configMap)[0]
	seen := b.apply(o).Live
	wrongUID, wrongVersion := seen.DeepCopy(), seen.DeepCopy()
	wrongUID.SetUID(types.UID("33333333-3333-3333-3333-333333333333"))
	b.stranger(o.Entry, func(live map[string]any) { mapAt(live, "data")["colour"] = "red" })
	if _, err := b.remove(b.ctx, o.resource, wrongUID, Itself); !apierrors.IsConflict(err) {
		t.Errorf("another UID: %v", err)
	}
	if _, err := b.remove(b.ctx, o.resource, wrongVersion, Itself); !apierrors.IsConflict(err) {
		t.Errorf("an older version: %v", err)
	}
}

func TestAnObjectOfAnotherClusterIsNotDeletedHere(t *testing.T) {
	b := newBench(t)
	o := b.resolve(b.owner, configMap)[0]
	o.Entry = b.apply(o).Entry
	elsewhere := o.Entry
	elsewhere.Cluster = "44444444-4444-4444-4444-444444444444"
	if _, err := b.Delete(b.ctx, elsewhere, b.owner.UID, Itself); err == nil {
		t.Error("no error")
	}
	b.live(o.Entry)
}

// An upgrade of the cluster may end the version that an object was written with. The object is there all the same.
func TestAnObjectWhoseVersionIsGoneIsDeletedInAnother(t *testing.T) {
	b := newBench(t)
	o := b.resolve(b.owner, deployment)[0]
	o.Entry = b.apply(o).Entry
	o.Entry.Version = "v1beta2"
	b.live(o.Entry)
	b.Observe([]api.InventoryObject{o.Entry})
	b.eventually("news of it", func() bool {
		live, known := b.Snapshot(b.owner.UID, []api.InventoryObject{o.Entry}).Of(o.Entry)
		return known && live != nil
	})
	b.eventually("its end", func() bool { return b.delete(o, b.owner.UID) })
	o.Entry.Version = "v1"
	if live, err := b.Live(b.ctx, o.Entry); live != nil || err != nil {
		t.Errorf("there is %v, %v", live, err)
	}
}

func TestAnObjectWhoseKindIsGoneIsGone(t *testing.T) {
	b := newBench(t)
	o := b.resolve(b.owner, configMap)[0]
	o.Entry.Group, o.Entry.Kind = "gone.example.org", "Gadget"
	if !b.delete(o, b.owner.UID) {
		t.Error("not gone")
	}
}
