package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Object is a JSON object that keeps the order of its keys. Its values, like all in this package, are *Object, []any,
// string, json.Number, bool or nil.
type Object struct {
	keys   []string
	values map[string]any
}

// New returns an object of keys and values in turn.
func New(pairs ...any) *Object {
	o := &Object{values: map[string]any{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		o.Set(pairs[i].(string), pairs[i+1])
	}
	return o
}

// Keys returns the keys in order. The slice must not be changed.
func (o *Object) Keys() []string { return o.keys }

// Len is the number of keys.
func (o *Object) Len() int { return len(o.keys) }

// Get returns the value of a key, nil when there is none. A nil object has no keys.
func (o *Object) Get(key string) any {
	if o == nil {
		return nil
	}
	return o.values[key]
}

// Has says whether there is a key.
func (o *Object) Has(key string) bool {
	_, ok := o.values[key]
	return ok
}

// Set gives a key a value; a new key comes last.
func (o *Object) Set(key string, value any) {
	if !o.Has(key) {
		o.keys = append(o.keys, key)
	}
	o.values[key] = value
}

// Sorted returns the keys in the order of their characters.
func (o *Object) Sorted() []string { return slices.Sorted(slices.Values(o.keys)) }

// At follows keys from a value through objects; nil where the way ends.
func At(v any, path ...string) any {
	for _, key := range path {
		o, ok := v.(*Object)
		if !ok {
			return nil
		}
		v = o.Get(key)
	}
	return v
}

// Text follows keys to a text; empty where there is none.
func Text(v any, path ...string) string {
	s, _ := At(v, path...).(string)
	return s
}

// List follows keys to a list; nil where there is none.
func List(v any, path ...string) []any {
	l, _ := At(v, path...).([]any)
	return l
}

// Put sets the value at the end of a path and makes the objects on the way that lack.
func Put(o *Object, value any, path ...string) {
	for _, key := range path[:len(path)-1] {
		next, ok := o.Get(key).(*Object)
		if !ok {
			next = New()
			o.Set(key, next)
		}
		o = next
	}
	o.Set(path[len(path)-1], value)
}

// Parse reads one JSON document.
func Parse(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	v, err := parse(dec)
	if err != nil {
		return nil, fmt.Errorf("not a JSON document: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON document")
	}
	return v, nil
}

func parse(dec *json.Decoder) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return parseObject(dec)
	case json.Delim('['):
		return parseList(dec)
	default:
		return token, nil
	}
}

func parseObject(dec *json.Decoder) (any, error) {
	o := New()
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		value, err := parse(dec)
		if err != nil {
			return nil, err
		}
		o.Set(key.(string), value)
	}
	_, err := dec.Token()
	return o, err
}

func parseList(dec *json.Decoder) (any, error) {
	list := []any{}
	for dec.More() {
		value, err := parse(dec)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	_, err := dec.Token()
	return list, err
}

// MarshalJSON writes the object with its keys in order.
func (o *Object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, key := range o.keys {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(o.values[key])
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Of gives any value in the form of this package.
func Of(v any) (any, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return Parse(data)
}
