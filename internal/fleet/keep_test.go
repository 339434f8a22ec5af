package fleet

import (
	"errors"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
)

func TestAnObjectThatWasLetGoIsNobodysUntilItIsResumed(t *testing.T) {
	b := newBench(t)
	o := b.resolve(b.owner, configMap)[0]
	first := b.apply(o)
	for range 2 { // the process may have died in between
		if err := b.LetGo(b.ctx, first.Entry, b.owner.UID); err != nil {
			t.Fatal(err)
		}
	}
	let := b.live(first.Entry)
	if let.GetLabels()[AppUIDLabel] != "" || let.GetAnnotations()[KeptAnnotation] == "" || let.GetAnnotations()[NameAnnotation] != "app" {
		t.Errorf("labels %v, annotations %v", let.GetLabels(), let.GetAnnotations())
	}
	intent := first.Entry
	intent.UID = ""
	if gone, err := b.Delete(b.ctx, intent, b.owner.UID, Itself); !gone || err != nil || b.live(first.Entry).GetDeletionTimestamp() != nil {
		t.Errorf("an intent is enough to delete it: %v, %v", gone, err)
	}

	for name, owner := range map[string]Owner{
		"another name":         someOwner("other"),
		"another namespace":    {UID: "u", Namespace: "other", Name: "app", Installation: "here"},
		"another installation": {UID: "u", Namespace: "system:admin", Name: "app", Installation: "there"},
	} {
		_, err := b.Apply(b.ctx, b.resolve(owner, configMap)[0])
		var foreign *ForeignError
		if !errors.As(err, &foreign) || foreign.Going || !strings.Contains(err.Error(), "was left there by the Krake application system:admin/app of the installation here") {
			t.Errorf("%s: %v", name, err)
		}
	}

	later := someOwner("app")
	again := b.resolve(later, configMap)[0]
	if uid, err := b.Check(b.ctx, again); err != nil || uid != first.Entry.UID {
		t.Errorf("Check = %q, %v", uid, err)
	}
	if got := b.apply(again); got.Outcome != Adopted || got.Entry.UID != first.Entry.UID {
		t.Errorf("applied: %+v", got)
	}
	live := b.live(first.Entry)
	if live.GetLabels()[AppUIDLabel] != later.UID || live.GetAnnotations()[KeptAnnotation] != "" {
		t.Errorf("labels %v, annotations %v", live.GetLabels(), live.GetAnnotations())
	}
}

// A copy that somebody has made by hand names the application, too, and was let go by nobody.
func TestTheNameOfAnApplicationIsNoMarkOfWhatWasLetGo(t *testing.T) {
	b := newBench(t)
	first := b.apply(b.resolve(b.owner, configMap)[0])
	b.stranger(first.Entry, func(live map[string]any) { delete(mapAt(live, "metadata"), "labels") })
	_, err := b.Apply(b.ctx, b.resolve(someOwner("app"), configMap)[0])
	var foreign *ForeignError
	if !errors.As(err, &foreign) || !strings.Contains(err.Error(), "is not managed by Krake") {
		t.Errorf("%v", err)
	}
}

func TestWhatIsNotOursIsNotLetGo(t *testing.T) {
	b := newBench(t)
	theirs := b.resolve(someOwner("other"), configMap)[0]
	theirs.Entry = b.apply(theirs).Entry
	before := b.live(theirs.Entry).GetResourceVersion()
	intent := b.resolve(b.owner, configMap)[0].Entry
	recorded := intent
	recorded.UID = "33333333-3333-3333-3333-333333333333"
	absent := intent
	absent.Name = "absent"
	unknown := intent
	unknown.Group, unknown.Kind = "example.org", "Gadget"
	for i, err := range b.LetGoAll(b.ctx, []api.InventoryObject{intent, recorded, absent, unknown}, b.owner.UID) {
		if err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	if after := b.live(theirs.Entry).GetResourceVersion(); after != before {
		t.Errorf("theirs was touched: version %s, before %s", after, before)
	}
}
