package fleet

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// Check looks whether an object that is to be created is on the cluster already. It returns the UID of one that is this
// application's, which is to be taken over, and an empty one when there is none. One of somebody else is a
// *ForeignError.
func (m *Member) Check(ctx context.Context, o Object) (uid string, err error) {
	live, err := m.look(ctx, &o)
	if err != nil || live == nil {
		return "", err
	}
	if !isOurs(live, o.Entry.UID, o.owner) && !o.mayResume(live) {
		return "", o.foreign(live)
	}
	return string(live.GetUID()), nil
}

// CheckAll checks several objects at once. It fails with all that are foreign, or cannot be looked at.
func (m *Member) CheckAll(ctx context.Context, objects []Object) error {
	errs := make([]error, len(objects))
	m.inParallel(len(objects), func(i int) { _, errs[i] = m.Check(ctx, objects[i]) })
	return errors.Join(errs...)
}

// look reads the metadata of the live object, nil when there is none.
func (m *Member) look(ctx context.Context, o *Object) (*unstructured.Unstructured, error) {
	live, err := m.getMeta(ctx, o.resource, o.Entry.Namespace, o.Entry.Name)
	if apierrors.IsNotFound(err) {
		return nil, nil // also when its kind or its namespace comes with the same manifest
	}
	return live, answer(o.Key(), err)
}

// isOurs says whether a live object is the application's: the one that was recorded, or one that carries its mark. The
// mark counts for objects that were restored from a backup or made again by hand, and for those of which nothing but
// the intent was recorded.
func isOurs(live *unstructured.Unstructured, recorded, appUID string) bool {
	return recorded != "" && live.GetUID() == types.UID(recorded) || appUID != "" && live.GetLabels()[AppUIDLabel] == appUID
}

// foreign names the owner of the object that is in the place of this one.
func (o *Object) foreign(live *unstructured.Unstructured) *ForeignError {
	labels, annotations, ours := live.GetLabels(), live.GetAnnotations(), o.form.GetAnnotations()
	if isKept(live) {
		name := annotations[NamespaceAnnotation] + "/" + annotations[NameAnnotation]
		return &ForeignError{Object: o.Key(), Owner: fmt.Sprintf("was left there by the Krake application %s of the installation %s, which alone may have it again",
			name, annotations[InstallationAnnotation])}
	}
	if labels[AppUIDLabel] == "" {
		return &ForeignError{Object: o.Key(), Owner: "is not managed by Krake"}
	}
	same := func(annotation string) bool { return annotations[annotation] == ours[annotation] }
	if same(NamespaceAnnotation) && same(NameAnnotation) && same(InstallationAnnotation) {
		return &ForeignError{o.Key(), "is left from an earlier application of this name; it is removed by and by", true}
	}
	name := annotations[NamespaceAnnotation] + "/" + annotations[NameAnnotation]
	if name == "/" {
		name = "with UID " + labels[AppUIDLabel]
	}
	owner := fmt.Sprintf("is managed by the Krake application %s", name)
	if installation := annotations[InstallationAnnotation]; installation != "" {
		owner += fmt.Sprintf(" of the installation %s", installation)
	}
	return &ForeignError{Object: o.Key(), Owner: owner}
}
