package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Mode says where a document comes from, and so which rules hold.
type Mode int

// The modes.
const (
	// Create reads the body of a POST: fields that the server sets are not even looked at.
	Create Mode = iota
	// Update reads the body of a PUT: what the server sets must be there, but is replaced later.
	Update
	// Stored reads what a server wrote, also an older or newer one: absent fields get their defaults.
	Stored
)

// A Decoder decodes itself from a value of the JSON tree. A returned *Errors is placed under the field's name;
// any other error becomes a message there.
type Decoder interface{ DecodeWire(v any) error }

// A StoredDecoder is a Decoder with rules about content, by which it reads what is stored leniently: the rules may be
// younger than the value, or stricter than those of the server that stored it.
type StoredDecoder interface {
	Decoder
	DecodeStored(v any) error
}

// A NullDecoder tells null from absent: it is called for an explicit null.
type NullDecoder interface{ DecodeNull() }

// An Enum is a string with a fixed set of values.
type Enum interface{ Members() []string }

// A Checker has rules beyond those of its single fields or elements. It is asked once these are well-formed; never about
// what is stored, which may be older than the rule.
type Checker interface{ CheckWire(e *Errors) }

// Decode fills into, a pointer to a struct, from a tree that Parse returned. Parts of the tree become parts of the
// result, so the caller must not use the tree again. The error is an *Errors.
func Decode(doc any, into any, mode Mode) error {
	return decode(doc, into, decoder{mode: mode})
}

// DecodeUpdate is Decode for what is to replace stored, a pointer of the same type. Rules about content are broken only
// by what the update brings: what stays as it is stored may break them, or its owner could change nothing else.
func DecodeUpdate(doc any, into, stored any) error {
	return decode(doc, into, decoder{mode: Update, stored: reflect.ValueOf(stored)})
}

func decode(doc any, into any, d decoder) error {
	if doc == nil {
		d.root.AddSchema("Invalid input type.")
		return &d.root
	}
	d.value(reflect.ValueOf(into).Elem(), doc, field{})
	return d.root.Err()
}

// Default fills into, a pointer to a struct, with the values of a document in which everything is absent.
func Default(into any) {
	d := decoder{mode: Stored}
	d.value(reflect.ValueOf(into).Elem(), map[string]any{}, field{})
}

// A decoder remembers where it is, so that nodes of the error tree are made for errors only.
type decoder struct {
	mode     Mode
	stored   reflect.Value // what an update replaces, if it is known
	root     Errors
	path     []step
	failures int
}

// A step leads one level down.
type step struct {
	kind stepKind
	key  string
}

type stepKind int

const (
	toField   stepKind = iota
	toElement          // of a list
	toEntry            // of a map; errors stand below its key and the word "value"
	toVariant          // of a polymorphic container; errors stand in the container
)

// here returns the error node of the current place and counts a failure.
func (d *decoder) here() *Errors {
	d.failures++
	e := &d.root
	for _, s := range d.path {
		switch s.kind {
		case toField, toElement:
			e = e.child(s.key, s.kind == toElement)
		case toEntry:
			e = e.At(s.key).At("value")
		case toVariant:
		}
	}
	return e
}

func (d *decoder) fail(message string) { d.here().Add(message) }

func (d *decoder) at(kind stepKind, key string, do func()) {
	d.path = append(d.path, step{kind, key})
	do()
	d.path = d.path[:len(d.path)-1]
}

// unchanged says whether the value of the current place is stored there, too; in a list, at any place.
func (d *decoder) unchanged(v reflect.Value) bool {
	return d.stored.IsValid() && holds(d.stored, d.path, v)
}

func holds(stored reflect.Value, path []step, v reflect.Value) bool {
	if stored.Kind() == reflect.Pointer {
		return !stored.IsNil() && holds(stored.Elem(), path, v)
	}
	if len(path) == 0 {
		return equal(stored, v)
	}
	key, rest := path[0].key, path[1:]
	switch stored.Kind() {
	case reflect.Struct:
		f, known := structureOf(stored.Type()).lookup(key)
		return known && holds(stored.FieldByIndex(f.index), rest, v)
	case reflect.Slice:
		for i := range stored.Len() {
			if holds(stored.Index(i), rest, v) {
				return true
			}
		}
	case reflect.Map:
		entry := stored.MapIndex(reflect.ValueOf(key).Convert(stored.Type().Key()))
		return entry.IsValid() && holds(entry, rest, v)
	}
	return false
}

func (d *decoder) value(v reflect.Value, raw any, f field) {
	if v.Kind() == reflect.Pointer {
		if raw == nil {
			v.SetZero()
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		d.value(v.Elem(), raw, f)
		return
	}
	if raw == nil {
		d.null(v, f)
		return
	}
	if dec, ok := v.Addr().Interface().(Decoder); ok {
		d.custom(v, dec, raw)
		return
	}
	if en, ok := v.Interface().(Enum); ok {
		d.enum(v, en, raw)
		return
	}
	before := d.failures
	d.plain(v, raw)
	if d.mode != Stored && d.failures == before {
		d.check(v)
	}
}

// plain decodes a value whose type leaves that to the decoder.
func (d *decoder) plain(v reflect.Value, raw any) {
	switch v.Kind() {
	case reflect.Struct:
		d.structure(v, raw)
	case reflect.Slice:
		d.list(v, raw)
	case reflect.Map:
		d.mapping(v, raw)
	case reflect.Interface:
		v.Set(reflect.ValueOf(raw))
	default:
		d.scalar(v, raw)
	}
}

func (d *decoder) check(v reflect.Value) {
	c, ok := v.Addr().Interface().(Checker)
	if !ok {
		return
	}
	found := &Errors{}
	c.CheckWire(found)
	if !found.Empty() && !d.unchanged(v) {
		*d.here() = *found
	}
}

func (d *decoder) null(v reflect.Value, f field) {
	if n, ok := v.Addr().Interface().(NullDecoder); ok {
		n.DecodeNull()
		return
	}
	switch {
	case f.null:
		v.SetZero()
	case f.added || d.mode == Stored:
		d.absent(v, f)
	case v.Kind() == reflect.Interface:
		v.SetZero()
	default:
		d.fail("Field may not be null.")
	}
}

func (d *decoder) custom(v reflect.Value, dec Decoder, raw any) {
	switch err := d.decodeItself(v, dec, raw).(type) {
	case nil:
	case *Errors:
		*d.here() = *err
	default:
		d.fail(err.Error())
	}
}

func (d *decoder) decodeItself(v reflect.Value, dec Decoder, raw any) error {
	lenient, ok := dec.(StoredDecoder)
	if ok && d.mode == Stored {
		return lenient.DecodeStored(raw)
	}
	err := dec.DecodeWire(raw)
	if err != nil && ok && lenient.DecodeStored(raw) == nil && d.unchanged(v) {
		return nil
	}
	return err
}

func (d *decoder) enum(v reflect.Value, en Enum, raw any) {
	s, ok := raw.(string)
	switch {
	case !ok:
		d.fail("Enum name must be string")
	case s == "" && d.mode == Stored, slices.Contains(en.Members(), s): // empty: absent when it was stored
		v.SetString(s)
	default:
		d.fail("Invalid enum member " + s)
	}
}

func (d *decoder) structure(v reflect.Value, raw any) {
	m, ok := raw.(map[string]any)
	if !ok {
		d.here().AddSchema("Invalid input type.")
		return
	}
	before := d.failures
	s := structureOf(v.Type())
	for i := range s.fields {
		if f := &s.fields[i]; !f.variant {
			d.field(v.FieldByIndex(f.index), m, f)
		}
	}
	if s.container && d.failures == before {
		d.variant(v, s, m)
	}
}

func (d *decoder) field(v reflect.Value, m map[string]any, f *field) {
	raw, present := m[f.name]
	ignored := d.mode != Stored && f.server || d.mode == Create && (f.readOnly || f.sub)
	if ignored {
		d.absent(v, *f)
		return
	}
	if present {
		d.at(toField, f.name, func() { d.value(v, raw, *f) })
		return
	}
	if f.required && d.mode != Stored || f.sub && !f.added && d.mode == Update {
		d.at(toField, f.name, func() { d.fail("Missing data for required field.") })
		return
	}
	d.absent(v, *f)
}

// variant decodes the one alternative that the discriminator names. Its errors surface beside the discriminator, not
// below the alternative's name.
func (d *decoder) variant(v reflect.Value, s *structure, m map[string]any) {
	name, _ := m["type"].(string)
	f, ok := s.lookup(name)
	if !ok || !f.variant {
		if d.mode != Stored {
			d.here().At("type").Add("Unknown type " + quote(name))
		}
		return
	}
	raw, present := m[name]
	switch {
	case !present:
		d.here().At(name).Add("Field is required")
	case raw == nil:
		d.here().AddSchema("Invalid input type.")
	default:
		d.at(toVariant, name, func() { d.value(v.FieldByIndex(f.index), raw, f) })
	}
}

// absent gives a field its default: the tag's, else an empty list or map, else null or zero.
func (d *decoder) absent(v reflect.Value, f field) {
	v.SetZero()
	switch {
	case f.null:
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	case v.Kind() == reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
	case v.Kind() == reflect.Struct:
		for _, inner := range structureOf(v.Type()).fields {
			d.absent(v.FieldByIndex(inner.index), inner)
		}
	case f.fallback != "":
		d.scalar(v, f.fallback)
	}
}

func (d *decoder) list(v reflect.Value, raw any) {
	items, ok := raw.([]any)
	if !ok {
		d.fail("Not a valid list.")
		return
	}
	out := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		d.at(toElement, strconv.Itoa(i), func() { d.element(out.Index(i), item) })
	}
	v.Set(out)
}

// element decodes an element of a list, which is never null: for what is stored, too, there is no default to take.
func (d *decoder) element(v reflect.Value, raw any) {
	if raw == nil {
		d.fail("Field may not be null.")
		return
	}
	d.value(v, raw, field{})
}

func (d *decoder) mapping(v reflect.Value, raw any) {
	m, ok := raw.(map[string]any)
	if !ok {
		d.fail("Not a valid mapping type.")
		return
	}
	elem := v.Type().Elem()
	if elem.Kind() == reflect.Interface {
		v.Set(reflect.ValueOf(m).Convert(v.Type()))
		if d.mode != Stored && !Finite(m) && !d.unchanged(v) {
			d.fail(notFinite)
		}
		return
	}
	out := reflect.MakeMapWithSize(v.Type(), len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		value := reflect.New(elem).Elem()
		d.at(toEntry, key, func() { d.value(value, m[key], field{}) })
		out.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), value)
	}
	v.Set(out)
}

func (d *decoder) scalar(v reflect.Value, raw any) {
	switch v.Kind() {
	case reflect.String:
		s, ok := raw.(string)
		if !ok {
			d.fail("Not a valid string.")
			return
		}
		v.SetString(s)
	case reflect.Int, reflect.Int64:
		i, ok := integer(raw)
		if !ok {
			d.fail("Not a valid integer.")
			return
		}
		v.SetInt(i)
	case reflect.Float64:
		f, problem := float(raw)
		if problem != "" {
			d.fail(problem)
			return
		}
		v.SetFloat(f)
	case reflect.Bool:
		b, ok := boolean(raw)
		if !ok {
			d.fail("Not a valid boolean.")
			return
		}
		v.SetBool(b)
	default:
		panic(fmt.Sprintf("wire: cannot decode into %s", v.Type()))
	}
}

// integer accepts whole numbers, floats cut toward zero, and texts of whole numbers, but no booleans.
func integer(raw any) (int64, bool) {
	switch n := raw.(type) {
	case int64:
		return n, true
	case float64:
		if math.Abs(n) >= 1<<63 {
			return 0, false
		}
		return int64(n), true
	case string:
		i, err := strconv.ParseInt(strings.TrimSpace(n), 10, 64)
		return i, err == nil
	}
	return 0, false
}

// float accepts numbers and texts of decimal numbers, if finite.
func float(raw any) (float64, string) {
	switch n := raw.(type) {
	case int64:
		return float64(n), ""
	case float64:
		return n, ""
	case json.Number: // beyond 64 bits
		return floatText(string(n))
	case string:
		return floatText(strings.TrimSpace(n))
	}
	return 0, "Not a valid number."
}

const notFinite = "Special numeric values (nan or infinity) are not permitted."

func floatText(s string) (float64, string) {
	f, err := strconv.ParseFloat(s, 64) // what is out of range gives an infinity
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange), strings.ContainsAny(s, "xX"):
		return 0, "Not a valid number."
	case math.IsNaN(f) || math.IsInf(f, 0):
		return 0, notFinite
	}
	return f, ""
}

var (
	truthy = []string{"t", "T", "true", "True", "TRUE", "on", "On", "ON", "y", "Y", "yes", "Yes", "YES", "1"}
	falsy  = []string{"f", "F", "false", "False", "FALSE", "off", "Off", "OFF", "n", "N", "no", "No", "NO", "0"}
)

func boolean(raw any) (value, ok bool) {
	switch b := raw.(type) {
	case bool:
		return b, true
	case int64:
		return b == 1, b == 0 || b == 1
	case string:
		return slices.Contains(truthy, b), slices.Contains(truthy, b) || slices.Contains(falsy, b)
	}
	return false, false
}
