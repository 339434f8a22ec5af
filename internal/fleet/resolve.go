package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"

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

	observed map[string]any // its schema; nil observes all of the form
	before   map[string]any // what was wanted of it before; nil if it is new
}

// A Wish is what an application wants on a cluster.
type Wish struct {
	Manifest api.Manifest
	// Schema says of some of the objects what is observed of them; all of the others.
	Schema []map[string]any
	// Applied is what was wanted before, completed by Desired.
	Applied []map[string]any
	// Confined, if set, keeps the objects in a namespace that their owner's namespace has for itself.
	Confined *Confinement
	// Has is what the application has on clusters: that keeps its place.
	Has []api.InventoryObject
}

// Key names the object within its cluster.
func (o *Object) Key() Key { return KeyOf(o.Entry) }

// Form is the object as it is applied. It must not be changed.
func (o *Object) Form() *unstructured.Unstructured { return o.form }

// Resolve turns a wish into objects for this cluster, in the order of the manifest: it finds where their kinds are
// served, fills in namespaces, sorts them into waves and marks them as the owner's. Kinds that the manifest's own
// custom resource definitions bring are known. Nothing is written.
//
// Errors are *InvalidError, *UnsupportedError, and *TransientError when the cluster does not say what it serves.
func (m *Member) Resolve(ctx context.Context, wish Wish, owner Owner) ([]Object, error) {
	forms := make([]*unstructured.Unstructured, len(wish.Manifest))
	for i, raw := range wish.Manifest {
		form, err := readObject(i, raw)
		if err != nil {
			return nil, err
		}
		forms[i] = form
	}
	own, view, homes := definitions(forms), &lookup{mapper: m.mapper}, m.homes(wish, owner)
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
		if where.passing {
			return nil, &UnsupportedError{Index: i, APIVersion: form.GetAPIVersion(), Kind: form.GetKind(), Passing: true}
		}
		if err := homes.settle(form, groupKind(form), where.namespaced); err != nil {
			return nil, &InvalidError{i, err.Error()}
		}
		o, err := m.object(i, form, where, owner, schemaOf(wish.Schema, wish.Manifest[i]))
		if err != nil {
			return nil, err
		}
		if o.observed != nil {
			if o.before, err = plainMap(appliedOf(wish.Applied, wish.Manifest[i])); err != nil {
				return nil, &InvalidError{i, err.Error()}
			}
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
	if items, isList := content["items"].([]any); isList && strings.HasSuffix(content["kind"].(string), "List") {
		return nil, &InvalidError{index, fmt.Sprintf("it is a list: put its %d items into the manifest itself", len(items))}
	}
	form := &unstructured.Unstructured{Object: content}
	if _, err := schema.ParseGroupVersion(form.GetAPIVersion()); err != nil {
		return nil, &InvalidError{index, "its apiVersion has more than one slash"}
	}
	return form, nil
}

// checkMetadata refuses what would be lost silently when our own marks are added, what would lead to another path than
// that of the object, and what holds on one cluster only.
func checkMetadata(metadata map[string]any) error {
	if name, _ := metadata["name"].(string); len(name) > longestName || len(content.IsPathSegmentName(name)) > 0 {
		return fmt.Errorf("metadata.name %q is no name", brief(name, 100))
	}
	if namespace := metadata["namespace"]; namespace != nil {
		text, ok := namespace.(string)
		if !ok {
			return errors.New("metadata.namespace is no text")
		}
		if text != "" && len(validation.IsDNS1123Label(text)) > 0 {
			return fmt.Errorf("metadata.namespace %q is no name of a namespace", brief(text, 100))
		}
	}
	if owners := metadata["ownerReferences"]; !isVoid(owners) {
		return errors.New("metadata.ownerReferences name objects by their UIDs on one cluster: on another one, or when they go, " +
			"the object would be removed again and again; leave them out")
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

// longestName is more than any kind takes.
const longestName = 1024

// place finds where a kind is served, or will be once the manifest's own definitions are there. What the cluster says
// comes first: a definition may claim anything.
func place(ctx context.Context, view *lookup, own map[schema.GroupVersionKind]mapping, kind schema.GroupVersionKind) (mapping, error) {
	where, err := view.find(ctx, kind)
	if defined, ok := own[kind]; ok && errors.Is(err, errNoKind) {
		return defined, nil
	}
	return where, err
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
				if len(validation.IsDNS1123Label(resource.Resource))+len(validation.IsDNS1123Label(resource.Version))+
					len(validation.IsDNS1123Subdomain(resource.Group)) > 0 {
					continue // the cluster says what is wrong
				}
				out[resource.GroupVersion().WithKind(textAt(spec, "names", "kind"))] = mapping{resource: resource, namespaced: namespaced}
			}
		}
	}
	return out
}

func isDefinition(kind schema.GroupKind) bool {
	return kind == schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}
}

// object gives an object its wave, marks and hash.
func (m *Member) object(index int, form *unstructured.Unstructured, where mapping, owner Owner, observed map[string]any) (Object, error) {
	mark(form, owner)
	hash, err := hashForm(form, observed)
	if err == nil && observed != nil {
		observed, err = plainMap(withMarks(observed))
	}
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
		Index: index, form: form, resource: where.resource, owner: owner.UID, observed: observed,
	}, nil
}
