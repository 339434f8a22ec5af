package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/constraint"
	"github.com/rak-n-rok/krake/api/wire"
)

func TestNames(t *testing.T) {
	for name, want := range map[string]bool{
		"5": true, "_x_": true, "role:system:gc": true, "a.b-c_d:e": true, "A": true, "_": true, "a--b": true, "a..b": true,
		strings.Repeat("a", 255): true,
		"":                       false, "a b": false, "-a": false, "a-": false, "a.": false, ".": false, "..": false, ":a": false, "é": false,
		"a/b": false, "a%2Fb": false, "a\n": false, "\na": false, strings.Repeat("a", 256): false, "a\x00b": false, "٣": false,
	} {
		if got := api.ValidName(name); got != want {
			t.Errorf("%q: %t", name, got)
		}
	}
}

func TestMetadataOfARequest(t *testing.T) {
	key, value := func(k string) string {
		return fmt.Sprintf("Label key '%s' does not match the regex '%s'.", k, constraint.KeyPattern)
	}, func(v string) string {
		return fmt.Sprintf("Label value '%s' does not match the regex '%s'.", v, constraint.ValuePattern)
	}
	// The reference prints texts with single quotes inside in double quotes, and doubles backslashes.
	printed := func(s string) string { return `"` + strings.ReplaceAll(s, `\`, `\\`) + `"` }
	for name, c := range map[string]struct{ metadata, want string }{
		"a name is enough":               {`{"name":"a"}`, ``},
		"no name":                        {`{}`, `{'name': ['Missing data for required field.']}`},
		"an invalid name":                {`{"name":"two words"}`, `{'name': ['Invalid character in resource name.']}`},
		"an invalid namespace":           {`{"name":"a","namespace":"-"}`, `{'namespace': ['Invalid character in resource namespace.']}`},
		"both":                           {`{"name":"","namespace":""}`, `{'name': ['Invalid character in resource name.'], 'namespace': ['Invalid character in resource namespace.']}`},
		"a namespace of null":            {`{"name":"a","namespace":null}`, ``},
		"labels":                         {`{"name":"a","labels":{"tier":"edge","k.io/x-y_z":"A.b"}}`, ``},
		"labels of the longest size":     {`{"name":"a","labels":{"` + strings.Repeat("p", 253) + "/" + strings.Repeat("k", 63) + `":"` + strings.Repeat("v", 63) + `"}}`, ``},
		"an empty label value":           {`{"name":"a","labels":{"tier":""}}`, `{'labels': [{'': ` + printed(value("")) + `}]}`},
		"an empty label key":             {`{"name":"a","labels":{"":"x"}}`, `{'labels': [{'': ` + printed(key("")) + `}]}`},
		"two slashes in a key":           {`{"name":"a","labels":{"a/b/c":"x"}}`, `{'labels': [{'a/b/c': ` + printed(key("a/b/c")) + `}]}`},
		"a colon in a key and a value":   {`{"name":"a","labels":{"a:b":"c:d"}}`, `{'labels': [{'a:b': ` + printed(key("a:b")) + `}, {'c:d': ` + printed(value("c:d")) + `}]}`},
		"all labels are checked":         {`{"name":"a","labels":{"x":"-","y":"ok","z":"/"}}`, `{'labels': [{'-': ` + printed(value("-")) + `}, {'/': ` + printed(value("/")) + `}]}`},
		"label values are not converted": {`{"name":"a","labels":{"x":5}}`, `{'labels': [{'5': "expected string or bytes-like object, got 'int'"}]}`},
		"a list of labels":               {`{"name":"a","labels":["x"]}`, `{'labels': ['Not a valid mapping type.']}`},
		"labels of null":                 {`{"name":"a","labels":null}`, `{'labels': ['Field may not be null.']}`},
		"finalizers":                     {`{"name":"a","finalizers":["x",5]}`, `{'finalizers': {1: ['Not a valid string.']}}`},
		"owners": {`{"name":"a","owners":[{"api":"a","kind":"b","name":"not a name"},{"kind":"b","name":null}]}`,
			`{'owners': {1: {'api': ['Missing data for required field.'], 'name': ['Field may not be null.']}}}`},
		"what the server sets is not looked at": {`{"name":"a","uid":5,"created":"bogus","modified":null,"deleted":[],"resource_version":{},"generation":"x"}`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			got, want := refusal(t, api.ApplicationKind, `{"metadata":`+c.metadata+`,"spec":`+validSpec+`}`), c.want
			if want != "" {
				want = `{'metadata': ` + want + `}`
			}
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

const validSpec = `{"manifest":[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"panel"}}],"constraints":{"cluster":{}}}`

func TestWhatTheServerSetsMustBeWellFormedInAnUpdate(t *testing.T) {
	const now = `"2026-01-01T00:00:00Z"`
	for name, c := range map[string]struct{ fields, want string }{
		"all there":                    {`"uid":"u","created":` + now + `,"modified":` + now, ``},
		"deleted may be null":          {`"uid":"u","created":` + now + `,"modified":` + now + `,"deleted":null`, ``},
		"deleted must be a time":       {`"uid":"u","created":` + now + `,"modified":` + now + `,"deleted":"x"`, `{'metadata': {'deleted': ['Not a valid datetime.']}}`},
		"uid is missed":                {`"created":` + now + `,"modified":` + now, `{'metadata': {'uid': ['Missing data for required field.']}}`},
		"created must be a time":       {`"uid":"u","created":5,"modified":` + now, `{'metadata': {'created': ['Not a valid datetime.']}}`},
		"modified may not be null":     {`"uid":"u","created":` + now + `,"modified":null`, `{'metadata': {'modified': ['Field may not be null.']}}`},
		"a version may be any value":   {`"uid":"u","created":` + now + `,"modified":` + now + `,"resource_version":5`, ``},
		"a generation may be anything": {`"uid":"u","created":` + now + `,"modified":` + now + `,"generation":"x"`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := api.ApplicationKind.Decode(parse(t, `{"metadata":{"name":"a",`+c.fields+`},"spec":`+validSpec+`,"status":{}}`), wire.Update)
			if got := fmt.Sprint(err); got != c.want && (err != nil || c.want != "") {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestReferencesAreTheSameWhenAllFieldsAre(t *testing.T) {
	base := api.ResourceRef{API: "kubernetes", Namespace: pointer("solar"), Kind: "Cluster", Name: "edge-1"}
	if !base.Equal(api.ResourceRef{API: "kubernetes", Namespace: pointer("solar"), Kind: "Cluster", Name: "edge-1"}) {
		t.Error("equal references are not")
	}
	for name, other := range map[string]api.ResourceRef{
		"another api":        {API: "core", Namespace: pointer("solar"), Kind: "Cluster", Name: "edge-1"},
		"another namespace":  {API: "kubernetes", Namespace: pointer("wind"), Kind: "Cluster", Name: "edge-1"},
		"no namespace":       {API: "kubernetes", Kind: "Cluster", Name: "edge-1"},
		"another kind":       {API: "kubernetes", Namespace: pointer("solar"), Kind: "Application", Name: "edge-1"},
		"another name":       {API: "kubernetes", Namespace: pointer("solar"), Kind: "Cluster", Name: "edge-2"},
		"a slash that moved": {API: "kubernetes", Kind: "Cluster", Name: "solar/edge-1"},
	} {
		if base.Equal(other) || api.SameRef(&base, &other) {
			t.Errorf("%s is the same", name)
		}
	}
	if api.SameRef(&base, nil) || api.SameRef(nil, &base) || !api.SameRef(nil, nil) {
		t.Error("null is only the same as null")
	}
	if got, want := base.String(), "kubernetes/Cluster/solar/edge-1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTheLastFinalizerIsNext(t *testing.T) {
	m := api.Metadata{Finalizers: []string{"mine", api.FinalizerCascade}}
	if got := m.LastFinalizer(); got != api.FinalizerCascade {
		t.Errorf("got %q", got)
	}
	if got := (&api.Metadata{}).LastFinalizer(); got != "" {
		t.Errorf("got %q of none", got)
	}
}
