package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rak-n-rok/krake/api"
)

// Compare tells what an apply of these objects, all of one application, would change on the cluster now, and which of the
// objects of its inventory would be removed. The cluster is asked to try, and to write nothing. An error means that it
// could not be asked; what it does not accept is an answer.
func (m *Member) Compare(ctx context.Context, desired []Object, inventory []api.InventoryObject, appUID string) ([]api.ObjectDiff, error) {
	plan := NewPlan(Situation{Cluster: m.Identity(), Desired: desired, Inventory: inventory})
	c := comparison{m: m, hide: newDigests(), brings: broughtBy(desired)}
	objects := slices.Clone(plan.Keep)
	for _, change := range slices.Concat(plan.Create, plan.Adopt, plan.Update) {
		objects = append(objects, change.Object)
	}
	slices.SortFunc(objects, func(a, b Object) int { return a.Index - b.Index })
	n := len(objects)
	out, errs := make([]api.ObjectDiff, n+len(plan.Prune)), make([]error, n+len(plan.Prune))
	m.inParallel(len(out), func(i int) {
		if i < n {
			out[i], errs[i] = c.object(ctx, &objects[i])
		} else {
			out[i], errs[i] = c.pruned(ctx, plan.Prune[i-n], appUID)
		}
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(out, func(d api.ObjectDiff) bool { return d.Kind == "" }), nil
}

// comparison compares the objects of one application with the cluster.
type comparison struct {
	m      *Member
	hide   *digests
	brings brought
}

// brought is what a manifest brings itself: where it is missing on the cluster, the cluster cannot try what is in it.
type brought struct {
	spaces map[string]bool
	kinds  map[schema.GroupVersionKind]mapping
}

func broughtBy(objects []Object) brought {
	b := brought{spaces: map[string]bool{}}
	var forms []*unstructured.Unstructured
	for _, o := range objects {
		forms = append(forms, o.form)
		if groupKind(o.form) == (schema.GroupKind{Kind: "Namespace"}) {
			b.spaces[o.Entry.Name] = true
		}
	}
	b.kinds = definitions(forms)
	return b
}

func (b brought) has(o *Object) bool {
	_, kind := b.kinds[o.form.GroupVersionKind()]
	return kind || b.spaces[o.Entry.Namespace]
}

// object tells what would become of an object of the manifest. Others may change it between the look and the try; then
// both begin again.
func (c *comparison) object(ctx context.Context, o *Object) (api.ObjectDiff, error) {
	for range attempts(ctx) {
		d, err := c.once(ctx, o)
		if !apierrors.IsConflict(err) {
			return d, err
		}
	}
	return api.ObjectDiff{}, &TransientError{Message: fmt.Sprintf("%s changed again and again while it was looked at", o.Key())}
}

// once is one attempt. If the object has changed meanwhile, the error is the cluster's conflict.
func (c *comparison) once(ctx context.Context, o *Object) (api.ObjectDiff, error) {
	d := describeObject(o.form.GetAPIVersion(), o.Entry)
	live, err := c.m.get(ctx, o.resource, o.Entry.Namespace, o.Entry.Name)
	switch {
	case apierrors.IsNotFound(err):
		live = nil
	case err != nil:
		return refusedOrFailed(d, answer(o.Key(), err))
	case !isOurs(live, o.Entry.UID, o.owner):
		d.Action, d.Reason = api.DiffRefuse, o.foreign(live).Error()
		return d, nil
	}
	would, err := c.m.try(ctx, o, live)
	switch {
	case err == nil && live != nil:
		d.Changes = append(c.changes(live, would), surplusOf(o, live)...)
	case err == nil, live == nil && apierrors.IsNotFound(err) && c.brings.has(o):
	case apierrors.IsConflict(err):
		return d, err
	case cannotTry(err):
		d.Reason = "the cluster cannot try this without doing it: " + answer(o.Key(), err).Error()
	default:
		return refusedOrFailed(d, answer(o.Key(), err))
	}
	switch {
	case live == nil:
		d.Action, d.Changes = api.DiffCreate, c.changes(nil, o.form)
	case len(d.Changes) == 0 && d.Reason == "":
		d.Action = api.DiffNothing
	default:
		d.Action = api.DiffUpdate
	}
	return d, nil
}

// pruned tells of an object of the inventory that is not in the manifest.
func (c *comparison) pruned(ctx context.Context, e api.InventoryObject, appUID string) (api.ObjectDiff, error) {
	live, err := c.m.Live(ctx, e)
	if err != nil {
		return api.ObjectDiff{}, err
	}
	if live == nil || !isOurs(live, e.UID, appUID) {
		return api.ObjectDiff{}, nil // nothing is to be done
	}
	d := describeObject(live.GetAPIVersion(), e)
	d.Action = api.DiffRemove
	return d, nil
}

func describeObject(version string, e api.InventoryObject) api.ObjectDiff {
	return api.ObjectDiff{APIVersion: version, Kind: e.Kind, Namespace: e.Namespace, Name: e.Name, Changes: []api.FieldDiff{}}
}

// refusedOrFailed tells what the cluster does not accept from what it could not be asked.
func refusedOrFailed(d api.ObjectDiff, err error) (api.ObjectDiff, error) {
	if !Final(err) {
		return d, err
	}
	d.Action, d.Reason, d.Changes = api.DiffRefuse, err.Error(), []api.FieldDiff{}
	return d, nil
}

// cannotTry recognises the answer of a cluster where something has to be asked that may do things by itself.
func cannotTry(err error) bool {
	return apierrors.IsBadRequest(err) && strings.Contains(err.Error(), "does not support dry run")
}

// try asks for the object that an apply would make, and has nothing made. The apply is the one that would come: of exactly
// this object, or of one that must not exist.
func (m *Member) try(ctx context.Context, o *Object, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	form := o.form.DeepCopy()
	if live == nil {
		form.SetResourceVersion(noVersion)
	} else {
		if o.observed != nil {
			form = o.whole(live)
		}
		form.SetUID(live.GetUID())
		form.SetResourceVersion(live.GetResourceVersion())
	}
	body, err := json.Marshal(form.Object)
	if err != nil {
		return nil, err
	}
	request := m.rest.Patch(types.ApplyPatchType).AbsPath(pathOf(o.resource, o.Entry.Namespace, o.Entry.Name)...).
		Param("fieldManager", FieldManager).Param("dryRun", "All").Body(body)
	if live != nil {
		request = request.Param("force", "true")
	}
	would, _, err := m.sendObject(ctx, request)
	return would, err
}

// surplusOf are the elements of lists that would be removed because there are too many.
func surplusOf(o *Object, live *unstructured.Unstructured) []api.FieldDiff {
	if o.observed == nil || groupKind(live) == secretKind {
		return nil
	}
	var out []api.FieldDiff
	for _, m := range misfits("", "", o.observed, live.Object, allOwn(live)) {
		for _, pointer := range m.surplus() {
			var i int
			_, _ = fmt.Sscanf(strings.TrimPrefix(pointer, m.pointer), "/%d", &i)
			out = append(out, api.FieldDiff{Path: fmt.Sprintf("%s[%d]", m.path, i), Before: m.elements[i]})
		}
	}
	return out
}

// changes lists the fields in which two states of an object differ, but for those that belong to the cluster. Of one that
// is new it leaves out what names it.
func (c *comparison) changes(before, after *unstructured.Unstructured) []api.FieldDiff {
	is := c.shown(after)
	if before != nil {
		return differences(c.shown(before), is)
	}
	delete(is, "apiVersion")
	delete(is, "kind")
	unstructured.RemoveNestedField(is, "metadata", "name")
	unstructured.RemoveNestedField(is, "metadata", "namespace")
	return differences(nil, is)
}

// shown is what may be told of an object.
func (c *comparison) shown(object *unstructured.Unstructured) map[string]any {
	out := object.DeepCopy()
	delete(out.Object, "status")
	for _, field := range given {
		unstructured.RemoveNestedField(out.Object, "metadata", field)
	}
	if groupKind(out) == secretKind {
		c.hide.secret(out.Object)
	}
	return out.Object
}
