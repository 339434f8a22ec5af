package wire_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rak-n-rok/krake/api/wire"
)

func TestParseMakesEqualNumbersEqual(t *testing.T) {
	for text, want := range map[string]any{
		`1`: int64(1), `1.0`: int64(1), `1e0`: int64(1), `100e-2`: int64(1), `-0`: int64(0), `-0.0`: int64(0),
		`1.5`: 1.5, `1e300`: 1e300, `9007199254740993`: int64(9007199254740993),
		`9223372036854775807`:            int64(9223372036854775807),
		`9223372036854775808`:            json.Number("9223372036854775808"),
		`123456789012345678901234567890`: json.Number("123456789012345678901234567890"),
		`1e999`:                          json.Number("1e999"),
		`[1,[2.0],{"a":3}]`:              []any{int64(1), []any{int64(2)}, map[string]any{"a": int64(3)}},
		`null`:                           nil,
		` {"a" : null} `:                 map[string]any{"a": nil},
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
		"not a number":              `NaN`,
		"infinity in an object":     `{"a":Infinity}`,
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
