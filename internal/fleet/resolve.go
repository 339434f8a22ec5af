package fleet

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rak-n-rok/krake/api"
)

// Object is an object of an application's manifest, ready to be applied to one cluster.
type Object struct {
	// Entry is how the inventory names it. Hash is that of the form to be applied; UID is empty in a manifest's
	// objects, and filled by a Plan for those that exist.
	Entry api.InventoryObject
	// Index is its place in the manifest.
	Index int

	form     *unstructured.Unstructured
	resource schema.GroupVersionResource
	owner    string // UID of the application
}

// Key names the object within its cluster.
func (o *Object) Key() Key { return KeyOf(o.Entry) }

// Form is the object as it is applied. It must not be changed.
func (o *Object) Form() *unstructured.Unstructured { return o.form }

// Resolve turns a manifest into objects for this cluster, in the order of the manifest: it finds where their kinds are
// served, fills in namespaces, sorts them into waves and marks them as the owner's. Kinds that the manifest's own
// custom resource definitions bring are known. Nothing is written.
//
// Errors are *InvalidError, *UnsupportedError, and *TransientError when the cluster does not say what it serves.
func (m *Member) Resolve(ctx context.Context, manifest api.Manifest, owner Owner) ([]Object, error) {
	forms := make([]*unstructured.Unstructured, len(manifest))
	for i, raw := range manifest {
		form, err := readObject(i, raw)
		if err != nil {
			return nil, err
		}
		forms[i] = form
	}
	own, view := definitions(forms), &lookup{mapper: m.mapper}
	objects := make([]Object, 0, len(forms))
	seen := map[Key]int{}
	for i, form := range forms {
		where, err := place(ctx, view, own, form.GroupVersionKind())
		if errors.Is(err, errNoKind) {
			return nil, &UnsupportedError{Index: i, APIVersion: form.GetAPIVersion(), Kind: form.GetKind()}
		}
		if err != nil {
			return nil, err
		}
		o, err := m.object(i, form, where, owner)
		if err != nil {
			return nil, err
		}
		if first, double := seen[o.Key()]; double {
			return nil, &InvalidError{i, fmt.Sprintf("%s is at index %d already", o.Key(), first)}
		}
		seen[o.Key()] = i
		objects = append(objects, o)
	}
	return objects, nil
}

// readObject copies an object of a manifest and checks what Krake relies on.
func readObject(index int, raw map[string]any) (*unstructured.Unstructured, error) {
	content, err := plainMap(raw)
	if err != nil {
		return nil, &InvalidError{index, err.Error()}
	}
	metadata, ok := content["metadata"].(map[string]any)
	if !ok {
		return nil, &InvalidError{index, "it has no metadata"}
	}
	for _, field := range []struct {
		name string
		in   map[string]any
	}{{"apiVersion", content}, {"kind", content}, {"name", metadata}} {
		if text, ok := field.in[field.name].(string); !ok || text == "" {
			return nil, &InvalidError{index, fmt.Sprintf("it has no %s", field.name)}
		}
	}
	if err := checkMetadata(metadata); err != nil {
		return nil, &InvalidError{index, err.Error()}
	}
	form := &unstructured.Unstructured{Object: content}
	if _, err := schema.ParseGroupVersion(form.GetAPIVersion()); err != nil {
		return nil, &InvalidError{index, "its apiVersion has more than one slash"}
	}
	return form, nil
}

// checkMetadata refuses what would be lost silently when our own marks are added.
func checkMetadata(metadata map[string]any) error {
	if namespace := metadata["namespace"]; namespace != nil {
		if _, ok := namespace.(string); !ok {
			return errors.New("metadata.namespace is no text")
		}
	}
	for _, field := range []string{"labels", "annotations"} {
		if metadata[field] == nil {
			delete(metadata, field)
			continue
		}
		pairs, ok := metadata[field].(map[string]any)
		if !ok {
			return fmt.Errorf("metadata.%s is no mapping", field)
		}
		for key, value := range pairs {
			if _, ok := value.(string); !ok {
				return fmt.Errorf("metadata.%s: the value of %s is no text", field, key)
			}
		}
	}
	return nil
}

// place finds where a kind is served, or will be once the manifest's own definitions are there.
func place(ctx context.Context, view *lookup, own map[schema.GroupVersionKind]mapping, kind schema.GroupVersionKind) (mapping, error) {
	if where, ok := own[kind]; ok {
		return where, nil
	}
	return view.find(ctx, kind)
}

// definitions are the kinds that the custom resource definitions among the objects bring.
func definitions(forms []*unstructured.Unstructured) map[schema.GroupVersionKind]mapping {
	out := map[schema.GroupVersionKind]mapping{}
	for _, form := range forms {
		if !isDefinition(form.GroupVersionKind().GroupKind()) {
			continue
		}
		spec := mapAt(form.Object, "spec")
		namespaced := textAt(spec, "scope") == "Namespaced"
		for _, version := range listAt(spec, "versions") {
			if version["served"] == true {
				resource := schema.GroupVersionResource{
					Group: textAt(spec, "group"), Version: textAt(version, "name"), Resource: textAt(spec, "names", "plural"),
				}
				out[resource.GroupVersion().WithKind(textAt(spec, "names", "kind"))] = mapping{resource, namespaced}
			}
		}
	}
	return out
}

func isDefinition(kind schema.GroupKind) bool {
	return kind == schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}
}

// object gives an object its namespace, wave, marks and hash. Cluster-wide kinds have no namespace, whatever the
// manifest says.
func (m *Member) object(index int, form *unstructured.Unstructured, where mapping, owner Owner) (Object, error) {
	switch {
	case !where.namespaced:
		unstructured.RemoveNestedField(form.Object, "metadata", "namespace")
	case form.GetNamespace() == "":
		form.SetNamespace(m.namespace)
	}
	mark(form, owner)
	hash, err := hashForm(form)
	if err != nil {
		return Object{}, &InvalidError{index, err.Error()}
	}
	kind := form.GroupVersionKind()
	return Object{
		Entry: api.InventoryObject{
			Cluster: m.Identity(),
			Group:   kind.Group, Version: kind.Version, Kind: kind.Kind,
			Namespace: form.GetNamespace(), Name: form.GetName(),
			Hash: hash, Wave: wave(kind.GroupKind()),
		},
		Index: index, form: form, resource: where.resource, owner: owner.UID,
	}, nil
}
