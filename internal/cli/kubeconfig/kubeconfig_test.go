package kubeconfig_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/kubeconfig"
	"github.com/rak-n-rok/krake/internal/cli/yamlfile"
)

const two = `
apiVersion: v1
current-context: one
contexts:
- {name: one, context: {cluster: c1, user: u1, namespace: ns}}
- {name: two, context: {cluster: c2, user: u2}}
- {name: lost, context: {cluster: c1, user: nobody}}
- {name: nowhere, context: {cluster: c3, user: u1}}
clusters:
- {name: c1, cluster: {server: "https://one", certificate-authority: sub/ca.crt}}
- {name: c2, cluster: {server: "https://two", insecure-skip-tls-verify: true}}
users:
- {name: u1, user: {client-certificate: FOLDER/client.crt, client-key: client.key, client-key-data: aW5saW5l}}
- {name: u2, user: {token: t}}
`

func read(t *testing.T, text string) any {
	t.Helper()
	docs, err := yamlfile.Parse("kubeconfig", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return docs[0]
}

func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"sub/ca.crt": "authority", "client.crt": "certificate", "client.key": "key"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestSingle(t *testing.T) {
	dir := folder(t)
	doc := read(t, strings.ReplaceAll(two, "FOLDER", dir))
	before := document.Python(doc)
	for context, want := range map[string]string{
		// Paths are relative to the file; what is inline already counts.
		"": `{'apiVersion': 'v1', 'clusters': [{'cluster': {'certificate-authority-data': 'YXV0aG9yaXR5', 'server': 'https://one'}, 'name': 'c1'}], ` +
			`'contexts': [{'context': {'cluster': 'c1', 'namespace': 'ns', 'user': 'u1'}, 'name': 'one'}], 'current-context': 'one', ` +
			`'users': [{'name': 'u1', 'user': {'client-certificate-data': 'Y2VydGlmaWNhdGU=', 'client-key-data': 'aW5saW5l'}}]}`,
		"two": `{'apiVersion': 'v1', 'clusters': [{'cluster': {'insecure-skip-tls-verify': True, 'server': 'https://two'}, 'name': 'c2'}], ` +
			`'contexts': [{'context': {'cluster': 'c2', 'user': 'u2'}, 'name': 'two'}], 'current-context': 'two', ` +
			`'users': [{'name': 'u2', 'user': {'token': 't'}}]}`,
	} {
		config, cluster, err := kubeconfig.Single(doc, dir, context)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, document.Python(config)); diff != "" {
			t.Errorf("context %q, -want +got:\n%s", context, diff)
		}
		if wanted := map[string]string{"": "c1", "two": "c2"}[context]; cluster != wanted {
			t.Errorf("context %q: cluster %s, want %s", context, cluster, wanted)
		}
	}
	if after := document.Python(doc); after != before {
		t.Errorf("the kubeconfig that was read has become %s", after)
	}
}

func TestSingleRefuses(t *testing.T) {
	doc := read(t, strings.ReplaceAll(two, "FOLDER", "/nowhere"))
	for name, c := range map[string]struct {
		doc           any
		context, want string
	}{
		"an unknown context":  {doc, "nope", "it has no context 'nope', only 'one', 'two', 'lost', 'nowhere'"},
		"a context's user":    {doc, "lost", "it has no user 'nobody', which the context 'lost' names"},
		"a context's cluster": {doc, "nowhere", "it has no cluster 'c3', which the context 'nowhere' names"},
		"a file that is not there": {read(t, strings.ReplaceAll(two, "sub/ca.crt", "/nowhere/ca.crt")), "one",
			"certificate-authority of 'c1' cannot be read: open /nowhere/ca.crt: no such file or directory"},
		"no current context": {read(t, "contexts: []"), "", "it has no current-context: name one with --context"},
		"a list":             {read(t, "[]"), "", "it is not a kubeconfig: no mapping at its top"},
		"nothing in it":      {read(t, "current-context: x"), "", "it has no context 'x'"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := kubeconfig.Single(c.doc, t.TempDir(), c.context); err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}
