package fleet

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Documents are what a status says of the objects of an application, in the forms of the reference.
type Documents struct {
	Schema   []map[string]any // by which each of them is observed
	Applied  []map[string]any // what is wanted of them
	Observed []map[string]any // what is seen of those that are there
}

// Describe makes the documents for a wish and what is known of its objects.
func Describe(wish Wish, seen Snapshot) Documents {
	d := Documents{Schema: effectiveSchema(wish.Schema, wish.Manifest), Applied: []map[string]any{}, Observed: []map[string]any{}}
	there := seen.Live()
	for _, object := range wish.Manifest {
		schema, live := schemaOf(d.Schema, object), liveOf(there, object)
		d.Applied = append(d.Applied, desired(object, schema, appliedOf(wish.Applied, object), live))
		if live != nil {
			d.Observed = append(d.Observed, observationOf(schema, live))
		}
	}
	return d
}

// liveOf finds what is there of an object of a manifest, which may leave its namespace to the kubeconfig.
func liveOf(there []*unstructured.Unstructured, object map[string]any) *unstructured.Unstructured {
	namespace := textAt(object, "metadata", "namespace")
	for _, live := range there {
		if SameName(live.Object, object) && (namespace == "" || live.GetNamespace() == "" || live.GetNamespace() == namespace) {
			return live
		}
	}
	return nil
}

// desired completes an object of a manifest by the values that its schema observes and the cluster has assigned.
func desired(object, schema, before map[string]any, live *unstructured.Unstructured) map[string]any {
	var now any
	if live != nil {
		now = live.Object
	}
	spec := maps.Clone(schema)
	delete(spec, "status")
	out, _ := stored(complete(spec, object, before, now)).(map[string]any)
	return out
}

// effectiveSchema gives the schemas that the objects of a manifest are observed by: those of the application, and for the
// other objects one of all that their manifest says.
func effectiveSchema(custom, manifest []map[string]any) []map[string]any {
	out := slices.Clone(custom)
	for _, object := range manifest {
		if schemaOf(custom, object) == nil {
			out = append(out, defaultSchema(object))
		}
	}
	return out
}

func defaultSchema(object map[string]any) map[string]any {
	out, _ := imageOf(object).(map[string]any)
	out["apiVersion"], out["kind"] = object["apiVersion"], object["kind"]
	metadata, _ := out["metadata"].(map[string]any)
	out["metadata"] = put(metadata, "name", mapAt(object, "metadata")["name"])
	if textAt(object, "spec", "type") == "LoadBalancer" {
		out["status"] = map[string]any{"loadBalancer": map[string]any{"ingress": nil}}
	}
	return out
}

func imageOf(value any) any {
	switch v := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, inner := range v {
			out[key] = imageOf(inner)
		}
		return out
	case []any:
		out := make([]any, 0, len(v)+1)
		for _, element := range v {
			out = append(out, imageOf(element))
		}
		n := int64(len(v))
		return append(out, map[string]any{schemaListMin: n, schemaListMax: n})
	default:
		return nil
	}
}

// observationOf gives the observed fields of a live object, with their values, in the form of last_observed_manifest.
func observationOf(schema map[string]any, live *unstructured.Unstructured) map[string]any {
	out, _ := observe(schema, live.Object).(map[string]any)
	out["apiVersion"], out["kind"] = schema["apiVersion"], schema["kind"]
	return out
}

func observe(schema, live any) any {
	switch s := schema.(type) {
	case map[string]any:
		l, _ := live.(map[string]any)
		out := make(map[string]any, len(s))
		for key, inner := range s {
			out[key] = observe(inner, l[key])
		}
		return out
	case []any:
		l, _ := live.([]any)
		out := []any{}
		for i := range min(len(s)-1, len(l)) {
			out = append(out, observe(s[i], l[i]))
		}
		return append(out, map[string]any{currentLength: int64(len(l))})
	default:
		return stored(live)
	}
}

// stored copies a value as it is read from a status again: there a whole number is no fraction, however it was written.
func stored(value any) any {
	switch v := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, inner := range v {
			out[key] = stored(inner)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = stored(inner)
		}
		return out
	case float64:
		if whole := int64(v); float64(whole) == v {
			return whole
		}
	}
	return value
}
