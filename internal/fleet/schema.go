package fleet

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// An observer schema is a partial object that says which fields are observed: what is null in it. Everything else of a
// manifest is set when the object is made, and left to others after that. A list ends with a control object, which bounds
// the length of the list on the cluster. An object without a schema of its own is observed in all that its manifest says.
//
// The functions here are pure. Trees of managed fields, which the cluster gives, say of a list whether its elements are
// known by key fields, by their values, or not at all: see ownFields.

// Keys of the control object, and of what stands in its place in an observation.
const (
	schemaListMin = "observer_schema_list_min_length"
	schemaListMax = "observer_schema_list_max_length"
	currentLength = "observer_schema_list_current_length"
)

// schemaOf finds the schema for an object; nil when there is none.
func schemaOf(schemas []map[string]any, object map[string]any) map[string]any {
	return find(schemas, func(s map[string]any) bool { return SameName(s, object) })
}

// appliedOf finds what was wanted of an object before; nil when it is new.
func appliedOf(applied []map[string]any, object map[string]any) map[string]any {
	return find(applied, func(a map[string]any) bool {
		return SameName(a, object) && textAt(a, "metadata", "namespace") == textAt(object, "metadata", "namespace")
	})
}

func find(list []map[string]any, is func(map[string]any) bool) map[string]any {
	if i := slices.IndexFunc(list, is); i >= 0 {
		return list[i]
	}
	return nil
}

// SameName says whether two documents are of the same object, as the reference tells them apart: without the namespace.
func SameName(a, b map[string]any) bool {
	return textAt(a, "apiVersion") == textAt(b, "apiVersion") && textAt(a, "kind") == textAt(b, "kind") &&
		textAt(a, "metadata", "name") == textAt(b, "metadata", "name")
}

// withMarks is a schema that observes our own marks as well, and nothing that a cluster assigns to name an object.
func withMarks(s map[string]any) map[string]any {
	out := maps.Clone(s)
	delete(out, "status")
	metadata := maps.Clone(mapAt(s, "metadata"))
	if metadata == nil {
		metadata = map[string]any{}
	}
	for _, field := range given {
		delete(metadata, field)
	}
	for field, marks := range map[string][]string{
		"labels": {AppUIDLabel}, "annotations": {NamespaceAnnotation, NameAnnotation, InstallationAnnotation},
	} {
		observed, some := metadata[field]
		fields, isMap := observed.(map[string]any)
		if some && !isMap {
			continue // all of them are
		}
		fields = maps.Clone(fields)
		if fields == nil {
			fields = map[string]any{}
		}
		for _, mark := range marks {
			fields[mark] = nil
		}
		metadata[field] = fields
	}
	out["metadata"] = metadata
	return out
}

// complete adds to what is wanted the fields that are observed although the manifest leaves them to the cluster: with the
// values that the cluster assigned first, which are remembered, or else those that it has now.
func complete(schema, wanted, remembered, live any) any {
	switch s := schema.(type) {
	case map[string]any:
		return completeMap(s, wanted, remembered, live)
	case []any:
		w, ok := wanted.([]any)
		if !ok {
			return wanted
		}
		out := slices.Clone(w)
		for i := range min(len(out), len(s)-1) {
			out[i] = complete(s[i], out[i], alike(remembered, i, out[i]), alike(live, i, out[i]))
		}
		return out
	default:
		for _, value := range []any{wanted, remembered, live} {
			if value != nil && (isScalar(value) || wanted != nil) {
				return value
			}
		}
		return nil
	}
}

func completeMap(s map[string]any, wanted, remembered, live any) any {
	w, isMap := wanted.(map[string]any)
	if !isMap && wanted != nil {
		return wanted
	}
	r, _ := remembered.(map[string]any)
	l, _ := live.(map[string]any)
	out := maps.Clone(w)
	for key, inner := range s {
		if v := complete(inner, w[key], r[key], l[key]); v != nil {
			if out == nil {
				out = map[string]any{}
			}
			out[key] = v
		}
	}
	if out == nil {
		return nil
	}
	return out
}

// alike is the element of another list at the same place, if it does not differ in what both say.
func alike(list any, i int, element any) any {
	others, _ := list.([]any)
	if i >= len(others) {
		return nil
	}
	fields, isMap := element.(map[string]any)
	other, alsoMap := others[i].(map[string]any)
	if !isMap || !alsoMap {
		return nil
	}
	for key, value := range fields {
		if o, both := other[key]; both && isScalar(value) && fmt.Sprint(o) != fmt.Sprint(value) {
			return nil
		}
	}
	return other
}

func isScalar(value any) bool {
	switch value.(type) {
	case nil, map[string]any, []any:
		return false
	}
	return true
}

// blend puts the live values into those wanted fields that are not observed: what others have made of them stays.
func blend(is schemaNode, wanted, live, own any) any {
	if is.observed && is.schema == nil {
		return wanted
	}
	switch w := wanted.(type) {
	case map[string]any:
		l, isMap := live.(map[string]any)
		s, _ := is.schema.(map[string]any)
		if is.observed && s == nil || !is.observed && !isMap {
			return wanted
		}
		out := make(map[string]any, len(w))
		for key, value := range w {
			out[key] = blend(schemaAt(s, key), value, l[key], fieldOf(own, key))
		}
		return out
	case []any:
		return blendList(is, w, live, own)
	}
	if !is.observed && live != nil {
		return live
	}
	return wanted
}

func blendList(is schemaNode, wanted []any, live, own any) any {
	s, _ := is.schema.([]any)
	elements := max(0, len(s)-1)
	_, isList := live.([]any)
	switch {
	case is.observed && s == nil, elements == 0 && !isList:
		return wanted
	case elements == 0 && !isKeyed(own):
		return live
	}
	out := make([]any, len(wanted))
	for i, element := range wanted {
		var inner schemaNode
		if i < elements {
			inner = schemaNode{s[i], true}
		}
		there, owned := elementOf(live, own, element)
		out[i] = blend(inner, element, there, owned)
	}
	return out
}

// owned are the values of a live object's fields that a tree names.
func owned(tree, live any) any {
	fields, _ := tree.(map[string]any)
	if isVoid(tree) {
		return live // as a whole
	}
	switch l := live.(type) {
	case map[string]any:
		var out map[string]any
		for key, value := range l {
			if inner, own := fields["f:"+key]; own {
				out = put(out, key, owned(inner, value))
			}
		}
		return orNil(out)
	case []any:
		var out []any
		for _, element := range l {
			inner := ofElement(fields, element)
			if inner == nil {
				continue
			}
			if keys := keysOf(fields, element); keys != nil {
				rest, _ := owned(inner, element).(map[string]any)
				element = merged(rest, keys)
			}
			out = append(out, element)
		}
		return listOrNil(out)
	}
	return live
}

// overlay puts what is wanted over what was set once. Of lists whose elements are known by key fields, the elements are
// those that are wanted.
func overlay(base, wanted, own any) any {
	switch w := wanted.(type) {
	case map[string]any:
		b, _ := base.(map[string]any)
		if len(b) == 0 {
			return wanted
		}
		out := maps.Clone(b)
		for key, value := range w {
			out[key] = overlay(b[key], value, fieldOf(own, key))
		}
		return out
	case []any:
		if !isKeyed(own) {
			return wanted
		}
		out := make([]any, len(w))
		for i, element := range w {
			there, inner := elementOf(base, own, element)
			out[i] = overlay(there, element, inner)
		}
		return out
	}
	return wanted
}

func fieldOf(own any, key string) any {
	tree, _ := own.(map[string]any)
	return tree["f:"+key]
}

// elementOf finds the live element of a list that has the key fields of a wanted one, and what is owned of it.
func elementOf(live, own, element any) (there, owned any) {
	tree, _ := own.(map[string]any)
	keys := keysOf(tree, element)
	if keys == nil {
		return nil, nil
	}
	list, _ := live.([]any)
	for _, l := range list {
		if fields, ok := l.(map[string]any); ok && hasAll(fields, keys) {
			return fields, ofElement(tree, element)
		}
	}
	return nil, ofElement(tree, element)
}

func hasAll(fields, want map[string]any) bool {
	for key, value := range want {
		if fmt.Sprint(fields[key]) != fmt.Sprint(value) {
			return false
		}
	}
	return true
}

// isKeyed says whether the elements of a list are known by key fields.
func isKeyed(own any) bool { return hasMark(own, "k:") }

func isSet(own any) bool { return hasMark(own, "v:") }

func hasMark(own any, mark string) bool {
	tree, _ := own.(map[string]any)
	for name := range tree {
		if strings.HasPrefix(name, mark) {
			return true
		}
	}
	return false
}

// keysOf gives the key fields of an element of a list, nil if it is not known by any.
func keysOf(tree map[string]any, element any) map[string]any {
	fields, isMap := element.(map[string]any)
	if !isMap {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		if text, keyed := strings.CutPrefix(name, "k:"); keyed && hasKeys(text, fields) {
			var keys map[string]any
			decoder := json.NewDecoder(strings.NewReader(text))
			decoder.UseNumber()
			if decoder.Decode(&keys) != nil {
				return nil
			}
			plainKeys, err := plainMap(keys)
			if err != nil {
				return nil
			}
			return plainKeys
		}
	}
	return nil
}

// A split is an object in two: what is observed of it, and the rest. Elements of lists are in both with their key fields.
type split struct {
	observed, rest map[string]any
	// whole are lists of which a part is observed, although the cluster knows them only as a whole.
	whole []string
}

// splitBy divides a form. own says which lists have key fields.
func splitBy(schema, form, own map[string]any) split {
	var s split
	observed, rest := s.fields("", schema, form, own)
	s.observed, s.rest = observed, rest
	return s
}

func (s *split) fields(path string, schema, wanted map[string]any, own any) (observed, rest map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		inner := strings.TrimPrefix(path+"."+key, ".")
		value, is := wanted[key], schemaAt(schema, key)
		switch {
		case inner == "status":
		case unowned[inner]:
			observed, rest = put(observed, key, value), put(rest, key, value)
		case !is.observed:
			rest = put(rest, key, value)
		default:
			o, r := s.value(inner, is.schema, value, fieldOf(own, key))
			if o != nil {
				observed = put(observed, key, o)
			}
			if r != nil {
				rest = put(rest, key, r)
			}
		}
	}
	return observed, rest
}

// schemaNode is what a schema has under a key: nothing, if that is not observed.
type schemaNode struct {
	schema   any
	observed bool
}

func schemaAt(schema map[string]any, key string) schemaNode {
	s, ok := schema[key]
	return schemaNode{s, ok}
}

func put(m map[string]any, key string, value any) map[string]any {
	if m == nil {
		m = map[string]any{}
	}
	m[key] = value
	return m
}

func (s *split) value(path string, schema, wanted, own any) (observed, rest any) {
	switch inner := schema.(type) {
	case map[string]any:
		if fields, ok := wanted.(map[string]any); ok {
			o, r := s.fields(path, inner, fields, own)
			return orNil(o), orNil(r)
		}
	case []any:
		if list, ok := wanted.([]any); ok {
			return s.list(path, inner[:len(inner)-1], list, own)
		}
	}
	return wanted, nil
}

func orNil(m map[string]any) any {
	if m == nil {
		return nil
	}
	return m
}

func (s *split) list(path string, elements, wanted []any, own any) (observed, rest any) {
	tree, _ := own.(map[string]any)
	switch {
	case len(elements) == 0:
		return nil, wanted // only its length is
	case isKeyed(own):
		return s.keyed(path, elements, wanted, tree)
	case isSet(own):
		n := min(len(elements), len(wanted))
		return listOrNil(wanted[:n]), listOrNil(wanted[n:])
	}
	if !covers(append(slices.Clone(elements), nil), wanted) {
		s.whole = append(s.whole, path)
	}
	return wanted, nil
}

func listOrNil(list []any) any {
	if len(list) == 0 {
		return nil
	}
	return list
}

func (s *split) keyed(path string, elements, wanted []any, own map[string]any) (observed, rest any) {
	var mine, others []any
	for i, element := range wanted {
		keys := keysOf(own, element)
		if i >= len(elements) || keys == nil {
			others = append(others, element)
			continue
		}
		o, r := s.value(fmt.Sprintf("%s[%d]", path, i), elements[i], element, ofElement(own, element))
		if fields, ok := o.(map[string]any); ok {
			mine = append(mine, merged(keys, fields))
		} else {
			mine = append(mine, keys) // that it is there is observed
		}
		if fields, ok := r.(map[string]any); ok && !subset(fields, keys) {
			others = append(others, merged(keys, fields))
		}
	}
	return listOrNil(mine), listOrNil(others)
}

func merged(a, b map[string]any) map[string]any {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

func subset(fields, of map[string]any) bool {
	for key := range fields {
		if _, ok := of[key]; !ok {
			return false
		}
	}
	return true
}

// covers says whether a schema observes all of a value.
func covers(schema, value any) bool {
	switch s := schema.(type) {
	case map[string]any:
		v, _ := value.(map[string]any)
		for key, inner := range v {
			if is := schemaAt(s, key); !is.observed || !covers(is.schema, inner) {
				return false
			}
		}
	case []any:
		v, _ := value.([]any)
		if len(v) > len(s)-1 {
			return false
		}
		for i, inner := range v {
			if !covers(s[i], inner) {
				return false
			}
		}
	}
	return true
}

// union is what is owned in one of two trees.
func union(a, b map[string]any) map[string]any {
	out := maps.Clone(a)
	for key, value := range b {
		mine, both := out[key].(map[string]any)
		theirs, isTree := value.(map[string]any)
		switch {
		case both && isTree:
			out[key] = union(mine, theirs)
		default:
			out = put(out, key, value)
		}
	}
	return out
}

// A misfit is a list on the cluster whose length is not within the bounds of the schema.
type misfit struct {
	path     string // for people
	pointer  string // of JSON
	count    int    // how many there are
	min, max int64  // max is 0 for any number
	elements []any  // as they are
	own      any    // what is ours of them
}

func (m misfit) String() string {
	if m.max > 0 && int64(m.count) > m.max {
		return fmt.Sprintf("%s has %d elements, at most %d are allowed", m.path, m.count, m.max)
	}
	return fmt.Sprintf("%s has %d elements, at least %d are wanted", m.path, m.count, m.min)
}

// misfits compares the lists of a live object with the bounds of a schema. What is not known of the object, such as the
// content of a Secret, fits.
func misfits(path, pointer string, schema, live, own any) []misfit {
	var out []misfit
	switch s := schema.(type) {
	case map[string]any:
		fields, _ := live.(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(s)) {
			if value, known := fields[key]; known {
				inner := pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
				out = append(out, misfits(strings.TrimPrefix(path+"."+key, "."), inner, s[key], value, fieldOf(own, key))...)
			}
		}
	case []any:
		list, _ := live.([]any)
		control, _ := s[len(s)-1].(map[string]any)
		m := misfit{path: path, pointer: pointer, count: len(list), elements: list, own: own,
			min: numberAt(control, 0, schemaListMin), max: numberAt(control, 0, schemaListMax)}
		if int64(m.count) < m.min || m.max > 0 && int64(m.count) > m.max {
			out = append(out, m)
		}
		for i := range min(len(s)-1, len(list)) {
			tree, _ := own.(map[string]any)
			out = append(out, misfits(fmt.Sprintf("%s[%d]", path, i), fmt.Sprintf("%s/%d", pointer, i), s[i], list[i], ofElement(tree, list[i]))...)
		}
	}
	return out
}

// surplus are the pointers of elements that a list has too many, the last one first. None of them is ours.
func (m misfit) surplus() []string {
	tree, _ := m.own.(map[string]any)
	var out []string
	for i := len(m.elements) - 1; i >= 0 && m.max > 0 && int64(len(m.elements)-len(out)) > m.max; i-- {
		if ofElement(tree, m.elements[i]) == nil {
			out = append(out, fmt.Sprintf("%s/%d", m.pointer, i))
		}
	}
	return out
}
