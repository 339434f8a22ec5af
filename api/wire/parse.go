package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Parse reads exactly one JSON document. Numbers become int64 or float64 where that loses nothing, and stay json.Number
// otherwise; a whole number is an int64 however it was written, so that 1 and 1.0 are the same value.
// Of duplicate keys the last one wins.
func Parse(data []byte) (any, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("not valid UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var doc any
	if err := dec.Decode(&doc); err != nil {
		return nil, fmt.Errorf("not a JSON document: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON document")
	}
	return plain(doc), nil
}

// plain replaces the json.Numbers in a freshly parsed tree, in place.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			switch e.(type) {
			case string, bool, nil: // nothing inside
			default:
				v[k] = plain(e)
			}
		}
	case []any:
		for i, e := range v {
			v[i] = plain(e)
		}
	case json.Number:
		return number(v)
	}
	return v
}

func number(n json.Number) any {
	text := string(n)
	if !strings.ContainsAny(text, ".eE") {
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			return i
		}
		return n
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return n
	}
	if i := int64(f); float64(i) == f && math.Abs(f) < 1<<53 {
		return i
	}
	return f
}

// Tree gives the JSON tree of a value, in the form that Parse returns.
func Tree(v any) (any, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return Parse(data)
}
