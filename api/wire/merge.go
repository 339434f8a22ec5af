package wire

import (
	"encoding/json"
	"maps"
	"reflect"
)

// Patch applies a merge patch (RFC 7396) to a tree and returns the result; target may be changed.
func Patch(target, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	t, ok := target.(map[string]any)
	if !ok {
		t = map[string]any{}
	}
	for key, value := range p {
		if value == nil {
			delete(t, key)
			continue
		}
		t[key] = Patch(t[key], value)
	}
	return t
}

// KeepAdded copies into doc, the tree of an update, the stored values of added fields that it does not mention:
// clients that do not know a field must not erase it. Objects inside lists and maps are replaced whole and have no
// such memory.
func KeepAdded(doc any, stored any) {
	keepAdded(doc, reflect.ValueOf(stored))
}

func keepAdded(doc any, stored reflect.Value) {
	if stored.Kind() == reflect.Pointer {
		if stored.IsNil() {
			return
		}
		stored = stored.Elem()
	}
	m, ok := doc.(map[string]any)
	if !ok || stored.Kind() != reflect.Struct || isLeaf(stored) {
		return
	}
	for _, f := range structureOf(stored.Type()).fields {
		value := stored.FieldByIndex(f.index)
		inner, present := m[f.name]
		switch {
		case present:
			keepAdded(inner, value)
		case f.added:
			if tree, err := Tree(value.Interface()); err == nil {
				m[f.name] = tree
			}
		}
	}
}

// HasUnknown says whether a stored tree has keys that the type of like does not know.
func HasUnknown(stored any, like any) bool {
	return keepUnknown(map[string]any{}, stored, reflect.TypeOf(like))
}

// KeepUnknown adds to doc, the encoded successor of the stored tree, the keys of that tree that the type of like does not
// know: they were written by a newer version and are not ours to drop.
func KeepUnknown(doc []byte, stored any, like any) ([]byte, error) {
	t := reflect.TypeOf(like)
	tree, err := Parse(doc)
	if err != nil {
		return nil, err
	}
	keepUnknown(tree, stored, t)
	return json.Marshal(tree)
}

// keepUnknown copies into doc and says whether there was anything to copy.
func keepUnknown(doc, stored any, t reflect.Type) bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	s, ok := stored.(map[string]any)
	if !ok || t.Kind() != reflect.Struct || isLeaf(reflect.New(t).Elem()) {
		return false
	}
	d, _ := doc.(map[string]any)
	st := structureOf(t)
	found := false
	for key, value := range s {
		if f, known := st.lookup(key); known {
			found = keepUnknown(d[key], value, f.typ) || found
			continue
		}
		if st.container {
			continue // data of another type is dropped, as on the wire
		}
		found = true
		if d != nil {
			d[key] = value
		}
	}
	return found
}

// Inherit sets in next, a decoded update, the values that a client cannot set from stored: read-only fields and, unless
// sub is true, sub-resources. With sub, everything but the sub-resources is inherited. It returns the name of the first
// immutable field that differs, empty when there is none.
func Inherit(next, stored any, sub bool) (changed string) {
	return inherit(reflect.ValueOf(next).Elem(), reflect.ValueOf(stored).Elem(), sub)
}

func inherit(next, stored reflect.Value, sub bool) string {
	st := structureOf(next.Type())
	for _, f := range st.fields {
		n, s := next.FieldByIndex(f.index), stored.FieldByIndex(f.index)
		switch {
		case f.readOnly || f.server:
			n.Set(s)
		case f.fixed && !sub:
			if !Equal(n.Interface(), s.Interface()) {
				return f.name
			}
		case st.resource && f.sub != sub:
			n.Set(s)
		case n.Kind() == reflect.Struct && !isLeaf(n):
			if changed := inherit(n, s, false); changed != "" {
				return changed
			}
		}
	}
	return ""
}

// isLeaf says whether a struct decodes itself and so is one value to the wire.
func isLeaf(v reflect.Value) bool {
	_, ok := reflect.New(v.Type()).Interface().(Decoder)
	return ok
}

// Equal compares two values of the same type as the wire does: an absent list equals an empty one unless it may be null,
// types with an Equal method (times, constraints) decide for themselves, and what the server computes does not count.
func Equal(a, b any) bool {
	return equal(reflect.ValueOf(a), reflect.ValueOf(b))
}

func equal(a, b reflect.Value) bool {
	if !a.IsValid() || !b.IsValid() || a.Type() != b.Type() {
		return a.IsValid() == b.IsValid() && !a.IsValid()
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return equal(a.Elem(), b.Elem())
	case reflect.Struct:
		return equalStruct(a, b)
	case reflect.Slice:
		return equalList(a, b)
	case reflect.Map:
		return equalMap(a, b)
	default:
		return a.Equal(b)
	}
}

func equalStruct(a, b reflect.Value) bool {
	if m := a.MethodByName("Equal"); m.IsValid() && m.Type().NumIn() == 1 && m.Type().In(0) == a.Type() {
		return m.Call([]reflect.Value{b})[0].Bool()
	}
	for _, f := range structureOf(a.Type()).fields {
		if !f.server && !equalField(f, a.FieldByIndex(f.index), b.FieldByIndex(f.index)) {
			return false
		}
	}
	return true
}

func equalField(f field, a, b reflect.Value) bool {
	if f.null && a.IsNil() != b.IsNil() {
		return false
	}
	return equal(a, b)
}

func equalList(a, b reflect.Value) bool {
	if a.Len() != b.Len() {
		return false
	}
	for i := range a.Len() {
		if !equal(a.Index(i), b.Index(i)) {
			return false
		}
	}
	return true
}

func equalMap(a, b reflect.Value) bool {
	if a.Len() != b.Len() {
		return false
	}
	for it := a.MapRange(); it.Next(); {
		other := b.MapIndex(it.Key())
		if !other.IsValid() || !equal(it.Value(), other) {
			return false
		}
	}
	return true
}

// EqualBody compares what two resources ask for: everything but their metadata and sub-resources.
func EqualBody(a, b any) bool {
	x, y := reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem()
	for _, f := range structureOf(x.Type()).fields {
		if f.name == "metadata" || f.name == "api" || f.name == "kind" || f.sub {
			continue
		}
		if !equal(x.FieldByIndex(f.index), y.FieldByIndex(f.index)) {
			return false
		}
	}
	return true
}

// Clone copies a tree that Parse returned.
func Clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := maps.Clone(v)
		for k, e := range out {
			out[k] = Clone(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = Clone(e)
		}
		return out
	default:
		return v
	}
}

// Into decodes what a Krake server wrote: the client's and the store's way in.
func Into(data []byte, into any) error {
	doc, err := Parse(data)
	if err != nil {
		return err
	}
	return Decode(doc, into, Stored)
}
