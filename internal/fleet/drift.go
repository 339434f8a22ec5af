package fleet

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Drift lists the fields of an applied object that others have changed or removed since, as paths such as
// spec.replicas. It looks at who owns what, not at values: who changes a field takes it over, and a value that the
// cluster merely spells otherwise (1000m and 1, a default filled in) stays ours. So it also works without the content
// of an object, which for Secrets is not read.
//
// What others have added is no drift.
func Drift(o *Object, live *unstructured.Unstructured) []string {
	var d drift
	d.fields("", o.form.Object, ownFields(live))
	return d.lost
}

// ownFields are the fields that our applies own, in the notation of managed fields: "f:" and the name of a field, "k:"
// and the key fields of an element of a list, "v:" and an element of a set, "." for the thing itself. Something that is
// owned as a whole has nothing inside.
func ownFields(live *unstructured.Unstructured) map[string]any {
	for _, entry := range live.GetManagedFields() {
		var own map[string]any
		if isOwnApply(entry) && entry.FieldsV1 != nil && json.Unmarshal(entry.FieldsV1.GetRawBytes(), &own) == nil {
			return own
		}
	}
	return nil
}

func isOwnApply(entry metav1.ManagedFieldsEntry) bool {
	return entry.Manager == FieldManager && entry.Operation == metav1.ManagedFieldsOperationApply && entry.Subresource == ""
}

// unowned are fields that name an object and so belong to nobody, and the status, which belongs to the cluster: it takes
// none from an apply.
var unowned = map[string]bool{"apiVersion": true, "kind": true, "metadata.name": true, "metadata.namespace": true, "status": true}

// drift collects the paths of fields that are not ours any more.
type drift struct{ lost []string }

func (d *drift) fields(path string, wanted, own map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		inner := strings.TrimPrefix(path+"."+key, ".")
		if unowned[inner] || isVoid(wanted[key]) {
			continue
		}
		d.value(inner, wanted[key], own["f:"+key])
	}
}

func (d *drift) value(path string, wanted, owned any) {
	own, ok := owned.(map[string]any)
	if !ok {
		d.lost = append(d.lost, path)
		return
	}
	if len(own) == 0 {
		return // ours as a whole
	}
	switch wanted := wanted.(type) {
	case map[string]any:
		d.fields(path, wanted, own)
	case []any:
		for i, element := range wanted {
			d.value(fmt.Sprintf("%s[%d]", path, i), element, ofElement(own, element))
		}
	}
}

// ofElement finds what is owned of an element of a list: by its value in a set, by its key fields in a list of maps. The
// cluster fills in key fields that have defaults, so only those that the manifest states are compared.
func ofElement(own map[string]any, element any) any {
	fields, isMap := element.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(own)) {
		mark, text, _ := strings.Cut(name, ":")
		switch {
		case mark == "v" && !isMap && sameJSON(text, element):
			return own[name]
		case mark == "k" && isMap && hasKeys(text, fields):
			return own[name]
		}
	}
	return nil
}

func hasKeys(text string, fields map[string]any) bool {
	var keys map[string]any
	if json.Unmarshal([]byte(text), &keys) != nil {
		return false
	}
	for key, value := range keys {
		if stated, ok := fields[key]; ok && fmt.Sprint(stated) != fmt.Sprint(value) {
			return false
		}
	}
	return true
}

func sameJSON(text string, value any) bool {
	content, err := json.Marshal(value)
	return err == nil && string(content) == text
}

// isVoid says whether a value is one that the cluster may leave out of an object without changing its meaning.
func isVoid(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	default:
		return false
	}
}
