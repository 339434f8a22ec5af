package wire

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// A field is what the decoder knows about one struct field.
type field struct {
	name     string
	index    []int
	typ      reflect.Type
	required bool
	null     bool
	readOnly bool
	fixed    bool
	sub      bool
	added    bool
	server   bool
	fallback string
	variant  bool // one of the alternatives of a polymorphic container
}

// A structure is the compiled form of a struct type.
type structure struct {
	typ       reflect.Type
	fields    []field
	byName    map[string]int
	container bool // polymorphic: a discriminator "type" and one sibling named like its value
	resource  bool // has metadata: the only place where sub-resources stand
}

var structures sync.Map // reflect.Type → *structure

func structureOf(t reflect.Type) *structure {
	if s, ok := structures.Load(t); ok {
		return s.(*structure)
	}
	s := &structure{typ: t, byName: map[string]int{}}
	s.collect(t, nil)
	_, s.resource = s.byName["metadata"]
	actual, _ := structures.LoadOrStore(t, s)
	return actual.(*structure)
}

func (s *structure) collect(t reflect.Type, prefix []int) {
	for i := range t.NumField() {
		sf := t.Field(i)
		index := append(slices.Clone(prefix), i)
		if sf.Anonymous && sf.Type.Kind() == reflect.Struct && sf.Tag.Get("json") == "" {
			s.collect(sf.Type, index)
			continue
		}
		name, _, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if !sf.IsExported() || name == "-" || name == "" {
			continue
		}
		f := field{name: name, index: index, typ: sf.Type}
		for _, rule := range strings.Split(sf.Tag.Get("wire"), ",") {
			s.apply(&f, rule)
		}
		s.byName[name] = len(s.fields)
		s.fields = append(s.fields, f)
	}
}

func (s *structure) apply(f *field, rule string) {
	key, value, _ := strings.Cut(rule, "=")
	switch key {
	case "":
	case "required":
		f.required = true
	case "null":
		f.null = true
	case "default":
		f.fallback = value
	case "ro":
		f.readOnly = true
	case "im":
		f.fixed = true
	case "sub":
		f.sub = true
	case "added":
		f.added = true
	case "server":
		f.added, f.server = true, true
	case "discriminator":
		f.required = true
		s.container = true
	case "variant":
		f.variant = true
	default:
		panic(fmt.Sprintf("wire: %s.%s: unknown rule %q", s.typ, f.name, rule))
	}
}

func (s *structure) lookup(name string) (field, bool) {
	i, ok := s.byName[name]
	if !ok {
		return field{}, false
	}
	return s.fields[i], true
}
