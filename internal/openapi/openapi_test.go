package openapi_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/pb33f/libopenapi"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/openapi"
)

func document(t testing.TB) []byte {
	t.Helper()
	data, err := openapi.Document("v1")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestTheDocumentIsOpenAPI(t *testing.T) {
	parsed, err := libopenapi.NewDocument(document(t))
	if err != nil {
		t.Fatal(err)
	}
	model, err := parsed.BuildV3Model()
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for path, item := range model.Model.Paths.PathItems.FromOldest() {
		for _, op := range item.GetOperations().FromOldest() {
			if ids[op.OperationId] {
				t.Errorf("%s: the operation %s is there twice", path, op.OperationId)
			}
			ids[op.OperationId] = true
		}
	}
	for _, k := range api.Kinds {
		for _, verb := range []string{"list", "create", "get", "update", "patch", "delete"} {
			if !ids[verb+k.Name] {
				t.Errorf("no operation %s%s", verb, k.Name)
			}
		}
	}
}

// Schema makes a validator of a schema of the document.
func schema(t testing.TB, name string) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(document(t)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("krake.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("krake.json#/components/schemas/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSchemasRefuseWhatIsWrong(t *testing.T) {
	const good = `{"api":"core","kind":"Role","metadata":{"name":"r","labels":{"a":"b"}},"rules":[{"api":"","resources":[""],"namespaces":[""],"verbs":["get"]}]}`
	for name, c := range map[string]struct {
		old, new string
		valid    bool
	}{
		"as it is":       {"", "", true},
		"a verb":         {`"get"`, `"read"`, false},
		"a number":       {`"r"`, `5`, false},
		"no rules":       {`"rules"`, `"ruls"`, false},
		"a label's type": {`"b"`, `1`, false},
	} {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(bytes.Replace([]byte(good), []byte(c.old), []byte(c.new), 1)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema(t, "Role").Validate(value); (err == nil) != c.valid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDescriptionsAreThoseOfTheCode(t *testing.T) {
	file := filepath.Join(t.TempDir(), "descriptions.json")
	if out, err := exec.Command("go", "run", "./describe", "../../api", file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	now, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile("descriptions.json")
	if err != nil || !bytes.Equal(now, kept) {
		t.Error("run go generate ./internal/openapi", err)
	}
}

func TestThePageLoadsNothingFromElsewhere(t *testing.T) {
	if found := regexp.MustCompile(`(https?:)?//[a-z]`).FindAll(openapi.Page, -1); found != nil {
		t.Errorf("%q", found)
	}
	var doc map[string]any
	if err := json.Unmarshal(document(t), &doc); err != nil || doc["openapi"] != "3.1.0" {
		t.Error(doc["openapi"], err)
	}
}
