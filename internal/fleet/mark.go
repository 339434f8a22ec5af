package fleet

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// FieldManager is the name under which Krake owns fields of objects.
const FieldManager = "krake"

// What every object of an application carries. Names are annotations, because a namespace of Krake such as
// "system:admin" is no valid value of a label.
const (
	AppUIDLabel            = "krake.cloud/app-uid"
	NamespaceAnnotation    = "krake.cloud/namespace"
	NameAnnotation         = "krake.cloud/name"
	InstallationAnnotation = "krake.cloud/installation"
)

// Owner is the application that objects belong to.
type Owner struct {
	UID             string
	Namespace, Name string
	Installation    string // tells one Krake from another that uses the same cluster; may be empty
}

// given are metadata that a cluster assigns. Manifests that were read from a cluster have them, and no other cluster
// accepts them.
var given = []string{
	"uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
	"managedFields", "selfLink",
}

// mark gives an object the form in which it is applied.
func mark(form *unstructured.Unstructured, owner Owner) {
	encodeSecret(form)
	for _, field := range given {
		unstructured.RemoveNestedField(form.Object, "metadata", field)
	}
	labels := form.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[AppUIDLabel] = owner.UID
	form.SetLabels(labels)
	annotations := form.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[NamespaceAnnotation], annotations[NameAnnotation] = owner.Namespace, owner.Name
	if owner.Installation != "" {
		annotations[InstallationAnnotation] = owner.Installation
	}
	form.SetAnnotations(annotations)
}

// encodeSecret moves the plain texts of a Secret to where the cluster keeps them. The cluster would do so itself, and
// then not know that they are ours: changed by others they would not be noticed, dropped from a manifest they would
// stay.
func encodeSecret(form *unstructured.Unstructured) {
	if groupKind(form) != secretKind {
		return
	}
	texts := mapAt(form.Object, "stringData")
	data := maps.Clone(mapAt(form.Object, "data"))
	if data == nil {
		data = map[string]any{}
	}
	for key, value := range texts {
		text, ok := value.(string)
		if !ok {
			return // the cluster says what is wrong
		}
		data[key] = base64.StdEncoding.EncodeToString([]byte(text))
	}
	delete(form.Object, "stringData")
	if len(data) > 0 {
		form.Object["data"] = data
	}
}

// InitialManager is the name under which fields are kept that were set once and are not observed.
const InitialManager = FieldManager + "-initial"

// hashForm tells whether an object would be applied in the form, and by the schema, in which it was applied last.
func hashForm(form *unstructured.Unstructured, schema map[string]any) (string, error) {
	content, err := json.Marshal(form.Object) // sorts the keys
	if err != nil {
		return "", err
	}
	if schema != nil {
		more, err := json.Marshal(schema)
		if err != nil {
			return "", err
		}
		content = append(content, more...)
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:16]), nil
}

// plain copies a manifest's value into the types that apimachinery copes with.
func plain(value any) (any, error) {
	switch v := value.(type) {
	case nil, string, bool, int64:
		return v, nil
	case int:
		return int64(v), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%v is no number of JSON", v)
		}
		return v, nil
	case json.Number:
		i, err := v.Int64()
		if err == nil {
			return i, nil
		}
		if errors.Is(err, strconv.ErrRange) {
			return nil, fmt.Errorf("%s is too large for a whole number", brief(v.String(), 100))
		}
		return v.Float64()
	case []any:
		return plainList(v)
	case map[string]any:
		return plainMap(v)
	default:
		return nil, fmt.Errorf("a value of type %T is no JSON", value)
	}
}

func plainMap(in map[string]any) (map[string]any, error) {
	out := make(map[string]any, len(in))
	for key, value := range in {
		v, err := plain(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		out[key] = v
	}
	return out, nil
}

func plainList(in []any) ([]any, error) {
	out := make([]any, len(in))
	for i, value := range in {
		v, err := plain(value)
		if err != nil {
			return nil, fmt.Errorf("%d: %w", i, err)
		}
		out[i] = v
	}
	return out, nil
}
