package api_test

import (
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
)

// application is the body of a POST with these fields of the specification beside empty constraints.
func application(fields string) string {
	return `{"metadata":{"name":"a"},"spec":{` + fields + `,"constraints":{"cluster":{}}}}`
}

func TestManifests(t *testing.T) {
	const panel = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"panel"}}`
	for name, c := range map[string]struct{ manifest, want string }{
		"objects":                   {`[` + panel + `,` + panel + `]`, ``},
		"values are not looked at":  {`[{"apiVersion":5,"kind":{},"metadata":{"name":"x","labels":[]},"zzz":null}]`, ``},
		"no list":                   {`{}`, `['Not a valid list.']`},
		"null":                      {`null`, `['Field may not be null.']`},
		"an element that is a text": {`[` + panel + `,"x"]`, `{1: ['Not a valid mapping type.']}`},
		"an element that is null":   {`[null]`, `{0: ['Field may not be null.']}`},
		"no name": {`[{"apiVersion":"v1","kind":"ConfigMap","metadata":{}}]`,
			`["Field 'metadata.name' not found in resource at index 0"]`},
		"an empty name": {`[` + panel + `,{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":""}}]`,
			`["Field 'metadata.name' not found in resource at index 1"]`},
		"a name that is no text": {`[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":5}}]`,
			`["Field 'metadata.name' not found in resource at index 0"]`},
		"no metadata": {`[{"apiVersion":"v1","kind":"ConfigMap"}]`,
			`["Field 'metadata.name' not found in resource at index 0", "Field 'metadata' not found in resource at index 0"]`},
		"metadata of null": {`[{"apiVersion":"v1","kind":"ConfigMap","metadata":null}]`,
			`["Field 'metadata.name' not found in resource at index 0", "Field 'metadata' not found in resource at index 0"]`},
		"metadata of another type": {`[{"apiVersion":"v1","kind":"ConfigMap","metadata":"x"}]`,
			`["Field 'metadata.name' not found in resource at index 0"]`},
		"a name alone": {`[{"metadata":{"name":"x"}}]`,
			`["Field 'apiVersion' not found in resource at index 0 (metadata.name: 'x')", "Field 'kind' not found in resource at index 0 (metadata.name: 'x')"]`},
		"several objects, one list of messages": {`[{},{"apiVersion":"v1","metadata":{"name":"x"}}]`,
			`["Field 'metadata.name' not found in resource at index 0", "Field 'apiVersion' not found in resource at index 0", ` +
				`"Field 'kind' not found in resource at index 0", "Field 'metadata' not found in resource at index 0", ` +
				`"Field 'kind' not found in resource at index 1 (metadata.name: 'x')"]`},
	} {
		t.Run(name, func(t *testing.T) {
			want := c.want
			if want != "" {
				want = `{'spec': {'manifest': ` + want + `}}`
			}
			if got := refusal(t, api.ApplicationKind, application(`"manifest":`+c.manifest)); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestAnApplicationIsDefinedInOneOfThreeWays(t *testing.T) {
	const (
		nothing = `{'spec': {'_schema': ['The application should be defined by a manifest file, a TOSCA template or a CSAR file.']}}`
		archive = `{'spec': {'csar': ['Invalid CSAR archive URL.']}}`
		url     = `{'spec': {'tosca': ['Invalid TOSCA template URL.']}}`
		content = `{'spec': {'tosca': ['Invalid TOSCA template content.']}}`
	)
	for name, c := range map[string]struct{ fields, want string }{
		"nothing":                 {`"manifest":[]`, nothing},
		"nothing in all three":    {`"manifest":[],"tosca":{},"csar":null`, nothing},
		"an empty URL":            {`"manifest":[],"tosca":""`, nothing},
		"no manifest":             {`"tosca":"http://x/t.yaml"`, `{'spec': {'manifest': ['Missing data for required field.']}}`},
		"an archive":              {`"manifest":[],"csar":"http://x/a.csar"`, ``},
		"a zipped archive":        {`"manifest":[],"csar":"http://x/a.zip"`, ``},
		"another file":            {`"manifest":[],"csar":"http://x/a.tar"`, archive},
		"a template's URL":        {`"manifest":[],"tosca":"http://x/t.yaml"`, ``},
		"a template's URL, short": {`"manifest":[],"tosca":"http://x/t.yml"`, ``},
		"another URL":             {`"manifest":[],"tosca":"http://x/t.json"`, url},
		"a template":              {`"manifest":[],"tosca":{"tosca_definitions_version":"tosca_simple_yaml_1_0"}`, ``},
		"a template of the profile for network functions": {`"manifest":[],"tosca":{"tosca_definitions_version":"tosca_simple_profile_for_nfv_1_0_0"}`, ``},
		"a template of the profile for the edge":          {`"manifest":[],"tosca":{"tosca_definitions_version":"tosca_simple_profile_for_mec_1_0_0"}`, ``},
		"a template of the newer version":                 {`"manifest":[],"tosca":{"tosca_definitions_version":"tosca_simple_yaml_1_2"}`, ``},
		"a template of an old version":                    {`"manifest":[],"tosca":{"tosca_definitions_version":"tosca_simple_yaml_1_1"}`, content},
		"a template without version":                      {`"manifest":[],"tosca":{"topology_template":{}}`, content},
		"a version that is an object":                     {`"manifest":[],"tosca":{"tosca_definitions_version":{}}`, content},
		"a topology of null":                              {`"manifest":[],"tosca":{"tosca_definitions_version":"tosca_simple_yaml_1_0","topology_template":null}`, content},
		"a topology that is a list":                       {`"manifest":[],"tosca":{"tosca_definitions_version":"tosca_simple_yaml_1_0","topology_template":[]}`, content},
		"nodes that are a list":                           {`"manifest":[],"tosca":{"tosca_definitions_version":"tosca_simple_yaml_1_0","topology_template":{"node_templates":[]}}`, content},
		"a node without a type":                           {`"manifest":[],"tosca":{"tosca_definitions_version":"tosca_simple_yaml_1_0","topology_template":{"node_templates":{"a":{}}}}`, content},
		"a node of null":                                  {`"manifest":[],"tosca":{"tosca_definitions_version":"tosca_simple_yaml_1_0","topology_template":{"node_templates":{"a":null}}}`, content},
		"a node with a type":                              {`"manifest":[],"tosca":{"tosca_definitions_version":"tosca_simple_yaml_1_0","topology_template":{"node_templates":{"a":{"type":"tosca.nodes.Root"}}}}`, ``},
		"a template of another type":                      {`"manifest":[],"tosca":5`, `{'spec': {'tosca': [['Not a valid mapping type.'], ['Not a valid string.']]}}`},
		"a template of null":                              {`"manifest":[],"tosca":null`, `{'spec': {'tosca': ['Field may not be null.']}}`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := refusal(t, api.ApplicationKind, application(c.fields)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestATemplateIsGivenBackInTheFormItCame(t *testing.T) {
	for in, want := range map[string]string{
		`"http://x/t.yaml"`: `"http://x/t.yaml"`, `{}`: `{}`, `""`: `{}`,
		`{"tosca_definitions_version":"tosca_simple_yaml_1_0"}`: `{"tosca_definitions_version":"tosca_simple_yaml_1_0"}`,
	} {
		var source api.ToscaSource
		if err := source.DecodeWire(parse(t, in)); err != nil {
			t.Fatal(err)
		}
		if got := text(t, source); got != want {
			t.Errorf("%s became %s", in, got)
		}
	}
	a, b := api.ToscaSource{Template: map[string]any{"a": int64(1)}}, api.ToscaSource{Template: map[string]any{"a": int64(2)}}
	if a.Equal(b) || !a.Equal(a) || a.Equal(api.ToscaSource{URL: "x.yaml"}) || !(api.ToscaSource{}).Equal(api.ToscaSource{Template: map[string]any{}}) {
		t.Error("templates are equal when their content is")
	}
}

// A record may be older than a rule, or come from the reference, which has fewer: it must stay readable.
func TestStoredRecordsAreNotAskedForRulesOfContent(t *testing.T) {
	for name, doc := range map[string]struct {
		kind *api.Kind
		text string
	}{
		"a kubeconfig that runs a program": {api.ClusterKind, `{"metadata":{"name":"c"},"spec":{"kubeconfig":` +
			`{"current-context":"a","contexts":[{"name":"a","context":{"cluster":"k"}}],"clusters":[{"name":"k","cluster":{}}],"users":[{"name":"u","user":{"exec":{"command":"x"}}}]}}}`},
		"a manifest without names":      {api.ApplicationKind, `{"metadata":{"name":"a"},"spec":{"manifest":[{"kind":"x"}]}}`},
		"an application of nothing":     {api.ApplicationKind, `{"metadata":{"name":"a"},"spec":{}}`},
		"a cluster of nothing":          {api.ClusterKind, `{"metadata":{"name":"c"},"spec":{}}`},
		"a name that would be refused":  {api.ClusterKind, `{"metadata":{"name":"a b"}}`},
		"an observer schema of nothing": {api.ApplicationKind, `{"metadata":{"name":"a"},"spec":{"manifest":[{"kind":"x"}],"observer_schema":[{"x":1}]}}`},
	} {
		if _, err := doc.kind.Decode(parse(t, doc.text), wire.Stored); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
