package closed

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
)

// A schema says which values an old client accepts, and which of their keys it knows.
type schema interface {
	check(v any) error
	strip(v any) any
}

// Known says whether the reference had this kind of document.
func Known(kind string) bool {
	_, ok := documents[kind]
	return ok
}

// Check reads a document as an old client does and returns what it stumbles over. Beside the kinds of resources there
// are their lists (ApplicationList), the lines of a watch (ApplicationEvent), and problem documents (Problem).
func Check(kind string, document []byte) error {
	s, ok := documents[kind]
	if !ok {
		return fmt.Errorf("the reference has no %s", kind)
	}
	v, err := parse(document)
	if err != nil {
		return err
	}
	if err := s.check(v); err != nil {
		return fmt.Errorf("%s%w", kind, err)
	}
	return nil
}

// Strip returns what is left of a document after an old client has read it: the keys that it knows.
func Strip(kind string, document []byte) ([]byte, error) {
	s, ok := documents[kind]
	if !ok {
		return nil, fmt.Errorf("the reference has no %s", kind)
	}
	v, err := parse(document)
	if err != nil {
		return nil, err
	}
	return json.Marshal(s.strip(v))
}

func parse(document []byte) (v any, err error) {
	dec := json.NewDecoder(bytes.NewReader(document))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("no JSON: %w", err)
	}
	if dec.More() {
		return nil, fmt.Errorf("more than one JSON document: %s", document)
	}
	return v, nil
}

// A value is a schema without keys of its own.
type value struct {
	name string
	ok   func(v any) bool
}

func (s value) check(v any) error {
	if !s.ok(v) {
		return fmt.Errorf(": %s is no %s", show(v), s.name)
	}
	return nil
}

func (s value) strip(v any) any { return v }

func show(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

var (
	str     = value{"string", isString}
	boolean = value{"boolean", func(v any) bool { _, ok := v.(bool); return ok }}
	number  = value{"number", func(v any) bool { _, ok := v.(json.Number); return ok }}
	integer = value{"integer", func(v any) bool {
		n, ok := v.(json.Number)
		if !ok {
			return false
		}
		_, err := strconv.ParseInt(string(n), 10, 64)
		return err == nil
	}}
	object   = value{"object", func(v any) bool { _, ok := v.(map[string]any); return ok }}
	name     = matching("name", `\w|(\w[\w\-_.:]{0,253}\w)`)
	datetime = matching("time", `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?([+-]\d\d:\d\d)?`)
	labelKey = matching("label key", `((\w|(\w[\w\-_.]{0,251}\w))/)?(\w|(\w[\w\-_.]{0,61}\w))`)
	labelVal = matching("label value", `\w|(\w[\w\-_.]{0,61}\w)`)
)

func isString(v any) bool {
	_, ok := v.(string)
	return ok
}

func matching(what, pattern string) value {
	whole := regexp.MustCompile(`\A(?:` + pattern + `)\z`)
	return value{what, func(v any) bool {
		s, ok := v.(string)
		return ok && whole.MatchString(s)
	}}
}

// oneOf is an enum, or a constant.
func oneOf(members ...string) value {
	return value{fmt.Sprintf("one of %v", members), func(v any) bool {
		s, ok := v.(string)
		return ok && slices.Contains(members, s)
	}}
}

// either is a value of one of two types without known keys.
func either(a, b value) value {
	return value{a.name + " or " + b.name, func(v any) bool { return a.ok(v) || b.ok(v) }}
}

// nullable accepts null, too.
type nullable struct{ schema }

func (s nullable) check(v any) error {
	if v == nil {
		return nil
	}
	return s.schema.check(v)
}

func (s nullable) strip(v any) any {
	if v == nil {
		return nil
	}
	return s.schema.strip(v)
}

type list struct{ element schema }

func (s list) check(v any) error {
	items, ok := v.([]any)
	if !ok {
		return fmt.Errorf(": %s is no list", show(v))
	}
	for i, item := range items {
		if err := s.element.check(item); err != nil {
			return fmt.Errorf("[%d]%w", i, err)
		}
	}
	return nil
}

func (s list) strip(v any) any {
	out := []any{}
	for _, item := range v.([]any) {
		out = append(out, s.element.strip(item))
	}
	return out
}

// dict is an object whose keys are data.
type dict struct{ key, element schema }

func (s dict) check(v any) error {
	m, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf(": %s is no object", show(v))
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if err := s.key.check(key); err != nil {
			return err
		}
		if err := s.element.check(m[key]); err != nil {
			return fmt.Errorf("[%s]%w", key, err)
		}
	}
	return nil
}

func (s dict) strip(v any) any {
	out := map[string]any{}
	for key, element := range v.(map[string]any) {
		out[key] = s.element.strip(element)
	}
	return out
}

// model is an object whose keys are fields. All of them are there.
type model map[string]schema

func (s model) check(v any) error {
	m, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf(": %s is no object", show(v))
	}
	for _, key := range slices.Sorted(maps.Keys(s)) {
		value, present := m[key]
		if !present {
			return fmt.Errorf(".%s is missing", key)
		}
		if err := s[key].check(value); err != nil {
			return fmt.Errorf(".%s%w", key, err)
		}
	}
	return nil
}

func (s model) strip(v any) any {
	out := map[string]any{}
	for key, field := range s {
		if value, present := v.(map[string]any)[key]; present {
			out[key] = field.strip(value)
		}
	}
	return out
}

// container is an object whose key type names the one other key that it has.
type container map[string]schema

func (s container) check(v any) error {
	m, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf(": %s is no object", show(v))
	}
	kind, _ := m["type"].(string)
	inner, ok := s[kind]
	if !ok {
		return fmt.Errorf(".type: %s is unknown", show(m["type"]))
	}
	value, present := m[kind]
	if !present {
		return fmt.Errorf(".%s is missing", kind)
	}
	if err := inner.check(value); err != nil {
		return fmt.Errorf(".%s%w", kind, err)
	}
	return nil
}

func (s container) strip(v any) any {
	m := v.(map[string]any)
	kind := m["type"].(string)
	return map[string]any{"type": kind, kind: s[kind].strip(m[kind])}
}
