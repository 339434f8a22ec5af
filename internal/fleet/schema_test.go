package fleet

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
)

func parsed(t testing.TB, text string) map[string]any {
	t.Helper()
	var raw map[string]any
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	out, err := plainMap(raw)
	if err != nil {
		t.Fatal(err)
	}
	return integers(out).(map[string]any)
}

// integers makes whole numbers what the cluster's decoder makes of them.
func integers(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key := range v {
			v[key] = integers(v[key])
		}
	case []any:
		for i := range v {
			v[i] = integers(v[i])
		}
	case float64:
		if v == float64(int64(v)) {
			return int64(v)
		}
	}
	return value
}

const portKeys = `{"f:spec": {"f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {"f:port": {}, "f:name": {}}, "k:{\"port\":81,\"protocol\":\"TCP\"}": {"f:port": {}, "f:name": {}}}}}`

func TestAFormIsSplitByItsSchema(t *testing.T) {
	for name, c := range map[string]struct{ schema, form, own, observed, rest, whole string }{
		"a field each": {
			`{"metadata": {}, "spec": {"a": null}}`, `{"kind": "K", "metadata": {"name": "n"}, "spec": {"a": 1, "b": 2}}`, `{}`,
			`{"kind": "K", "metadata": {"name": "n"}, "spec": {"a": 1}}`, `{"kind": "K", "metadata": {"name": "n"}, "spec": {"b": 2}}`, ``},
		"a map as a whole":       {`{"spec": {"a": null}}`, `{"spec": {"a": {"x": 1, "y": [2]}}}`, `{}`, `{"spec": {"a": {"x": 1, "y": [2]}}}`, `null`, ``},
		"nothing":                {`{}`, `{"spec": {"a": 1}}`, `{}`, `null`, `{"spec": {"a": 1}}`, ``},
		"something that is not":  {`{"spec": {"z": null}}`, `{"spec": {"a": 1}}`, `{}`, `null`, `{"spec": {"a": 1}}`, ``},
		"the status is nobody's": {`{"status": null}`, `{"status": {"a": 1}, "spec": {}}`, `{}`, `null`, `{"spec": {}}`, ``},
		"elements with key fields": {
			`{"spec": {"ports": [{"name": null}, {"control": 1}]}}`,
			`{"spec": {"ports": [{"port": 80, "name": "a", "x": 1}, {"port": 81, "name": "b"}]}}`, portKeys,
			`{"spec": {"ports": [{"port": 80, "protocol": "TCP", "name": "a"}]}}`,
			`{"spec": {"ports": [{"port": 80, "protocol": "TCP", "x": 1}, {"port": 81, "name": "b"}]}}`, ``},
		"an element as a whole": {
			`{"spec": {"ports": [null, {"control": 1}]}}`, `{"spec": {"ports": [{"port": 80, "name": "a"}]}}`, portKeys,
			`{"spec": {"ports": [{"port": 80, "protocol": "TCP", "name": "a"}]}}`, `null`, ``},
		"an element that is only to be there": {
			`{"spec": {"ports": [{}, {"control": 1}]}}`, `{"spec": {"ports": [{"port": 80, "name": "a"}]}}`, portKeys,
			`{"spec": {"ports": [{"port": 80, "protocol": "TCP"}]}}`, `{"spec": {"ports": [{"port": 80, "protocol": "TCP", "name": "a"}]}}`, ``},
		"a length alone": {
			`{"spec": {"ports": [{"control": 1}]}}`, `{"spec": {"ports": [{"port": 80}]}}`, portKeys, `null`, `{"spec": {"ports": [{"port": 80}]}}`, ``},
		"a set": {
			`{"finalizers": [null, {"control": 1}]}`, `{"finalizers": ["a", "b"]}`, `{"f:finalizers": {"v:\"a\"": {}, "v:\"b\"": {}}}`,
			`{"finalizers": ["a"]}`, `{"finalizers": ["b"]}`, ``},
		"a list that is replaced as a whole":      {`{"args": [null, null, {"control": 1}]}`, `{"args": ["a", "b"]}`, `{"f:args": {}}`, `{"args": ["a", "b"]}`, `null`, ``},
		"a part of a list that is replaced so":    {`{"args": [null, {"control": 1}]}`, `{"args": ["a", "b"]}`, `{"f:args": {}}`, `{"args": ["a", "b"]}`, `null`, `args`},
		"a part of an element of such a list":     {`{"args": [{"x": null}, {"control": 1}]}`, `{"args": [{"x": 1, "y": 2}]}`, `{"f:args": {}}`, `{"args": [{"x": 1, "y": 2}]}`, `null`, `args`},
		"the schema of a map for something else":  {`{"a": {"b": null}}`, `{"a": "text"}`, `{}`, `{"a": "text"}`, `null`, ``},
		"the schema of a list for something else": {`{"a": [{"control": 1}]}`, `{"a": "text"}`, `{}`, `{"a": "text"}`, `null`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			got := splitBy(parsed(t, c.schema), parsed(t, c.form), parsed(t, c.own))
			for what, pair := range map[string][2]any{"observed": {orNil(got.observed), c.observed}, "rest": {orNil(got.rest), c.rest}} {
				var want any
				if pair[1] != "null" {
					want = parsed(t, pair[1].(string))
				}
				if diff := cmp.Diff(want, pair[0]); diff != "" {
					t.Errorf("%s: %s", what, diff)
				}
			}
			if whole := fmt.Sprint(got.whole); whole != "["+c.whole+"]" {
				t.Errorf("cannot be divided: %s", whole)
			}
		})
	}
}

func TestWhatIsObservedAndLeftToTheClusterStaysAsItWasFirst(t *testing.T) {
	for name, c := range map[string]struct{ schema, wanted, before, live, want string }{
		"the manifest has the first word":  {`{"replicas": null}`, `{"replicas": 2}`, `{"replicas": 1}`, `{"replicas": 3}`, `{"replicas": 2}`},
		"then what was assigned before":    {`{"replicas": null}`, `{}`, `{"replicas": 1}`, `{"replicas": 3}`, `{"replicas": 1}`},
		"then what the cluster has":        {`{"replicas": null}`, `{}`, `{}`, `{"replicas": 3}`, `{"replicas": 3}`},
		"and nothing that is not observed": {`{}`, `{}`, `{"replicas": 1}`, `{"replicas": 3}`, `{}`},
		"inside of what is not there":      {`{"spec": {"replicas": null}}`, `{}`, `{}`, `{"spec": {"replicas": 3, "x": 1}}`, `{"spec": {"replicas": 3}}`},
		"but no map that others fill":      {`{"labels": null}`, `{}`, `{}`, `{"labels": {"a": "b"}}`, `{}`},
		"in elements of lists": {`{"ports": [{"nodePort": null}, {"control": 1}]}`, `{"ports": [{"port": 80}]}`, `{}`,
			`{"ports": [{"port": 80, "nodePort": 30080}]}`, `{"ports": [{"port": 80, "nodePort": 30080}]}`},
		"if they are the same": {`{"ports": [{"nodePort": null}, {"control": 1}]}`, `{"ports": [{"port": 80}]}`, `{}`,
			`{"ports": [{"port": 81, "nodePort": 30080}]}`, `{"ports": [{"port": 80}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			wanted := parsed(t, c.wanted)
			got := complete(parsed(t, c.schema), wanted, parsed(t, c.before), parsed(t, c.live))
			if diff := cmp.Diff(any(parsed(t, c.want)), got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(parsed(t, c.wanted), wanted); diff != "" {
				t.Errorf("the manifest was changed: %s", diff)
			}
		})
	}
}

func TestWhatIsNotObservedKeepsItsLiveValue(t *testing.T) {
	got := blend(
		schemaNode{parsed(t, `{"spec": {"ports": [{"name": null}, {"control": 1}], "type": null}}`), true},
		parsed(t, `{"spec": {"ports": [{"port": 80, "name": "a", "x": 1}, {"port": 81, "name": "b"}], "type": "NodePort", "replicas": 1, "args": ["a"], "new": true}}`),
		parsed(t, `{"spec": {"ports": [{"port": 81, "protocol": "TCP", "name": "B"}, {"port": 80, "protocol": "TCP", "name": "A", "x": 7, "y": 8}], "type": "ClusterIP", "replicas": 5, "args": ["b"], "theirs": 1}}`),
		parsed(t, portKeys))
	want := parsed(t, `{"spec": {"ports": [{"port": 80, "name": "a", "x": 7}, {"port": 81, "name": "B"}], "type": "NodePort", "replicas": 5, "args": ["b"], "new": true}}`)
	if diff := cmp.Diff(any(want), got); diff != "" {
		t.Error(diff)
	}
}

func TestListsOfAWrongLengthAreFound(t *testing.T) {
	schema := parsed(t, `{"spec": {"ports": [{"port": null}, {"observer_schema_list_min_length": 1, "observer_schema_list_max_length": 2}],
		"free": [{"observer_schema_list_min_length": 0, "observer_schema_list_max_length": 0}]}}`)
	for live, want := range map[string]string{
		`{"spec": {"ports": [{"port": 80}], "free": [1, 2, 3]}}`:                        "[]",
		`{"spec": {"ports": [{"port": 80}, {"port": 81}]}}`:                             "[]",
		`{"spec": {"ports": [{"port": 80}, {"port": 81}, {"port": 82}, {"port": 83}]}}`: "[spec.ports has 4 elements, at most 2 are allowed] [/spec/ports/3 /spec/ports/2]",
		`{"spec": {"ports": [{"port": 82}, {"port": 81}, {"port": 80}]}}`:               "[spec.ports has 3 elements, at most 2 are allowed] [/spec/ports/0]",
		`{"spec": {"ports": []}}`:                                                       "[spec.ports has 0 elements, at least 1 are wanted] []",
		`{"metadata": {"name": "nothing is known of the rest"}}`:                        "[]",
	} {
		found := misfits("", "", schema, parsed(t, live), parsed(t, portKeys))
		got := fmt.Sprint(found)
		for _, m := range found {
			got += " " + fmt.Sprint(m.surplus())
		}
		if got != want {
			t.Errorf("%s: %s, want %s", live, got, want)
		}
	}
}

// The reference's worked examples of the documents in a status.
func TestTheDocumentsOfAStatus(t *testing.T) {
	service := parsed(t, `{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"type": "NodePort", "ports": [{"port": 80, "protocol": "TCP"}]}}`)
	balancer := parsed(t, `{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "lb"}, "spec": {"type": "LoadBalancer"}}`)
	custom := parsed(t, `{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "other"}, "spec": {"type": null}}`)
	other := parsed(t, `{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "other"}, "spec": {"type": "ClusterIP"}}`)
	effective := effectiveSchema([]map[string]any{custom}, []map[string]any{service, other, balancer})
	want := []map[string]any{
		custom,
		parsed(t, `{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"type": null, "ports": [{"port": null, "protocol": null},
			{"observer_schema_list_min_length": 1, "observer_schema_list_max_length": 1}]}}`),
		parsed(t, `{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "lb"}, "spec": {"type": null}, "status": {"loadBalancer": {"ingress": null}}}`),
	}
	if diff := cmp.Diff(want, effective); diff != "" {
		t.Error(diff)
	}
	live := parsed(t, `{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default", "uid": "u"},
		"spec": {"type": "NodePort", "clusterIP": "10.0.0.1", "ports": [{"port": 80, "protocol": "TCP", "nodePort": 30080}, {"port": 81}]}}`)
	observation := parsed(t, `{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"type": "NodePort",
		"ports": [{"port": 80, "protocol": "TCP"}, {"observer_schema_list_current_length": 2}]}}`)
	if diff := cmp.Diff(observation, observationOf(effective[1], &unstructured.Unstructured{Object: live})); diff != "" {
		t.Error(diff)
	}
}

// A document is the same when it is read from a status again, where a whole number is no fraction.
func TestDocumentsAreWhatIsReadAgain(t *testing.T) {
	o := parsed(t, `{"apiVersion": "example.org/v1", "kind": "Gauge", "metadata": {"name": "g"}, "spec": {"limit": 2, "parts": [{"share": 1}]}}`)
	live := parsed(t, `{"apiVersion": "example.org/v1", "kind": "Gauge", "metadata": {"name": "g"}, "spec": {"limit": 2, "parts": [{"share": 1}]}}`)
	mapAt(live, "spec")["limit"] = float64(2) // as a cluster may say it
	listAt(live, "spec", "parts")[0]["share"] = 0.5
	key := Key{Kind: "Gauge", Name: "g"}
	d := Describe(Wish{Manifest: []map[string]any{o}}, Snapshot{
		entries: []api.InventoryObject{{Kind: "Gauge", Name: "g"}}, live: map[Key]*unstructured.Unstructured{key: {Object: live}},
	})
	content, err := json.Marshal(d.Observed)
	if err != nil {
		t.Fatal(err)
	}
	again, err := wire.Parse(content)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(again, any([]any{d.Observed[0]})); diff != "" {
		t.Error(diff)
	}
	if limit := mapAt(live, "spec")["limit"]; limit != float64(2) {
		t.Errorf("the live object was changed: %v", limit)
	}
}

// However a schema divides a form, nothing is lost: both parts together are the form, and what covers everything leaves
// nothing.
func TestASplitLosesNothing(t *testing.T) {
	leaf := rapid.Custom(func(t *rapid.T) any { return rapid.SampledFrom([]any{int64(1), "x", true}).Draw(t, "leaf") })
	var tree func(depth int) *rapid.Generator[any]
	tree = func(depth int) *rapid.Generator[any] {
		if depth == 0 {
			return leaf
		}
		return rapid.OneOf(leaf, rapid.Map(rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c"}), tree(depth-1), 1, 3), func(m map[string]any) any { return m }))
	}
	var partOf func(t *rapid.T, value any) any
	partOf = func(t *rapid.T, value any) any {
		fields, ok := value.(map[string]any)
		if !ok || rapid.IntRange(0, 3).Draw(t, "as a whole") == 0 {
			return nil
		}
		out := map[string]any{}
		for key, inner := range fields {
			if rapid.Bool().Draw(t, "observe "+key) {
				out[key] = partOf(t, inner)
			}
		}
		return out
	}
	rapid.Check(t, func(t *rapid.T) {
		form := map[string]any{"spec": tree(3).Draw(t, "form")}
		schema, _ := partOf(t, form).(map[string]any)
		got := splitBy(schema, form, nil)
		together := union(got.observed, got.rest)
		if together == nil {
			together = map[string]any{}
		}
		if diff := cmp.Diff(form, together); diff != "" {
			t.Fatalf("schema %v: %s", schema, diff)
		}
	})
}
