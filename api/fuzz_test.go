package api_test

import (
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
)

// Whatever is sent or stored, a kind refuses it in words or reads an object that reads as itself.
func FuzzKinds(f *testing.F) {
	for _, text := range []string{
		`{"metadata":{"name":"a"},"spec":` + validSpec + `,"status":{}}`,
		clusterBody(`"kubeconfig":` + kubeconfig),
		application(`"manifest":[],"tosca":{"tosca_definitions_version":"tosca_simple_yaml_1_0","topology_template":{"node_templates":{}}}`),
		application(`"manifest":[{"apiVersion":"v1","kind":"Service","metadata":{"name":"web"}}],"observer_schema":[{"apiVersion":{},"kind":[],"metadata":{"name":"web"},"x":[[null,{"observer_schema_list_min_length":0,"observer_schema_list_max_length":1}]]}]`),
		`{"metadata":{"name":"l","created":"2026-01-01T10:00:00+24:00"},"spec":{"identity":"x","objects":[{}]},"status":{"conditions":[{"type":"A","status":"True","last_transition":"2026-1-1 1:1"}]}}`,
		`{"metadata":{"name":"a"},"rules":[{"api":"","resources":[""],"namespaces":[],"verbs":["get","equals"]}],"users":[null],"roles":"x"}`,
		`{"metadata":{"name":"a"},"spec":{` + metricBody + `}}`,
		`{"metadata":{"name":"a"},"spec":{"type":"im","im":{"url":"x","username":null,"token":""}}}`,
		`{"metadata":{"name":"a"},"spec":{"type":"influx","influx":{"url":"","token":"","org":"","bucket":""},"static":{"metrics":{"a":"1e999"}}}}`,
		`{"metadata":{"name":"a"},"spec":{"type":"openstack","openstack":{` + cloudBody + `},"metrics":[{"name":"m","weight":"1","namespaced":"yes"}]}},"status":{"state":"ONLINE","conditions":null}}`,
		`{"metadata":{"name":"a"},"spec":{"url":"x","template":"t",` + ids + `},"status":{}}`,
		`{"metadata":{"name":"a"},"spec":{"master_count":1.9,"constraints":{"project":{"labels":["a is b"]}}},"status":{"template":"t","master_addresses":[null]}}`,
		`{"metadata":{"labels":{"a":5}},"spec":{"constraints":{"cluster":{"labels":["a is b",5],"metrics":["load > 5",null]}}}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, k := range api.Kinds {
			for _, mode := range []wire.Mode{wire.Create, wire.Update, wire.Stored} {
				doc, err := wire.Parse(data)
				if err != nil {
					return
				}
				r, err := k.Decode(doc, mode)
				if err != nil {
					if err.Error() == "{}" {
						t.Fatal("refused without a word")
					}
					continue
				}
				again, err := k.Decode(parse(t, text(t, r)), wire.Stored)
				if err != nil {
					t.Fatalf("%s cannot be read again: %v", text(t, r), err)
				}
				if !wire.Equal(r, again) {
					t.Fatalf("%s reads as %s", text(t, r), text(t, again))
				}
			}
		}
	})
}

func FuzzTime(f *testing.F) {
	for _, text := range []string{"2026-11-22T09:30:21.851661+00:00", "2026-1-2 3:4", "2026-01-01T10:00:00-2359", "2026-02-30T00:00:00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var first, second api.Time
		if err := first.DecodeWire(text); err != nil {
			return
		}
		if err := second.DecodeWire(first.String()); err != nil || !first.Equal(second) || first.String() != second.String() {
			t.Fatalf("%s reads as %s, and that as %s: %v", text, first, second, err)
		}
	})
}
