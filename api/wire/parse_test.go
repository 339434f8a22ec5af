package wire_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rak-n-rok/krake/api/wire"
)

func TestParseMakesEqualNumbersEqual(t *testing.T) {
	for text, want := range map[string]any{
		`1`: int64(1), `1.0`: int64(1), `1e0`: int64(1), `100e-2`: int64(1), `-0`: int64(0), `-0.0`: int64(0),
		`1.5`: 1.5, `1e300`: 1e300, `9007199254740993`: int64(9007199254740993),
		`9223372036854775807`:             int64(9223372036854775807),
		`9223372036854775808`:             json.Number("9223372036854775808"),
		`123456789012345678901234567890`:  json.Number("123456789012345678901234567890"),
		`1e999`:                           json.Number("1e999"),
		`[1,[2.0],{"a":3}]`:               []any{int64(1), []any{int64(2)}, map[string]any{"a": int64(3)}},
		`NaN`:                             json.Number("1e999"),
		`[-Infinity,Infinity]`:            []any{json.Number("-1e999"), json.Number("1e999")},
		`{"NaN":NaN,"\"NaN":"-Infinity"}`: map[string]any{"NaN": json.Number("1e999"), `"NaN`: "-Infinity"},
		`null`:                            nil,
		` {"a" : null} `:                  map[string]any{"a": nil},
	} {
		got, err := wire.Parse([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestParseRefusesWhatIsNotOneDocument(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":                   ``,
		"blanks":                    "  \n",
		"an open object":            `{"a":1`,
		"a word":                    `soon`,
		"not a number, negative":    `-NaN`,
		"infinity in lower case":    `{"a":infinity}`,
		"a digit before infinity":   `{"a":1Infinity}`,
		"a digit behind NaN":        `[NaN5]`,
		"two signs":                 `[--Infinity]`,
		"a word that ends like one": `[xNaN]`,
		"two documents":             `{} {}`,
		"a document and a bracket":  `{}}`,
		"bytes that are not UTF-8":  "{\"a\":\"\xff\"}",
		"a key that is not a text":  `{1:2}`,
		"a comma behind the last":   `[1,]`,
		"single quotes":             `{'a':1}`,
		"a number with a leading 0": `01`,
	} {
		if doc, err := wire.Parse([]byte(text)); err == nil {
			t.Errorf("%s was read as %v", name, doc)
		}
	}
}

// nested gives a document of so many levels, lists and objects in turn.
func nested(levels int) string {
	return strings.Repeat(`[{"a]":`, levels/2) + strings.Repeat("[", levels%2) + strings.Repeat("]", levels%2) + leaf(levels) +
		strings.Repeat("}]", levels/2)
}

// leaf is what stands in the middle; a list needs nothing.
func leaf(levels int) string {
	if levels%2 == 1 {
		return ""
	}
	return `"\\\"[[["`
}

func TestDocumentsAreNestedNoDeeperThanEveryReaderBears(t *testing.T) {
	for name, c := range map[string]struct {
		levels        int
		request, read bool // whether it is accepted as a request, and whether it is read
	}{
		"flat":                                     {1, true, true},
		"deeper than any manifest":                 {100, true, true},
		"as deep as a request may be":              {300, true, true},
		"deeper than a request may be":             {301, false, true},
		"a request of the limit in a list":         {303, false, true},
		"as deep as can be read":                   {1000, false, true},
		"too deep for Python":                      {1001, false, false},
		"nearly too deep for encoding/json":        {9995, false, false},
		"too deep for encoding/json, by a hundred": {10_100, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			text := []byte(nested(c.levels))
			if _, err := wire.Parse(text); (err == nil) != c.read {
				t.Errorf("reading gives %v", err)
			}
			_, err := wire.ParseRequest(text)
			if (err == nil) != c.request {
				t.Errorf("as a request it gives %v", err)
			}
			if err != nil && err.Error() != "{'_schema': ['Nested deeper than 300 levels.']}" {
				t.Errorf("it is refused with %v", err)
			}
		})
	}
}

func TestACloneSharesNothing(t *testing.T) {
	doc := tree(t, `{"a":[1,{"b":[]}],"c":null}`)
	clone := wire.Clone(doc)
	if diff := cmp.Diff(doc, clone); diff != "" {
		t.Fatal(diff)
	}
	clone.(map[string]any)["a"].([]any)[1].(map[string]any)["b"] = "changed"
	if diff := cmp.Diff(tree(t, `{"a":[1,{"b":[]}],"c":null}`), doc); diff != "" {
		t.Errorf("the original changed with its clone: %s", diff)
	}
}
