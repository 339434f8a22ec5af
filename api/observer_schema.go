package api

import (
	"fmt"
	"maps"
	"slices"
)

// Keys of the control object that ends every list in an observer schema.
const (
	schemaListMin = "observer_schema_list_min_length"
	schemaListMax = "observer_schema_list_max_length"
)

// checkObserverSchema returns what is wrong with an observer schema for a manifest, one text per object.
func checkObserverSchema(schema []map[string]any, manifest Manifest) []string {
	var problems []string
	for i, object := range schema {
		if problem := checkObservedObject(object, manifest); problem != "" {
			problems = append(problems, fmt.Sprintf("%s (index %d)", problem, i))
		}
	}
	return problems
}

func checkObservedObject(object map[string]any, manifest Manifest) string {
	metadata, isMap := object["metadata"].(map[string]any)
	switch {
	case object["apiVersion"] == nil:
		return "apiVersion is not defined"
	case object["kind"] == nil:
		return "kind is not defined"
	case object["metadata"] == nil:
		return "metadata dictionary is not defined"
	case !isMap:
		return "metadata must be a dictionary"
	case metadata["name"] == nil:
		return "name is not defined in the metadata dictionary"
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if key == "apiVersion" || key == "kind" {
			continue
		}
		skip := ""
		if key == "metadata" {
			skip = "name"
		}
		if problem := checkObservedValue(key, object[key], skip); problem != "" {
			return problem
		}
	}
	for _, m := range manifest {
		name, _ := m["metadata"].(map[string]any)
		if same(m["apiVersion"], object["apiVersion"]) && same(m["kind"], object["kind"]) && same(name["name"], metadata["name"]) {
			return ""
		}
	}
	return "Observed resource must be in manifest"
}

// checkObservedValue walks down; skip names a key of this map whose value may be anything.
func checkObservedValue(key string, value any, skip string) string {
	switch v := value.(type) {
	case nil:
		return ""
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if k == skip && skip != "" {
				continue
			}
			if problem := checkObservedValue(k, v[k], ""); problem != "" {
				return problem
			}
		}
		return ""
	case []any:
		return checkObservedList(v)
	default:
		return fmt.Sprintf("Value of '%s' is not 'None'", key)
	}
}

func checkObservedList(list []any) string {
	if len(list) == 0 {
		return "Special list control dictionary not found"
	}
	control, ok := list[len(list)-1].(map[string]any)
	if !ok {
		return "Special list control dictionary not found"
	}
	low, hasLow := control[schemaListMin]
	high, hasHigh := control[schemaListMax]
	if !hasLow || !hasHigh || len(control) != 2 {
		return "Special list control dictionary malformed"
	}
	elements := list[:len(list)-1]
	if problem := checkListBounds(low, high, int64(len(elements))); problem != "" {
		return problem
	}
	for _, element := range elements {
		switch element.(type) {
		case nil, map[string]any, []any:
		default:
			return "Element of a list is not 'None'"
		}
		if problem := checkObservedValue("", element, ""); problem != "" {
			return problem
		}
	}
	return ""
}

func checkListBounds(low, high any, elements int64) string {
	minimum, minIsInt := low.(int64)
	maximum, maxIsInt := high.(int64)
	switch {
	case !minIsInt:
		return schemaListMin + " should be an integer"
	case !maxIsInt:
		return schemaListMax + " should be an integer"
	case minimum < 0:
		return "Invalid value for " + schemaListMin
	case maximum < 0:
		return "Invalid value for " + schemaListMax
	case maximum != 0 && maximum < minimum:
		return schemaListMax + " is inferior to " + schemaListMin
	case maximum != 0 && maximum < elements:
		return schemaListMax + " is inferior to the number of observed elements"
	}
	return ""
}
