package objectrule

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
)

// The examples of the documentation are accepted as they stand there, and each says what it is for in tests of its own.
func TestTheExamplesAreRight(t *testing.T) {
	page, err := os.ReadFile("../../docs/object-rules.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../examples/*-rule.yaml")
	if err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(page), "```yaml\n"+string(text)+"```\n") {
				t.Error("the page has it otherwise")
			}
			spec, err := yaml.YAMLToJSON(text)
			if err != nil {
				t.Fatal(err)
			}
			document := parsed(t, `{"metadata": {"name": "x"}, "spec": `+string(spec)+`}`)
			if err := wire.Unknown(document, &api.GlobalObjectRule{}); err != nil {
				t.Error(err)
			}
			r, err := api.GlobalObjectRuleKind.Decode(document, wire.Create)
			if err != nil {
				t.Fatal(err)
			}
			if err := Check(r, nil); err != nil {
				t.Error(err)
			}
			if tests := r.(*api.GlobalObjectRule).Spec.Tests; len(tests) < 3 {
				t.Errorf("it has %d tests", len(tests))
			}
		})
	}
}
