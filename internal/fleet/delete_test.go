package fleet

import (
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
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
