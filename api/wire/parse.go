package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// How deep documents may be nested. A reader in Python ends at about a thousand levels, and copies of an object take
// several frames for each; encoding/json ends at ten thousand, and a list or an event adds levels of its own. So what
// a request brings stays far below what is read, and what is read can always be passed on.
const (
	maxDepth        = 1000
	maxRequestDepth = 300
)

// Parse reads exactly one JSON document. Numbers become int64 or float64 where that loses nothing, and stay json.Number
// otherwise; a whole number is an int64 however it was written, so that 1 and 1.0 are the same value.
// Of duplicate keys the last one wins.
//
// Python writes and reads NaN and Infinity, which JSON does not have. Here they become numbers beyond every range, which
// the fields of a request refuse.
func Parse(data []byte) (any, error) {
	switch {
	case !utf8.Valid(data):
		return nil, errors.New("not valid UTF-8")
	case depth(data) > maxDepth:
		return nil, fmt.Errorf("nested deeper than %d levels", maxDepth)
	}
	doc, err := parse(data)
	if err != nil && (bytes.Contains(data, []byte("NaN")) || bytes.Contains(data, []byte("Infinity"))) {
		return parse(noNumber.ReplaceAllFunc(data, beyondRange))
	}
	return doc, err
}

// ParseRequest is Parse for the body of a request. One that is nested too deep is refused with an *Errors: it is JSON,
// but not an object of ours.
func ParseRequest(data []byte) (any, error) {
	if depth(data) > maxRequestDepth {
		errs := &Errors{}
		errs.AddSchema(fmt.Sprintf("Nested deeper than %d levels.", maxRequestDepth))
		return nil, errs
	}
	return Parse(data)
}

// depth counts the levels of a document without reading it.
func depth(data []byte) int {
	deepest, level, quoted := 0, 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++ // a quote that is escaped ends no text
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			level++
			deepest = max(deepest, level)
		case c == '}' || c == ']':
			level--
		}
	}
	return deepest
}

// noNumber finds texts, to pass over them, and what Python writes for numbers that JSON does not have.
var noNumber = regexp.MustCompile(`(?s)"(?:[^"\\]|\\.)*"|-?Infinity|NaN`)

// beyondRange replaces one find of noNumber. The blanks keep it from growing together with a digit beside it.
func beyondRange(found []byte) []byte {
	switch found[0] {
	case '"':
		return found
	case '-':
		return []byte(" -1e999 ")
	default:
		return []byte(" 1e999 ")
	}
}

// Finite says whether a tree has no number that is beyond every range.
func Finite(tree any) bool {
	switch v := tree.(type) {
	case json.Number:
		_, problem := float(v)
		return problem == ""
	case []any:
		for _, e := range v {
			if !Finite(e) {
				return false
			}
		}
	case map[string]any:
		for _, e := range v {
			if !Finite(e) {
				return false
			}
		}
	}
	return true
}

// options take what encoding/json takes: of duplicate keys the last one wins, and half a surrogate pair becomes U+FFFD.
var options = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

func parse(data []byte) (any, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(data), options...)
	doc, err := value(dec)
	if err != nil {
		return nil, fmt.Errorf("not a JSON document: %w", err)
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON document")
	}
	return doc, nil
}

func value(dec *jsontext.Decoder) (any, error) {
	token, err := dec.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case '{':
		return object(dec)
	case '[':
		return list(dec)
	case '"':
		return token.String(), nil
	case '0':
		return number(json.Number(token.String())), nil
	case 't', 'f':
		return token.Bool(), nil
	default:
		return nil, nil
	}
}

func object(dec *jsontext.Decoder) (any, error) {
	m := map[string]any{}
	for dec.PeekKind() != '}' {
		written, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		key, err := keys.read(written)
		if err != nil {
			return nil, err
		}
		if m[key], err = value(dec); err != nil {
			return nil, err
		}
	}
	_, err := dec.ReadToken()
	return m, err
}

func list(dec *jsontext.Decoder) (any, error) {
	items := []any{}
	for dec.PeekKind() != ']' {
		item, err := value(dec)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	_, err := dec.ReadToken()
	return items, err
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
