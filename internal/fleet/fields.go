package fleet

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// textAt, numberAt, mapAt and listAt read a field of an object without copying it. A field that is missing or of
// another type is as good as none.

func textAt(in map[string]any, path ...string) string {
	text, _ := at(in, path).(string)
	return text
}

func numberAt(in map[string]any, otherwise int64, path ...string) int64 {
	if n, ok := at(in, path).(int64); ok {
		return n
	}
	return otherwise
}

func mapAt(in map[string]any, path ...string) map[string]any {
	fields, _ := at(in, path).(map[string]any)
	return fields
}

// listAt returns the elements of a list that are maps; others are nil.
func listAt(in map[string]any, path ...string) []map[string]any {
	list, _ := at(in, path).([]any)
	out := make([]map[string]any, len(list))
	for i, element := range list {
		out[i], _ = element.(map[string]any)
	}
	return out
}

func at(in map[string]any, path []string) any {
	value, _, _ := unstructured.NestedFieldNoCopy(in, path...)
	return value
}

// holds says whether an object has a condition of this type with status True.
func holds(in map[string]any, condition string) bool {
	for _, c := range listAt(in, "status", "conditions") {
		if c["type"] == condition {
			return c["status"] == "True"
		}
	}
	return false
}
