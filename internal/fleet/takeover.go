package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"

	"github.com/rak-n-rok/krake/api"
)

// formerManagers are the names under which the Python Krake writes to clusters: its client library names none, and the
// cluster takes it from the User-Agent.
var formerManagers = sets.New("OpenAPI-Generator")

// TakeOver gives the entries of those objects that are there, for an application that has made them without an inventory.
// Nothing of them is changed but who owns the fields that were written under a former name: if ownership is asked for,
// they are ours afterwards, so that what leaves the manifest can leave the cluster.
//
// Only what the Python Krake has written to is taken, as the cluster remembers it: a status that names an object is no
// proof. An object of another application is a *ForeignError; nothing is taken then.
func (m *Member) TakeOver(ctx context.Context, objects []Object, ownership bool) ([]api.InventoryObject, error) {
	found := make([]*unstructured.Unstructured, len(objects))
	errs := make([]error, len(objects))
	m.inParallel(len(objects), func(i int) {
		o := &objects[i]
		found[i], errs[i] = m.look(ctx, o)
		if live := found[i]; live != nil && live.GetLabels()[AppUIDLabel] != "" && live.GetLabels()[AppUIDLabel] != o.owner {
			errs[i] = o.foreign(live)
		}
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	var entries []api.InventoryObject
	for i, live := range found {
		if live == nil || !wasWritten(live) {
			continue
		}
		if ownership {
			if err := m.inherit(ctx, &objects[i], live); err != nil {
				return nil, err
			}
		}
		e := objects[i].Entry
		e.UID, e.Hash = string(live.GetUID()), "" // it is applied, and marked, next
		entries = append(entries, e)
	}
	return entries, nil
}

// wasWritten says whether a Krake has written an object: an earlier one, or we, if this is the second attempt. An object
// that has nothing but a name, such as a ServiceAccount, bears no traces of anybody.
func wasWritten(live *unstructured.Unstructured) bool {
	return len(live.GetManagedFields()) == 0 || slices.ContainsFunc(live.GetManagedFields(), func(entry metav1.ManagedFieldsEntry) bool {
		return formerManagers.Has(entry.Manager) || isApply(entry, FieldManager)
	})
}

// inherit makes the fields ours that were written under a former name.
func (m *Member) inherit(ctx context.Context, o *Object, live *unstructured.Unstructured) error {
	for range attempts(ctx) {
		change, err := csaupgrade.UpgradeManagedFieldsPatch(live, formerManagers, FieldManager)
		if err != nil || change == nil {
			return err
		}
		if err := m.fleet.options.MayWrite(ctx); err != nil {
			return err
		}
		_, _, err = m.send(ctx, m.rest.Patch(types.JSONPatchType).AbsPath(pathOf(o.resource, o.Entry.Namespace, o.Entry.Name)...).
			Param("fieldManager", FieldManager).Body(change))
		if !apierrors.IsConflict(err) && !apierrors.IsInvalid(err) { // the version is stated
			return answer(o.Key(), err)
		}
		if live, err = m.look(ctx, o); err != nil || live == nil {
			return err
		}
	}
	return &TransientError{Message: fmt.Sprintf("%s changed again and again while it was taken over", o.Key())}
}
