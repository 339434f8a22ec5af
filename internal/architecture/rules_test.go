package architecture

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/rak-n-rok/krake"

// allowed says for each package which other packages of Krake it may import, tests left out. A package that is not
// listed fails the test: adding one is a decision that belongs here and in docs/architecture.md.
var allowed = map[string][]string{
	"api":                       {"api/wire", "api/constraint"},
	"api/wire":                  {"internal/suggest"},
	"api/constraint":            {},
	"api/channel":               {},
	"client":                    {"api", "api/channel", "api/wire"},
	"internal/architecture":     {},
	"internal/capacity":         {"api"},
	"internal/failpoint":        {},
	"internal/fairness":         {},
	"internal/suggest":          {},
	"internal/telemetry":        {},
	"internal/witness":          {},
	"internal/store":            {},
	"internal/apiserver":        {"api", "api/wire", "api/constraint", "internal/fairness", "internal/openapi", "internal/store", "internal/failpoint"},
	"internal/openapi":          {"api", "api/wire", "api/constraint"},
	"internal/openapi/describe": {},
	"internal/controller":       {"api", "client"},
	"internal/scheduler/core":   {"api", "api/constraint"},
	"internal/metrics": {"api", "client", "internal/metrics/provider", "internal/metrics/static", "internal/metrics/prometheus",
		"internal/metrics/ksql", "internal/metrics/influx"},
	"internal/metrics/provider":   {},
	"internal/metrics/static":     {"api", "internal/metrics/provider"},
	"internal/metrics/prometheus": {"api", "internal/metrics/provider"},
	"internal/metrics/ksql":       {"api", "internal/metrics/provider"},
	"internal/metrics/influx":     {"api", "internal/metrics/provider"},
	"internal/scheduler":          {"api", "api/wire", "client", "internal/capacity", "internal/controller", "internal/scheduler/core", "internal/failpoint", "internal/metrics"},
	"internal/gc":                 {"api", "client", "internal/controller", "internal/failpoint"},
	"internal/objectrule":         {"api", "api/wire"},
	"internal/fleet":              {"api", "api/channel", "api/wire", "internal/capacity", "internal/objectrule"},
	"internal/kubernetes":         {"api", "api/wire", "client", "internal/capacity", "internal/controller", "internal/fleet", "internal/failpoint", "internal/transfer"},
	"internal/transfer":           {},
	"internal/gateway":            {"api", "api/channel", "client", "internal/fleet", "internal/kubernetes"},
	"internal/server": {"api", "client", "internal/apiserver", "internal/controller", "internal/fleet", "internal/gateway", "internal/gc",
		"internal/kubernetes", "internal/objectrule", "internal/scheduler", "internal/scheduler/core", "internal/scheduler/preview", "internal/store"},
	"cmd/krake":        {"internal/apiserver", "internal/controller", "internal/scheduler/core", "internal/server", "internal/telemetry"},
	"cmd/rok":          {"internal/cli"},
	"cmd/krake-volume": {"internal/transfer"},

	"internal/scheduler/scenario": {"api", "api/constraint", "internal/capacity", "internal/metrics", "internal/scheduler/core"},
	"internal/scheduler/preview":  {"api", "api/wire", "client", "internal/metrics", "internal/scheduler", "internal/scheduler/core"},

	"examples/demo": {"internal/witness"},
}

// families are packages whose members may import each other, and what the whole family may import beside.
var families = map[string][]string{
	"internal/cli": {"api", "api/channel", "api/wire", "api/constraint", "client", "internal/suggest"},
}

// reserved says which packages of ours may import modules of others that are heavy or make promises.
var reserved = map[string][]string{
	"go.etcd.io/":                        {"internal/store"},
	"k8s.io/client-go":                   {"internal/controller", "internal/fleet", "internal/witness"},
	"github.com/google/cel-go":           {"internal/objectrule"},
	"github.com/fluxcd":                  {"internal/fleet"},
	"k8s.io/streaming":                   {"internal/fleet"},
	"github.com/coder/websocket":         {"api/channel", "internal/fleet"},
	"github.com/spf13/cobra":             {"internal/cli", "cmd/krake", "cmd/rok"},
	"go.opentelemetry.io/otel/sdk":       {"internal/telemetry"},
	"go.opentelemetry.io/otel/exporters": {"internal/telemetry"},
	"sigs.k8s.io/controller-":            {},
}

type goPackage struct {
	ImportPath string
	Name       string
	Dir        string
	Imports    []string
	GoFiles    []string
}

func TestImportsFollowTheRules(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		if testOnly(name) {
			continue
		}
		rules, family := rulesOf(name)
		if rules == nil {
			t.Errorf("%s has no import rule: add it to this test and to docs/architecture.md", name)
			continue
		}
		for _, imported := range p.Imports {
			own, isOwn := strings.CutPrefix(imported, module+"/")
			if isOwn && !slices.Contains(rules, own) && (family == "" || !inFamily(own, family)) {
				t.Errorf("%s imports %s, which docs/architecture.md does not allow", name, own)
			}
			for prefix, users := range reserved {
				if strings.HasPrefix(imported, prefix) && !slices.ContainsFunc(users, func(u string) bool { return inFamily(name, u) }) {
					t.Errorf("%s imports %s, which only %v may", name, imported, users)
				}
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		name := filepath.Base(p.Dir)
		if slices.Contains([]string{"util", "utils", "common", "helpers", "misc"}, name) {
			t.Errorf("%s: a package is named after its subject", p.ImportPath)
		}
		isProgram := p.Name == "main" // main.go says it
		if len(p.GoFiles) > 0 && !isProgram && !slices.Contains(p.GoFiles, "doc.go") {
			t.Errorf("%s has no doc.go", p.ImportPath)
		}
	}
}

// testOnly names packages that only tests and tools use.
func testOnly(name string) bool {
	return strings.HasPrefix(name, "test/") || strings.HasSuffix(name, "test") || name == "internal/reference"
}

func rulesOf(name string) (rules []string, family string) {
	for f, rules := range families {
		if inFamily(name, f) {
			return rules, f
		}
	}
	return allowed[name], ""
}

func inFamily(name, family string) bool { return name == family || strings.HasPrefix(name, family+"/") }

func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Name,Dir,Imports,GoFiles", module+"/...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}
