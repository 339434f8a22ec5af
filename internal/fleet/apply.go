package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/rak-n-rok/krake/api"
)

// Applied is what became of an object.
type Applied struct {
	// Entry is what the inventory has to say of it from now on.
	Entry api.InventoryObject
	// Live is the object as the cluster has it.
	Live *unstructured.Unstructured
	// Outcome says how it came to be so.
	Outcome Outcome
}

// Outcome says what an apply did.
type Outcome string

// The outcomes.
const (
	Created Outcome = "created"
	Adopted Outcome = "adopted" // it carried the application's mark, or was let go by one of its name; its UID was not recorded
	Updated Outcome = "updated" // or left as it was, if nothing differed
)

const (
	// noVersion is a version that no object has: etcd counts from 2. An apply that states it creates the object, or
	// fails when one is there; server-side apply has no other way to say so.
	noVersion = "1"
	// definitionTimeout is how long a definition may take until its kind is served.
	definitionTimeout = 20 * time.Second
)

// Apply makes the live object as the manifest wants it. Without a UID in its entry it is created, unless an object is
// there: one with the application's mark is taken over, as is one that an application of its name has let go; another one is a *ForeignError and stays as it is. With a UID
// exactly that object is changed, whoever else manages the fields; if it is gone, that is a *VanishedError: before it is
// created again, the inventory has to say so, as of a new object.
//
// Errors are *ForeignError, *RefusedError, *VanishedError, *TransientError and *IdentityError.
func (m *Member) Apply(ctx context.Context, o Object) (Applied, error) {
	apply := m.apply
	if o.observed != nil {
		apply = m.applyObserved
	}
	a, err := apply(ctx, &o)
	if isUnserved(err) {
		m.mapper.forget()
	}
	if err != nil {
		return Applied{}, err
	}
	m.observer.wrote(o.Key(), a.Live)
	if isDefinition(o.form.GroupVersionKind().GroupKind()) {
		if err := m.awaitDefinition(ctx, &o); err != nil {
			return Applied{}, err
		}
	}
	return a, nil
}

// apply tries with the UID that is thought to be the object's, and looks when that turns out to be wrong.
func (m *Member) apply(ctx context.Context, o *Object) (Applied, error) {
	uid, outcome := o.Entry.UID, Updated
	for range attempts(ctx) {
		live, err := m.write(ctx, o, uid)
		if err == nil {
			if uid == "" && outcome == Updated {
				outcome = Created
			}
			return o.applied(live, outcome), nil
		}
		var taken *ForeignError
		if errors.As(err, &taken) {
			return Applied{}, err
		}
		if !apierrors.IsConflict(err) && !apierrors.IsInvalid(err) {
			return Applied{}, answer(o.Key(), err)
		}
		there, lookErr := m.look(ctx, o)
		switch {
		case lookErr != nil:
			return Applied{}, lookErr
		case there == nil && uid == "" && apierrors.IsInvalid(err):
			return Applied{}, answer(o.Key(), err)
		case there == nil && o.Entry.UID != "":
			return Applied{}, &VanishedError{o.Key()}
		case there == nil:
			uid = ""
		case o.mayResume(there):
			if err := m.resume(ctx, o, there); err != nil && !apierrors.IsConflict(err) {
				return Applied{}, answer(o.Key(), err)
			}
			uid, outcome = string(there.GetUID()), Adopted
		case !isOurs(there, o.Entry.UID, o.owner):
			return Applied{}, o.foreign(there)
		case string(there.GetUID()) == uid:
			return Applied{}, answer(o.Key(), err) // it was the right object, and the manifest is to blame
		default:
			uid, outcome = string(there.GetUID()), Adopted
		}
	}
	return Applied{}, &TransientError{Message: fmt.Sprintf("%s came and went while it was being applied", o.Key())}
}

// write sends one apply: of exactly the object with this UID, or, without one, of an object that must not exist. Either
// is stated to the cluster, so that it holds at the moment of the write.
func (m *Member) write(ctx context.Context, o *Object, uid string) (*unstructured.Unstructured, error) {
	form := o.form.DeepCopy()
	if uid != "" {
		form.SetUID(types.UID(uid))
		live, _, err := m.patch(ctx, o, FieldManager, form, true)
		return live, err
	}
	form.SetResourceVersion(noVersion)
	live, created, err := m.patch(ctx, o, FieldManager, form, false)
	if err == nil && !created { // an API server that overlooks the version
		return nil, &ForeignError{Object: o.Key(), Owner: "was made by somebody else while it was being applied"}
	}
	return live, err
}

func (o *Object) applied(live *unstructured.Unstructured, outcome Outcome) Applied {
	entry := o.Entry
	entry.UID = string(live.GetUID())
	return Applied{Entry: entry, Live: live, Outcome: outcome}
}

// awaitDefinition waits until the kind of a custom resource definition is served.
func (m *Member) awaitDefinition(ctx context.Context, o *Object) error {
	m.mapper.forget()
	ctx, cancel := context.WithTimeout(ctx, definitionTimeout)
	defer cancel()
	var last error
	err := wait.PollUntilContextCancel(ctx, 100*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		var live *unstructured.Unstructured
		live, last = m.get(ctx, o.resource, "", o.Entry.Name)
		return last == nil && holds(live.Object, "Established"), nil
	})
	switch {
	case err == nil:
		return nil
	case last != nil:
		return answer(o.Key(), last)
	default:
		return &TransientError{Message: fmt.Sprintf("%s has not been put in service yet", o.Key()), cause: err}
	}
}

// Result is what became of one object of a wave.
type Result struct {
	Applied
	Err error
}

// ApplyWave applies the objects of one wave at once. Each has its result, in the same order.
func (m *Member) ApplyWave(ctx context.Context, wave []Change) []Result {
	out := make([]Result, len(wave))
	m.inParallel(len(wave), func(i int) { out[i].Applied, out[i].Err = m.Apply(ctx, wave[i].Object) })
	return out
}
