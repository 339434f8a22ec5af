package openapi

import (
	_ "embed"
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/constraint"
	"github.com/rak-n-rok/krake/api/wire"
)

//go:embed descriptions.json
var descriptionsFile []byte

// descriptions are the comments on types and fields.
var descriptions = func() map[string]string {
	out := map[string]string{}
	if err := json.Unmarshal(descriptionsFile, &out); err != nil {
		panic(err) // it is part of the program
	}
	return out
}()

// object is a JSON object of the document.
type object = map[string]any

// ownForms are the types that decode themselves.
var ownForms = map[reflect.Type]object{
	reflect.TypeFor[api.Time]():          {"type": "string", "description": "A time such as 2026-11-22T09:30:21.851661+00:00."},
	reflect.TypeFor[api.Labels]():        {"type": "object", "additionalProperties": object{"type": "string"}},
	reflect.TypeFor[constraint.Label]():  {"type": "string", "description": "A label constraint such as location is DE."},
	reflect.TypeFor[constraint.Metric](): {"type": "string", "description": "A metric constraint such as load < 0.5."},
	reflect.TypeFor[api.Manifest]():      {"type": "array", "items": object{"type": "object"}, "description": "Kubernetes objects."},
	reflect.TypeFor[api.ToscaSource]():   {"type": []string{"object", "string"}, "description": "A TOSCA template, or the URL of one."},
	reflect.TypeFor[api.Kubeconfig]():    {"type": "object", "description": "A kubeconfig file with exactly one context, user and cluster, and all certificates and tokens in it."},
}

// schemas collects the schemas of structs by the names of their types.
type schemas map[string]any

// of returns the schema of a type, a reference for a struct with a name.
func (s schemas) of(t reflect.Type) object {
	if t.Kind() == reflect.Pointer {
		return nullable(s.of(t.Elem()))
	}
	if form, ok := ownForms[t]; ok {
		return form
	}
	if t == reflect.TypeFor[api.Expectation]() {
		return nullable(s.of(reflect.TypeFor[api.ResourceRef]()))
	}
	if e, ok := reflect.Zero(t).Interface().(wire.Enum); ok && t.Kind() == reflect.String {
		return object{"type": "string", "enum": e.Members()}
	}
	switch t.Kind() {
	case reflect.Struct:
		if t.Name() == "" {
			return s.structure(t)
		}
		if _, known := s[t.Name()]; !known {
			s[t.Name()] = nil // it may contain itself
			s[t.Name()] = s.structure(t)
		}
		return object{"$ref": "#/components/schemas/" + t.Name()}
	case reflect.Slice:
		if t == reflect.TypeFor[json.RawMessage]() {
			return object{}
		}
		return object{"type": "array", "items": s.of(t.Elem())}
	case reflect.Map:
		if t.Elem().Kind() == reflect.Interface {
			return object{"type": "object"}
		}
		return object{"type": "object", "additionalProperties": s.of(t.Elem())}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Float64:
		return object{"type": "number"}
	default:
		return object{}
	}
}

func (s schemas) structure(t reflect.Type) object {
	properties, required, variants := object{}, []string{}, []string{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || name == "" || name == "-" {
			continue
		}
		rules := strings.Split(f.Tag.Get("wire"), ",")
		property := s.property(t, f, rules)
		properties[name] = property
		switch {
		case slices.Contains(rules, "variant"):
			variants = append(variants, name)
		case slices.Contains(rules, "discriminator"), slices.Contains(rules, "required") && !slices.Contains(rules, "ro"):
			required = append(required, name)
		}
	}
	if len(variants) > 0 {
		properties["type"] = object{"type": "string", "enum": variants, "description": "Which of the other fields counts."}
	}
	out := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		out["required"] = required
	}
	if text := descriptions[t.Name()]; text != "" {
		out["description"] = text
	}
	return out
}

// property is the schema of a field, with what its tags and comments say.
func (s schemas) property(owner reflect.Type, f reflect.StructField, rules []string) object {
	schema := s.of(f.Type)
	if slices.Contains(rules, "variant") {
		schema = s.of(f.Type.Elem())
	}
	if slices.Contains(rules, "null") {
		schema = nullable(schema)
	}
	out := object{}
	for key, value := range schema {
		out[key] = value
	}
	text := inJSON(owner, descriptions[owner.Name()+"."+f.Name])
	for _, rule := range rules {
		key, value, _ := strings.Cut(rule, "=")
		switch key {
		case "ro", "server":
			out["readOnly"] = true
		case "im":
			text = strings.TrimSpace(text + " Cannot be changed.")
		case "added":
			text = strings.TrimSpace(text + " Added to the interface of the Python Krake.")
		case "default":
			out["default"] = defaultOf(f.Type, value)
		}
	}
	if text != "" {
		out["description"] = text
	}
	return out
}

// inJSON replaces the names that fields have in Go by those that they have in JSON.
func inJSON(owner reflect.Type, text string) string {
	for _, f := range reflect.VisibleFields(owner) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && strings.Contains(text, f.Name) {
			text = regexp.MustCompile(`\b`+f.Name+`\b`).ReplaceAllString(text, name)
		}
	}
	return text
}

// defaultOf is the value that a default in a tag stands for.
func defaultOf(t reflect.Type, text string) any {
	if t.Kind() == reflect.String {
		return text
	}
	return json.RawMessage(text)
}

// nullable accepts null, too.
func nullable(schema object) object {
	if one, ok := schema["type"].(string); ok && schema["enum"] == nil {
		out := object{}
		for key, value := range schema {
			out[key] = value
		}
		out["type"] = []string{one, "null"}
		return out
	}
	return object{"anyOf": []any{schema, object{"type": "null"}}}
}
