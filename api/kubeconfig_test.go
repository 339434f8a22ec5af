package api_test

import (
	"encoding/json"
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
)

const kubeconfig = `{"current-context":"a","contexts":[{"name":"a","context":{"cluster":"k","user":"u"}}],` +
	`"clusters":[{"name":"k","cluster":{"server":"https://10.0.0.9"}}],"users":[{"name":"u","user":{"token":"t"}}]}`

// patched gives the sound kubeconfig with a merge patch applied.
func patched(t *testing.T, patch string) string {
	t.Helper()
	data, err := json.Marshal(wire.Patch(parse(t, kubeconfig), parse(t, patch)))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func clusterBody(spec string) string {
	return `{"metadata":{"name":"edge-1"},"spec":{` + spec + `,"constraints":{"cloud":{}}}}`
}

func TestKubeconfigs(t *testing.T) {
	const invalid = `Invalid kube-config file. `
	for name, c := range map[string]struct{ patch, want string }{
		"a sound one":                     {`{}`, ``},
		"unknown keys":                    {`{"preferences":{"colors":true},"apiVersion":"v1","extensions":[]}`, ``},
		"a user that is not named":        {`{"contexts":[{"name":"a","context":{"cluster":"k"}}]}`, ``},
		"a user that does not exist":      {`{"users":[{"name":"other","user":{"token":"t"}}]}`, ``},
		"no current context":              {`{"current-context":null}`, invalid + `Expected key current-context in kube-config`},
		"an empty current context":        {`{"current-context":""}`, invalid + `Expected key current-context in kube-config`},
		"no contexts":                     {`{"contexts":null}`, invalid + `Expected key contexts in kube-config`},
		"an empty list of contexts":       {`{"contexts":[]}`, invalid + `Expected key contexts in kube-config`},
		"contexts that are an object":     {`{"contexts":{"a":1}}`, invalid + `Expected kube-config/contexts to be a list`},
		"contexts that are a text":        {`{"contexts":"a"}`, invalid + `Expected kube-config/contexts to be a list`},
		"a context without a name":        {`{"contexts":[{"context":{}}]}`, invalid + `Expected all values in kube-config/contexts list to have 'name' key`},
		"a context that is no object":     {`{"contexts":["a"]}`, invalid + `Expected all values in kube-config/contexts list to have 'name' key`},
		"no context of that name":         {`{"contexts":[{"name":"b","context":{"cluster":"k"}}]}`, invalid + `Expected object with name a in kube-config/contexts list`},
		"two contexts of that name":       {`{"contexts":[{"name":"a","context":{"cluster":"k"}},{"name":"a"}]}`, invalid + `Expected only one object with name a in kube-config/contexts list`},
		"a context without content":       {`{"contexts":[{"name":"a"}]}`, invalid + `Expected key context in kube-config/contexts[name=a]`},
		"a context with empty content":    {`{"contexts":[{"name":"a","context":{}}]}`, invalid + `Expected key context in kube-config/contexts[name=a]`},
		"a user without content":          {`{"users":[{"name":"u"}]}`, invalid + `Expected key user in kube-config/users[name=u]`},
		"a user with empty content":       {`{"users":[{"name":"u","user":{}}]}`, invalid + `Expected key user in kube-config/users[name=u]`},
		"users that are an object":        {`{"users":{"u":1}}`, invalid + `Expected kube-config/users to be a list`},
		"a context without a cluster":     {`{"contexts":[{"name":"a","context":{"user":"u"}}]}`, invalid + `Expected key cluster in kube-config/contexts[name=a]/context`},
		"no clusters":                     {`{"clusters":null}`, invalid + `Expected key clusters in kube-config`},
		"clusters that are an object":     {`{"clusters":{"k":1}}`, invalid + `Expected kube-config/clusters to be a list`},
		"a cluster without a name":        {`{"clusters":[{"cluster":{}}]}`, invalid + `Expected all values in kube-config/clusters list to have 'name' key`},
		"no cluster of that name":         {`{"clusters":[{"name":"x","cluster":{"server":"s"}}]}`, invalid + `Expected object with name k in kube-config/clusters list`},
		"a cluster without content":       {`{"clusters":[{"name":"k"}]}`, invalid + `Expected key cluster in kube-config/clusters[name=k]`},
		"G7 a second context":             {`{"contexts":[{"name":"a","context":{"cluster":"k"}},{"name":"b","context":{"cluster":"k"}}]}`, `Only one context is allowed`},
		"no users":                        {`{"users":null}`, `Only one user is allowed`},
		"an empty list of users":          {`{"users":[]}`, `Only one user is allowed`},
		"G7 a second user":                {`{"users":[{"name":"u","user":{"token":"t"}},{"name":"v"}]}`, `Only one user is allowed`},
		"G7 a second cluster":             {`{"clusters":[{"name":"k","cluster":{"server":"s"}},{"name":"l"}]}`, `Only one cluster is allowed`},
		"a name that is an object":        {`{"current-context":{"x":1},"contexts":[{"name":{"x":1},"context":{"cluster":"k"}}]}`, invalid + `Expected object with name map[x:1] in kube-config/contexts list`},
		"a name of a user that is a list": {`{"contexts":[{"name":"a","context":{"cluster":"k","user":["u"]}}],"users":[{"name":["u"],"user":{"token":"t"}}]}`, ``},
		"a user that runs a program":      {`{"users":[{"name":"u","user":{"exec":{"command":"curl"}}}]}`, refused("exec", "users", "u", "user")},
		"a user of an old plug-in":        {`{"users":[{"name":"u","user":{"auth-provider":{"name":"gcp"}}}]}`, refused("auth-provider", "users", "u", "user")},
		"a user with a certificate file":  {`{"users":[{"name":"u","user":{"client-certificate":"/x"}}]}`, refused("client-certificate", "users", "u", "user")},
		"a user with a key file":          {`{"users":[{"name":"u","user":{"client-key":"/x"}}]}`, refused("client-key", "users", "u", "user")},
		"a user with a token file":        {`{"users":[{"name":"u","user":{"tokenFile":"/x"}}]}`, refused("tokenFile", "users", "u", "user")},
		"a cluster with a CA file":        {`{"clusters":[{"name":"k","cluster":{"certificate-authority":"/x"}}]}`, refused("certificate-authority", "clusters", "k", "cluster")},
		"an unused user runs a program":   {`{"users":[{"name":"v","user":{"exec":{"command":"curl"}}}]}`, refused("exec", "users", "v", "user")},
		"a certificate that is given inline": {`{"users":[{"name":"u","user":{"client-certificate-data":"eA==","client-key-data":"eA=="}}],` +
			`"clusters":[{"name":"k","cluster":{"certificate-authority-data":"eA=="}}]}`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			want := c.want
			if want != "" {
				errs := &wire.Errors{}
				errs.At("spec").At("kubeconfig").Add(want)
				want = errs.Error()
			}
			if got := refusal(t, api.ClusterKind, clusterBody(`"kubeconfig":`+patched(t, c.patch))); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func refused(key, list, name, entry string) string {
	return "Invalid kube-config file. Key " + key + " in kube-config/" + list + "[name=" + name + "]/" + entry +
		" is not accepted: give certificates and tokens inline"
}

func TestAClusterIsDefinedInOneOfTwoWays(t *testing.T) { // G11
	const (
		nothing = `{'spec': {'_schema': ['The cluster should be defined by a kubeconfig file or a TOSCA template.']}}`
		output  = `{'spec': {'tosca': ['Invalid TOSCA template content. The output ` + "`kubeconfig`" + ` is missing.']}}`
		content = `{'spec': {'tosca': ['Invalid TOSCA template content.']}}`
		version = `"tosca_definitions_version":"tosca_simple_yaml_1_0"`
	)
	for name, c := range map[string]struct{ spec, want string }{
		"nothing":                      {`"metrics":[]`, nothing},
		"nothing in both":              {`"kubeconfig":{},"tosca":{}`, nothing},
		"a kubeconfig":                 {`"kubeconfig":` + kubeconfig, ``},
		"a template":                   {`"tosca":{` + version + `,"topology_template":{"outputs":{"kubeconfig":{"value":"x"}}}}`, ``},
		"a template without output":    {`"tosca":{` + version + `,"topology_template":{"outputs":{}}}`, output},
		"a template of no topology":    {`"tosca":{` + version + `}`, output},
		"a topology of null":           {`"tosca":{` + version + `,"topology_template":null}`, output},
		"a template without a version": {`"tosca":{"topology_template":{"outputs":{"kubeconfig":{"value":"x"}}}}`, content},
		"a template's URL":             {`"tosca":"http://x/t.yaml"`, `{'spec': {'tosca': ['Not a valid mapping type.']}}`},
		"a kubeconfig of null":         {`"kubeconfig":null`, `{'spec': {'kubeconfig': ['Field may not be null.']}}`},
		"a kubeconfig that is a text":  {`"kubeconfig":"x"`, `{'spec': {'kubeconfig': ['Not a valid mapping type.']}}`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := refusal(t, api.ClusterKind, clusterBody(c.spec)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
