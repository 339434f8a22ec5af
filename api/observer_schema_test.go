package api_test

import (
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
)

// C17 of the acceptance scenarios: the table of what an observer schema may be.
func TestC17ObserverSchemas(t *testing.T) {
	const (
		manifest = `[{"apiVersion":"v1","kind":"Service","metadata":{"name":"web","namespace":"x"}}]`
		head     = `"apiVersion":"v1","kind":"Service","metadata":{"name":"web"}`
		low      = `observer_schema_list_min_length`
		high     = `observer_schema_list_max_length`
	)
	control := func(min, max string) string { return `{"` + low + `":` + min + `,"` + high + `":` + max + `}` }
	ports := func(list string) string { return `{` + head + `,"spec":{"ports":` + list + `}}` }
	for name, c := range map[string]struct{ schema, want string }{
		"the object alone":                      {`{` + head + `}`, ``},
		"fields to watch":                       {`{` + head + `,"spec":{"type":null,"a":{"b":null}},"status":null}`, ``},
		"other metadata to watch":               {`{"apiVersion":"v1","kind":"Service","metadata":{"name":"web","labels":{"a":null}}}`, ``},
		"no API version":                        {`{"kind":"Service","metadata":{"name":"web"}}`, `apiVersion is not defined`},
		"an API version of null":                {`{"apiVersion":null,"kind":"Service","metadata":{"name":"web"}}`, `apiVersion is not defined`},
		"no kind":                               {`{"apiVersion":"v1","metadata":{"name":"web"}}`, `kind is not defined`},
		"no metadata":                           {`{"apiVersion":"v1","kind":"Service"}`, `metadata dictionary is not defined`},
		"metadata that are a text":              {`{"apiVersion":"v1","kind":"Service","metadata":"web"}`, `metadata must be a dictionary`},
		"no name":                               {`{"apiVersion":"v1","kind":"Service","metadata":{}}`, `name is not defined in the metadata dictionary`},
		"a value":                               {`{` + head + `,"spec":{"type":"LoadBalancer"}}`, `Value of 'type' is not 'None'`},
		"a value among the metadata":            {`{"apiVersion":"v1","kind":"Service","metadata":{"name":"web","namespace":"x"}}`, `Value of 'namespace' is not 'None'`},
		"a name that is deeper down":            {`{` + head + `,"spec":{"metadata":{"name":"x"}}}`, `Value of 'name' is not 'None'`},
		"an object that is not in the manifest": {`{"apiVersion":"v1","kind":"Service","metadata":{"name":"db"}}`, `Observed resource must be in manifest`},
		"another kind of that name":             {`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"}}`, `Observed resource must be in manifest`},
		"a version that is an object":           {`{"apiVersion":{"a":null},"kind":"Service","metadata":{"name":"web"}}`, `Observed resource must be in manifest`},
		"a list of any length":                  {ports(`[{"port":null},` + control(`0`, `0`) + `]`), ``},
		"a list of bounded length":              {ports(`[null,null,` + control(`2`, `3`) + `]`), ``},
		"a list in a list":                      {ports(`[[null,` + control(`0`, `1`) + `],` + control(`1`, `1`) + `]`), ``},
		"an empty list":                         {ports(`[]`), `Special list control dictionary not found`},
		"a list without a control object":       {ports(`[null]`), `Special list control dictionary not found`},
		"a control object that lacks a bound":   {ports(`[{"` + low + `":0}]`), `Special list control dictionary malformed`},
		"a control object with another key":     {ports(`[{"` + low + `":0,"` + high + `":0,"x":null}]`), `Special list control dictionary malformed`},
		"a minimum that is a text":              {ports(`[` + control(`"1"`, `0`) + `]`), low + ` should be an integer`},
		"a maximum that is a boolean":           {ports(`[` + control(`0`, `true`) + `]`), high + ` should be an integer`},
		"a minimum below zero":                  {ports(`[` + control(`-1`, `0`) + `]`), `Invalid value for ` + low},
		"a maximum below zero":                  {ports(`[` + control(`0`, `-1`) + `]`), `Invalid value for ` + high},
		"a maximum below the minimum":           {ports(`[` + control(`3`, `2`) + `]`), high + ` is inferior to ` + low},
		"a maximum below the number there":      {ports(`[null,null,` + control(`0`, `1`) + `]`), high + ` is inferior to the number of observed elements`},
		"an element that is a value":            {ports(`[1,` + control(`0`, `0`) + `]`), `Element of a list is not 'None'`},
		"a value inside of an element":          {ports(`[{"port":80},` + control(`0`, `0`) + `]`), `Value of 'port' is not 'None'`},
		"a broken list inside of a list":        {ports(`[[],` + control(`0`, `0`) + `]`), `Special list control dictionary not found`},
	} {
		t.Run(name, func(t *testing.T) {
			want := ""
			if c.want != "" {
				errs := &wire.Errors{}
				errs.At("spec").At("observer_schema").Add(c.want + " (index 0)")
				want = errs.Error()
			}
			body := application(`"manifest":` + manifest + `,"observer_schema":[` + c.schema + `]`)
			if got := refusal(t, api.ApplicationKind, body); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
	t.Run("is looked at only where there is a manifest", func(t *testing.T) {
		body := application(`"manifest":[],"tosca":"http://x/t.yaml","observer_schema":[{}]`)
		if got := refusal(t, api.ApplicationKind, body); got != "" {
			t.Error(got)
		}
	})
	t.Run("tells every object that is wrong", func(t *testing.T) {
		body := application(`"manifest":` + manifest + `,"observer_schema":[{},{` + head + `},{"apiVersion":"v1"}]`)
		want := `{'spec': {'observer_schema': ['apiVersion is not defined (index 0)', 'kind is not defined (index 2)']}}`
		if got := refusal(t, api.ApplicationKind, body); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}
