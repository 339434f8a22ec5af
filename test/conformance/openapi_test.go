package conformance

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
)

// What the server says of its answers is true of them, and of what it accepts.
func TestDocumentsAreAsTheServerDescribesThem(t *testing.T) {
	s := start(t)
	served := s.ask(t, "GET", "/openapi.json", nil).want(t, 200)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(served.body))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("krake.json", doc); err != nil {
		t.Fatal(err)
	}
	check := func(t tb, schema *jsonschema.Schema, body []byte) {
		t.Helper()
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
		if err == nil {
			err = schema.Validate(value)
		}
		if err != nil {
			t.Errorf("%v: %s", err, body)
		}
	}
	compile := func(name string) *jsonschema.Schema {
		schema, err := c.Compile("krake.json#/components/schemas/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return schema
	}
	problem := compile("Problem")
	check(t, problem, s.ask(t, "GET", "/nope", nil).want(t, 404).body)
	for _, k := range api.Kinds {
		t.Run(k.Name, func(t *testing.T) {
			object, list := compile(k.Name), compile(k.Name+"List")
			rapid.Check(t, func(t *rapid.T) {
				name, namespace := fresh(), namespaceOf(k, "solar")
				created := s.ask(t, "POST", k.Path(namespace, ""), drawBody(t, k, name)).want(t, 200)
				check(t, object, created.body)
				if k.Status {
					status := document{"status": drawStatus(t, k)}
					check(t, object, s.ask(t, "PATCH", k.Path(namespace, name)+"/status", status).want(t, 200).body)
				}
				check(t, list, s.ask(t, "GET", k.Path(namespace, ""), nil).want(t, 200).body)
			})
		})
	}
}
