package fleet

import (
	"errors"
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rak-n-rok/krake/api"
)

// formerly makes an object as a client that names a manager, which is where Krake looks for traces of an earlier one.
func (b *bench) formerly(o Object, manager string) api.InventoryObject {
	b.Helper()
	plain := o.form.DeepCopy()
	plain.SetLabels(nil)
	plain.SetAnnotations(map[string]string{"theirs": "old"})
	live, err := b.observer.dynamic.Resource(o.resource).Namespace(o.Entry.Namespace).Create(b.ctx, plain, metav1.CreateOptions{FieldManager: manager})
	if err != nil {
		b.Fatal(err)
	}
	e := o.Entry
	e.UID, e.Hash = string(live.GetUID()), ""
	return e
}

func TestWhatThePythonKrakeHasMadeIsTakenOver(t *testing.T) {
	b := newBench(t)
	objects := b.resolve(b.owner, configMap+"---"+deployment+"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: strangers, namespace: SPACE}\n"+
		"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: missing, namespace: SPACE}\n")
	want := []api.InventoryObject{b.formerly(objects[0], "OpenAPI-Generator"), b.formerly(objects[1], "OpenAPI-Generator")}
	b.formerly(objects[2], "kubectl-create")
	for attempt := range 2 { // the first one may not have been noted
		got, err := b.TakeOver(b.ctx, objects, true)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("attempt %d: %v, %v", attempt, got, err)
		}
	}
	// What leaves the manifest can leave the cluster now.
	o := objects[1]
	o.Entry.UID = want[1].UID
	b.apply(o)
	live := b.live(o.Entry)
	if live.GetAnnotations()["theirs"] != "" || live.GetLabels()[AppUIDLabel] != b.owner.UID {
		t.Errorf("annotations %v, labels %v", live.GetAnnotations(), live.GetLabels())
	}
	// Marked as another application's, it is not taken.
	others := b.resolve(someOwner("other"), deployment+"---"+configMap)
	var foreign *ForeignError
	if got, err := b.TakeOver(b.ctx, others, true); !errors.As(err, &foreign) || got != nil {
		t.Errorf("%v, %v", got, err)
	}
}

func TestOwnershipIsTakenOnlyWhereAskedFor(t *testing.T) {
	b := newBench(t)
	objects := b.resolve(b.owner, deployment)
	want := b.formerly(objects[0], "OpenAPI-Generator")
	got, err := b.TakeOver(b.ctx, objects, false)
	if err != nil || len(got) != 1 || got[0] != want {
		t.Fatalf("%v, %v", got, err)
	}
	o := objects[0]
	o.Entry.UID = want.UID
	b.apply(o)
	if live := b.live(o.Entry); live.GetAnnotations()["theirs"] != "old" {
		t.Errorf("annotations %v", live.GetAnnotations())
	}
}
