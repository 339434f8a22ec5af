package yamlfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/yamlfile"
)

func TestParse(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"one document":                      {"a: 1\nb: [x, 2022-03-30]\n", "[{'a': 1, 'b': ['x', '2022-03-30']}]"},
		"several":                           {"a: 1\n---\nb: 2\n--- # comment\nc: 3", "[{'a': 1}, {'b': 2}, {'c': 3}]"},
		"empty ones":                        {"---\n---\n# nothing\n---\na: 1\n---\n", "[{'a': 1}]"},
		"content in the line of the marker": {"--- {a: 1}\n--- \"x\"\n", "[{'a': 1}, 'x']"},
		"no marker in a text":               {"a: |\n  ---\n  x\nb: ---x\n", `[{'a': '---\nx\n', 'b': '---x'}]`},
		"JSON":                              {`{"a": [1.50, 12345678901234567]}`, "[{'a': [1.5, 12345678901234567]}]"},
		"the truths of YAML 1.1":            {"a: yes\nb: 'yes'\n", "[{'a': True, 'b': 'yes'}]"},
		"lines that end as on Windows":      {"a: 1\r\n---\r\nb: 2\r\n", "[{'a': 1}, {'b': 2}]"},
		"a List stays one object":           {"kind: List\nitems: [{a: 1}]", "[{'items': [{'a': 1}], 'kind': 'List'}]"},
		"nothing":                           {"", "[]"},
		"a document after an end":           {"a: 1\n...\nb: 2\n", "[{'a': 1}, {'b': 2}]"},
		"an end and a marker":               {"a: 1\n...\n---\nb: 2\n... # done\n", "[{'a': 1}, {'b': 2}]"},
		"ends and nothing":                  {"...\na: 1\n...\n...\n", "[{'a': 1}]"},
		"a directive":                       {"%YAML 1.1\n---\na: 1\n", "[{'a': 1}]"},
		"a directive of a later version":    {"# why\n%YAML 1.2\n--- {a: 1}\n", "[{'a': 1}]"},
		"a directive for each document":     {"%YAML 1.1\n---\na: 1\n...\n%TAG !y! tag:yaml.org,2002:\n---\nb: !y!str 2\n", "[{'a': 1}, {'b': '2'}]"},
		"no directive in a text":            {"--- 'x\n%YAML 1.2\n'\n", "['x %YAML 1.2 ']"},
		"no end in a text":                  {"a: |\n  ...\n  x\nb: ...x\n...y: z\n", `[{'...y': 'z', 'a': '...\nx\n', 'b': '...x'}]`},
		"a text in the line of the marker":  {"--- |\n x\n--- >-\n y\n z\n", `['x\n', 'y z']`},
	} {
		t.Run(name, func(t *testing.T) {
			docs, err := yamlfile.Parse("x.yaml", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if got := document.Python(append([]any{}, docs...)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestParseNamesTheLine(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"in the first document":  {"a: 1\nb: c: d\n", "x.yaml:2: not valid YAML: mapping values are not allowed in this context"},
		"in the second document": {"a: 1\n---\nb: 2\nc: d: e\n", "x.yaml:4: not valid YAML: mapping values are not allowed in this context"},
		"after an end":           {"a: 1\n...\nb: 2\nc: d: e\n", "x.yaml:4: not valid YAML: mapping values are not allowed in this context"},
		"after a directive":      {"# x\n%YAML 1.1\n---\nb: c: d\n", "x.yaml:4: not valid YAML: mapping values are not allowed in this context"},
		"a directive alone":      {"a: 1\n...\n%TAG ! x\nb: 1\n", "x.yaml:3: not valid YAML: did not find expected <document start>"},
		"no number of JSON":      {"a: .nan\n", "x.yaml:1: not valid YAML: unsupported value: NaN"},
		"a key that is no text":  {"{a: b}: c\n", "x.yaml:1: not valid YAML: a key is to be a text or a number"},
		"a tab":                  {"a:\n\tb: 1\n", "x.yaml:2: not valid YAML: found character that cannot start any token"},
		"a program":              {"\x7fELF\x00\x01", "x.yaml:1: not valid YAML: control characters are not allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := yamlfile.Parse("x.yaml", []byte(c.text))
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(file, []byte("a: 1"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{file: "a: 1", "-": "from a pipe"} {
		if got, err := yamlfile.Load(t.Context(), name, strings.NewReader("from a pipe")); err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	var unreadable *yamlfile.Unreadable
	_, err := yamlfile.Load(t.Context(), file+".missing", nil)
	if !errors.As(err, &unreadable) || err.Error() != "can't open '"+file+".missing': no such file or directory" {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"a: 1\n---\nb: 2", "---", "--- |\n x", "%YAML 1.1\n---\na: 1\n...\n", "a: 1\n...\nb: .inf"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, err := yamlfile.Parse("x.yaml", []byte(text))
		if err != nil && (!strings.HasPrefix(err.Error(), "x.yaml:") || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%q: %v", text, err)
		}
	})
}

func FuzzNode(f *testing.F) {
	for _, seed := range []string{"a: 1\n---\nb: 2", "---", "# nothing", "a: &x 1\nb: *x", "%YAML 1.1\n---\na: 1\n...\n", "a: [b\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		node, err := yamlfile.Node("x.yaml", []byte(text))
		if err != nil && (node != nil || !strings.HasPrefix(err.Error(), "x.yaml:") || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%q: %v", text, err)
		}
	})
}
