package objectrule

import (
	"encoding/json"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
)

// Whatever stands in a rule and on a cluster: compiling and asking come to an end, in an answer that holds what it
// promises or in an error.
func FuzzRule(f *testing.F) {
	for _, text := range []string{
		`self.status.ready == self.spec.replicas`, `self.status.host + ":80"`, `self.status.ready`, `[self, self] == [self, self]`,
		`self.?status.?url.orValue("").split("/")[2]`, `self.status.conditions.filter(c, c.type == "Ready")[0].message`,
		`self.all(k, self[k] == self[k])`, `cel.bind(a, [self, self], cel.bind(b, [a, a], b == b))`, `string(self.status.port)`,
		`self.status.url.matches(self.status.phase)`, `timestamp(self.status.phase).getHours("Europe/Berlin") > 0`,
		`strings.quote("").reverse().charAt(0)`, `[1].map(a,{a:a}).map(a,{a:a}) == []`, `has(self.status) ? 1 : dyn("")`, `-9223372036854775808 - 1`,
		`self.map(k, k).exists_one(k, k in self)`, `b"\xff" == bytes(self.kind)`, `type(self) == map`, `optional.of(self).optMap(x, [x, x]).hasValue()`,
	} {
		f.Add(text, database)
	}
	f.Add(`self`, `{"a": 1e999, "b": [[[{}]]]}`)
	f.Fuzz(func(t *testing.T, text, object string) {
		doc, err := wire.Parse([]byte(object))
		tree, isObject := doc.(map[string]any)
		if err != nil || !isObject {
			tree = map[string]any{}
		}
		before, _ := json.Marshal(tree)
		for _, spec := range []api.ObjectRuleSpec{
			{Ready: text}, {Message: text}, {Addresses: map[string]string{"a": text}}, {Pods: api.ObjectRulePods{Running: text}},
		} {
			r, err := Compile(&spec)
			if err != nil {
				continue
			}
			got, err := r.ask(t.Context(), tree)
			if err != nil {
				continue
			}
			for _, address := range got.Addresses {
				if host, port, err := net.SplitHostPort(address); err != nil || host == "" || port == "" {
					t.Errorf("%q is an address", address)
				}
			}
			if got.Pods.Running < 0 || len([]rune(got.Message)) > 301 {
				t.Errorf("%+v", got)
			}
			if again, err := r.ask(t.Context(), tree); err != nil || !cmp.Equal(got, again) {
				t.Errorf("first %+v, then %+v, %v", got, again, err)
			}
		}
		if after, _ := json.Marshal(tree); string(after) != string(before) {
			t.Errorf("the object became %s", after)
		}
	})
}
