package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rak-n-rok/krake/api"
)

// KeptAnnotation marks an object that an application was to leave behind when it was deleted. It is nobody's: it has no
// AppUIDLabel. The other annotations still name the application that had it, and a later one of that name, of the same
// namespace and installation, takes it up again.
const KeptAnnotation = "krake.cloud/kept"

// LetGo takes the application's mark off an object and leaves it otherwise as it is. One of somebody else, and one that
// is not there, count as done.
func (m *Member) LetGo(ctx context.Context, e api.InventoryObject, appUID string) error {
	view := &lookup{mapper: m.mapper}
	where, err := view.findStored(ctx, entryKind(e))
	if errors.Is(err, errNoKind) {
		return nil
	}
	if err != nil {
		return err
	}
	for range attempts(ctx) {
		seen, err := m.getMeta(ctx, where.resource, e.Namespace, e.Name)
		switch {
		case isUnserved(err):
			m.mapper.forget()
			return answer(KeyOf(e), err)
		case apierrors.IsNotFound(err):
			return nil
		case err != nil:
			return answer(KeyOf(e), err)
		case !isOurs(seen, e.UID, appUID) || isKept(seen):
			return nil
		}
		err = m.remark(ctx, where.resource, seen, nil, "true")
		switch {
		case err == nil || apierrors.IsNotFound(err) && !isUnserved(err):
			return nil
		case !apierrors.IsConflict(err):
			return answer(KeyOf(e), err)
		}
	}
	return &TransientError{Message: fmt.Sprintf("%s changed again and again while it was to be let go", KeyOf(e))}
}

// LetGoAll lets several objects go at once. Each has its error, in the same order.
func (m *Member) LetGoAll(ctx context.Context, entries []api.InventoryObject, appUID string) []error {
	errs := make([]error, len(entries))
	m.inParallel(len(entries), func(i int) { errs[i] = m.LetGo(ctx, entries[i], appUID) })
	return errs
}

// isKept says whether an object is nobody's because its application has let it go.
func isKept(live *unstructured.Unstructured) bool {
	return live.GetLabels()[AppUIDLabel] == "" && live.GetAnnotations()[KeptAnnotation] != ""
}

// mayResume says whether a live object was let go by an application of this name.
func (o *Object) mayResume(live *unstructured.Unstructured) bool {
	theirs, ours := live.GetAnnotations(), o.form.GetAnnotations()
	return isKept(live) && theirs[NamespaceAnnotation] == ours[NamespaceAnnotation] && theirs[NameAnnotation] == ours[NameAnnotation] &&
		theirs[InstallationAnnotation] == ours[InstallationAnnotation]
}

// resume marks an object that was let go as this application's. A conflict means that it has changed meanwhile.
func (m *Member) resume(ctx context.Context, o *Object, seen *unstructured.Unstructured) error {
	return m.remark(ctx, o.resource, seen, o.owner, nil)
}

// remark changes the two marks of exactly the object that was looked at; nil takes one off.
func (m *Member) remark(ctx context.Context, r schema.GroupVersionResource, seen *unstructured.Unstructured, owner, kept any) error {
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": seen.GetUID(), "resourceVersion": seen.GetResourceVersion(),
		"labels": map[string]any{AppUIDLabel: owner}, "annotations": map[string]any{KeptAnnotation: kept},
	}})
	if err != nil {
		return err
	}
	if err := m.fleet.options.MayWrite(ctx); err != nil {
		return err
	}
	_, _, err = m.send(ctx, m.rest.Patch(types.MergePatchType).AbsPath(pathOf(r, seen.GetNamespace(), seen.GetName())...).
		Param("fieldManager", FieldManager).Body(body))
	return err
}
