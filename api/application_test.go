package api_test

import (
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
)

// A free object on the wire: what our controllers do not write is kept as well.
func TestServicesAreWhateverWasWritten(t *testing.T) {
	for name, c := range map[string]struct {
		services string
		web      string // where the service of that name is
	}{
		"none":                         {`{}`, ""},
		"an address":                   {`{"web":"10.0.0.1:30001"}`, "10.0.0.1:30001"},
		"addresses":                    {`{"db":"10.0.0.1:30002","web":"10.0.0.1:30001"}`, "10.0.0.1:30001"},
		"an object for an address":     {`{"web":{"host":"10.0.0.1","ports":[30001,null]}}`, ""},
		"a list, a number, and null":   {`{"db":5,"queue":null,"web":["10.0.0.1"]}`, ""},
		"a text beside something else": {`{"db":{},"web":"10.0.0.1:30001"}`, "10.0.0.1:30001"},
	} {
		t.Run(name, func(t *testing.T) {
			doc := parse(t, `{"metadata":{"name":"a","uid":"u","created":"2026-01-01T00:00:00","modified":"2026-01-01T00:00:00"},"spec":`+
				validSpec+`,"status":{"services":`+c.services+`}}`)
			r, err := api.ApplicationKind.Decode(doc, wire.Update)
			if err != nil {
				t.Fatal(err)
			}
			services := r.(*api.Application).Status.Services
			if got := text(t, services); got != c.services {
				t.Errorf("they became %s", got)
			}
			if got := services.Text("web"); got != c.web {
				t.Errorf("web is at %q", got)
			}
		})
	}
}

func TestServicesAreComparedWithAddresses(t *testing.T) {
	addresses := map[string]string{"web": "10.0.0.1:30001"}
	for name, c := range map[string]struct {
		services api.Services
		want     bool
	}{
		"the same":            {api.Services{"web": "10.0.0.1:30001"}, true},
		"none":                {nil, false},
		"another address":     {api.Services{"web": "10.0.0.2:30001"}, false},
		"another service":     {api.Services{"db": "10.0.0.1:30001"}, false},
		"one more":            {api.Services{"web": "10.0.0.1:30001", "db": "x"}, false},
		"one more of no text": {api.Services{"web": "10.0.0.1:30001", "db": nil}, false},
		"no text":             {api.Services{"web": map[string]any{"host": "10.0.0.1"}}, false},
	} {
		if got := c.services.Are(addresses); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
