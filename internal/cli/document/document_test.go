package document_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/rak-n-rok/krake/internal/cli/document"
)

const source = `{"b": {"k": null, "list": [1, 1.0, -0.25, 1e-07, true], "empty": {}, "none": []}, "a": "it's",
	"ünï": "🍃 \u0007 \"q\" \\ \n\t<&>",
	"list": [{"z": 1, "x": ["no", "3", "2022-03-30", "a: b", "# c", "12:30", "=", "", "plain text"]}, []]}`

// What Python writes of the same document.
const (
	asJSON = `{
  "a": "it's",
  "b": {
    "empty": {},
    "k": null,
    "list": [
      1,
      1.0,
      -0.25,
      1e-07,
      true
    ],
    "none": []
  },
  "list": [
    {
      "x": [
        "no",
        "3",
        "2022-03-30",
        "a: b",
        "# c",
        "12:30",
        "=",
        "",
        "plain text"
      ],
      "z": 1
    },
    []
  ],
  "\u00fcn\u00ef": "\ud83c\udf43 \u0007 \"q\" \\ \n\t<&>"
}
`
	asPython = `{'b': {'k': None, 'list': [1, 1.0, -0.25, 1e-07, True], 'empty': {}, 'none': []}, 'a': "it's", ` +
		`'ünï': '🍃 \x07 "q" \\ \n\t<&>', ` +
		`'list': [{'z': 1, 'x': ['no', '3', '2022-03-30', 'a: b', '# c', '12:30', '=', '', 'plain text']}, []]}`
	asYAML = `a: it's
b:
  empty: {}
  k: null
  list:
  - 1
  - 1.0
  - -0.25
  - 1.0e-07
  - true
  none: []
list:
- x:
  - 'no'
  - '3'
  - '2022-03-30'
  - 'a: b'
  - '# c'
  - '12:30'
  - '='
  - ''
  - plain text
  z: 1
- []
ünï: "\U0001F343 \a \"q\" \\ \n\t<&>"
`
)

func parse(t testing.TB, text string) any {
	t.Helper()
	doc, err := document.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestForms(t *testing.T) {
	doc := parse(t, source)
	text, err := document.YAML(doc)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ form, want, got string }{
		{"JSON", asJSON, string(document.JSON(doc))},
		{"Python", asPython, document.Python(doc)},
		{"YAML", asYAML, string(text)},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s, -want +got:\n%s", c.form, diff)
		}
	}
}

func TestPythonTextsAndNumbers(t *testing.T) {
	for text, want := range map[string]string{
		`"it's \"so\""`: `'it\'s "so"'`, `"\u2028"`: `'\u2028'`, `"\u00a0"`: `'\xa0'`, `"日本"`: `'日本'`,
		`1e16`: "1e+16", `123456789012345678`: "123456789012345678", `1E2`: "100.0", `1e400`: "1e400", `2.50`: "2.5",
	} {
		if got := document.Python(parse(t, text)); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"", "{", "[1", `{"a"}`, "{} {}", "nonsense"} {
		if doc, err := document.Parse([]byte(text)); err == nil {
			t.Errorf("%q gives %v", text, doc)
		}
	}
}

func TestPut(t *testing.T) {
	doc := parse(t, `{"z": 1, "a": {"b": null}, "list": [1]}`).(*document.Object)
	document.Put(doc, "x", "a", "b")
	document.Put(doc, true, "new", "path")
	text, err := json.Marshal(doc)
	if want := `{"z":1,"a":{"b":"x"},"list":[1],"new":{"path":true}}`; err != nil || string(text) != want {
		t.Errorf("got %s, %v, want %s", text, err, want)
	}
	if document.At(doc, "z", "a") != nil || document.Text(doc, "new") != "" || document.List(doc, "a") != nil {
		t.Error("a path through something else than objects leads somewhere")
	}
}

// FuzzForms checks that JSON and YAML are read back as what was written.
func FuzzForms(f *testing.F) {
	for _, seed := range []string{source, `"yes"`, `"\n x"`, `[[], {}, ""]`, `{"": {"~": null}}`, `"a\u0085b"`, `" - x"`, `"\n\n"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := document.Parse([]byte(text))
		if err != nil {
			return
		}
		back, err := document.Parse(document.JSON(doc))
		if err != nil || !document.Equal(doc, back) {
			t.Fatalf("%s is read back as %s, %v", document.JSON(doc), document.JSON(back), err)
		}
		written, err := document.YAML(doc)
		if err != nil {
			t.Fatal(err)
		}
		var want, got any
		if json.Unmarshal(document.JSON(doc), &want) != nil {
			return // numbers that Go cannot hold
		}
		if err := yaml.Unmarshal(written, &got); err != nil {
			t.Fatalf("%q cannot be read: %v", written, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q, -want +got:\n%s", written, diff)
		}
	})
}

// TestFromPython reads what the API tells of invalid documents.
func TestFromPython(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a tree":                  {`{'spec': {'manifest': ['Field may not be null.']}}`, `{"spec": {"manifest": ["Field may not be null."]}}`},
		"indexes":                 {`{'rules': {0: {'verbs': {12: ['x: 1: y']}}}}`, `{"rules": {"0": {"verbs": {"12": ["x: 1: y"]}}}}`},
		"both quotes":             {`["it's", 'say "x"', 'it\'s "x"']`, `["it's", "say \"x\"", "it's \"x\""]`},
		"escapes":                 {`['\\ \n \t \r \x07 \u00fc \U0001f343 ü']`, `["\\ \n \t \r \u0007 ü 🍃 ü"]`},
		"values":                  {`[None, True, False, 1, -0.5, {}, []]`, `[null, true, false, 1, -0.5, {}, []]`},
		"JSON":                    {`{"query": {"heartbeat": ["Not a valid integer."]}}`, `{"query": {"heartbeat": ["Not a valid integer."]}}`},
		"what looks like a value": {`['None 1: True']`, `["None 1: True"]`},
	} {
		t.Run(name, func(t *testing.T) {
			want, err := document.Parse([]byte(c.want))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := document.FromPython(c.text); err != nil || !document.Equal(got, want) {
				t.Errorf("got %s, %v", document.JSON(got), err)
			}
		})
	}
	for _, text := range []string{"", "'", `"a`, `'\`, "{'a'}", "No such thing: {'a': 1}", "['a'] b", `['\q']`} {
		if got, err := document.FromPython(text); err == nil {
			t.Errorf("%q is read as %s", text, document.JSON(got))
		}
	}
}

// FuzzFromPython reads back what Python writes.
func FuzzFromPython(f *testing.F) {
	for _, seed := range []string{"a", "it's", `"`, `'"`, "\\'\n\x00ü🍃", "None", "1: x", `\u00`} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, key, text string) {
		_, _ = document.FromPython(text)
		doc, err := document.Of(map[string]any{key: []any{text, nil, true, 7, map[string]any{}}})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := document.FromPython(document.Python(doc)); err != nil || !document.Equal(got, doc) {
			t.Errorf("%s is read as %s, %v", document.Python(doc), document.JSON(got), err)
		}
	})
}
