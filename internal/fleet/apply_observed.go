package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// applyObserved applies an object of which not everything is observed. Server-side apply removes what a manager owns and
// leaves out, so what is not observed needs another owner before we let go of it:
//
//  1. The whole object as FieldManager, with the live values of what is not observed, whether the manifest still has it
//     or not. It makes the object, and tells which lists have key fields.
//  2. What is not observed, as InitialManager. From then on others may change it; nobody removes it.
//  3. What is observed, as FieldManager.
//
// A process that dies between them leaves an object that has all of the manifest; the next change does the rest.
func (m *Member) applyObserved(ctx context.Context, o *Object) (Applied, error) {
	live, err := m.existing(ctx, o)
	if err != nil {
		return Applied{}, err
	}
	whole := *o
	whole.form = o.form.DeepCopy()
	if live != nil {
		whole.form = o.whole(live)
	}
	a, err := m.apply(ctx, &whole)
	if err != nil {
		return Applied{}, err
	}
	form, _ := complete(o.observed, whole.form.Object, o.before, a.Live.Object).(map[string]any)
	parts := splitBy(o.observed, form, ownFields(a.Live))
	if len(parts.whole) > 0 {
		return Applied{}, &InvalidError{o.Index, fmt.Sprintf("the cluster replaces the list %s as a whole, so an observer schema must observe all of it or nothing",
			strings.Join(parts.whole, " and "))}
	}
	for _, part := range []struct {
		manager string
		form    map[string]any
	}{{InitialManager, parts.rest}, {FieldManager, parts.observed}} {
		form := (&unstructured.Unstructured{Object: part.form}).DeepCopy()
		form.SetUID(types.UID(a.Entry.UID))
		if a.Live, _, err = m.patch(ctx, o, part.manager, form, true); err != nil {
			return Applied{}, m.vanished(o, err)
		}
	}
	if a.Live, err = m.trim(ctx, o, a.Live); err != nil {
		return Applied{}, m.vanished(o, err)
	}
	return a, nil
}

// whole is the object with the live values of what is not observed, whether the manifest still has it or not.
func (o *Object) whole(live *unstructured.Unstructured) *unstructured.Unstructured {
	tree := allOwn(live)
	form := complete(o.observed, o.form.Object, o.before, live.Object)
	form = blend(schemaNode{o.observed, true}, form, live.Object, tree)
	if set := fieldsOf(live, InitialManager); set != nil { // others may have taken over all that was set once
		once, _ := owned(set, live.Object).(map[string]any)
		form = overlay(splitBy(o.observed, once, tree).rest, form, tree)
	}
	whole, _ := form.(map[string]any)
	return (&unstructured.Unstructured{Object: whole}).DeepCopy()
}

// existing reads an object that is recorded; nil if it is new.
func (m *Member) existing(ctx context.Context, o *Object) (*unstructured.Unstructured, error) {
	if o.Entry.UID == "" {
		return nil, nil
	}
	live, err := m.get(ctx, o.resource, o.Entry.Namespace, o.Entry.Name)
	switch {
	case apierrors.IsNotFound(err) && !isUnserved(err):
		return nil, &VanishedError{o.Key()}
	case err != nil:
		return nil, answer(o.Key(), err)
	case !isOurs(live, o.Entry.UID, o.owner):
		return nil, o.foreign(live)
	}
	return live, nil
}

// vanished is the error of an object that went while it was being applied: a UID that is stated conflicts with none.
func (m *Member) vanished(o *Object, err error) error {
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) && !isUnserved(err) {
		return &TransientError{Message: fmt.Sprintf("%s changed while it was being applied", o.Key()), cause: err}
	}
	return answer(o.Key(), err)
}

// trim removes elements that others have added to lists beyond the length that the schema allows.
func (m *Member) trim(ctx context.Context, o *Object, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	type change struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value,omitempty"`
	}
	changes := []change{{"test", "/metadata/resourceVersion", live.GetResourceVersion()}}
	for _, misfit := range misfits("", "", o.observed, live.Object, allOwn(live)) {
		for _, pointer := range misfit.surplus() {
			changes = append(changes, change{Op: "remove", Path: pointer})
		}
	}
	if len(changes) == 1 {
		return live, nil
	}
	body, err := json.Marshal(changes)
	if err != nil {
		return nil, err
	}
	if err := m.fleet.options.MayWrite(ctx); err != nil {
		return nil, err
	}
	trimmed, _, err := m.sendObject(ctx, m.rest.Patch(types.JSONPatchType).
		AbsPath(pathOf(o.resource, o.Entry.Namespace, o.Entry.Name)...).Param("fieldManager", FieldManager).Body(body))
	if apierrors.IsInvalid(err) {
		return live, nil // it has changed meanwhile; what is too much then is found again
	}
	return trimmed, err
}
