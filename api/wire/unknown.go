package wire

import (
	"maps"
	"reflect"
	"slices"

	"github.com/rak-n-rok/krake/internal/suggest"
)

// Unknown says which keys of a tree the type of like, a pointer to a struct, has no field for, nil if there are none. Free
// objects may have any. The decoder drops such keys, as the reference does; who wants to be told of typing errors asks here
// first. The error is an *Errors.
func Unknown(doc any, like any) error {
	errs := &Errors{}
	unknown(doc, reflect.TypeOf(like), errs)
	return errs.Err()
}

func unknown(doc any, t reflect.Type, e *Errors) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if _, itself := reflect.New(t).Interface().(Decoder); itself {
		return
	}
	switch doc := doc.(type) {
	case map[string]any:
		switch t.Kind() {
		case reflect.Struct:
			unknownFields(doc, structureOf(t), e)
		case reflect.Map:
			for _, key := range slices.Sorted(maps.Keys(doc)) {
				unknown(doc[key], t.Elem(), e.At(key).At("value"))
			}
		}
	case []any:
		if t.Kind() == reflect.Slice {
			for i, element := range doc {
				unknown(element, t.Elem(), e.Index(i))
			}
		}
	}
}

func unknownFields(doc map[string]any, s *structure, e *Errors) {
	for _, key := range slices.Sorted(maps.Keys(doc)) {
		f, known := s.lookup(key)
		switch {
		case !known:
			e.At(key).Add(unknownField(key, s))
		case f.variant && doc["type"] != key:
			e.At(key).Add("Unknown field, for the type is another one.")
		case f.variant:
			unknown(doc[key], f.typ, e) // as for other errors, the key is not part of the path
		default:
			unknown(doc[key], f.typ, e.At(key))
		}
	}
}

func unknownField(key string, s *structure) string {
	if meant := suggest.Nearest(key, slices.Sorted(maps.Keys(s.byName))); meant != "" {
		return "Unknown field. Did you mean " + quote(meant) + "?"
	}
	return "Unknown field."
}
