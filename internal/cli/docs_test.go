package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/internal/cli"
)

// filesOfDocs are those that the page speaks of and that are not in the folder examples.
var filesOfDocs = map[string]string{
	"kubeconfig.yaml": `
current-context: minikube
contexts:
- {name: minikube, context: {cluster: minikube, user: me}}
- {name: other, context: {cluster: other, user: me}}
clusters:
- {name: minikube, cluster: {server: "https://192.168.49.2:8443"}}
- {name: other, cluster: {server: "https://192.168.49.3:8443"}}
users:
- {name: me, user: {token: secret}}
`,
	"job.yaml": "apiVersion: batch/v1\nkind: Job\nmetadata: {name: crunch}\n",
	"tosca.yaml": `
tosca_definitions_version: tosca_simple_yaml_1_0
topology_template: {outputs: {kubeconfig: {value: x}}}
`,
}

// TestDocs runs every command of docs/rok.md, in order, against a real API. What is said to be deleted is removed at
// once, since nobody else is there to do it.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/rok.md")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	r, stop, err := newServer(filepath.Join(dir, ".store"))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	files := map[string]string{"rok.yaml": "user: system:admin\napi_url: " + r.url}
	for name, content := range filesOfDocs {
		files[name] = content
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(examples, filepath.Join(dir, "examples")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	commands := regexp.MustCompile(`(?m)^\$ rok (.*)$`).FindAllStringSubmatch(string(page), -1)
	if len(commands) < 20 {
		t.Fatalf("only %d commands found", len(commands))
	}
	for _, c := range commands {
		var out, errs bytes.Buffer
		world := cli.IO{In: strings.NewReader(""), Out: &out, Err: &errs, Env: func(string) string { return "" }}
		if code := cli.Main(context.Background(), words(c[1]), world); code != 0 || out.Len() == 0 {
			t.Errorf("rok %s: exit code %d\n%s%s", c[1], code, &out, &errs)
		}
		if strings.Contains(c[1], " delete ") && !strings.Contains(c[1], "--force") {
			world.Out = &bytes.Buffer{}
			cli.Main(context.Background(), append(words(c[1]), "--force"), world)
		}
	}
}

// words splits a line at blanks outside of single quotes.
func words(line string) []string {
	var out []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			out = append(out, part)
		} else {
			out = append(out, strings.Fields(part)...)
		}
	}
	return out
}
