package objectrule

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
)

// database is an object as operators make them.
const database = `{
	"apiVersion": "example.org/v1", "kind": "Database", "metadata": {"name": "orders", "generation": 2, "labels": {"a/b": "c"}},
	"spec": {"replicas": 3},
	"status": {"phase": "Running", "ready": 2, "share": 0.5, "host": "10.0.0.7", "port": 5432, "url": "postgres://db.example.org:5432/x",
		"conditions": [{"type": "Ready", "status": "False", "message": "one to go"}, {"type": "Stalled", "status": "True"}]}}`

func parsed(t testing.TB, text string) map[string]any {
	t.Helper()
	tree, err := wire.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return tree.(map[string]any)
}

func ask(t testing.TB, spec api.ObjectRuleSpec, object string) (Report, error) {
	t.Helper()
	r, err := Compile(&spec)
	if err != nil {
		t.Fatal(err)
	}
	return r.ask(t.Context(), parsed(t, object))
}

func TestWhatARuleSays(t *testing.T) {
	none := map[string]string{}
	for name, c := range map[string]struct {
		spec   api.ObjectRuleSpec
		object string
		want   Report
	}{
		"ready by a condition": {
			api.ObjectRuleSpec{Ready: `self.status.conditions.exists(c, c.type == "Ready" && c.status == "True")`},
			strings.Replace(database, `"False"`, `"True"`, 1), Report{Decides: true, Ready: true, Addresses: none},
		},
		"not ready by a condition, and why": {
			api.ObjectRuleSpec{
				Ready:   `self.status.conditions.exists(c, c.type == "Ready" && c.status == "True")`,
				Message: `self.status.conditions.filter(c, c.type == "Ready")[0].message`,
			}, database, Report{Decides: true, Message: "one to go", Addresses: none},
		},
		"nothing is known yet": {
			api.ObjectRuleSpec{Ready: `self.?status.?ready.orValue(0) == self.spec.replicas`, Message: `self.?status.?phase.orValue("no word yet")`},
			`{"spec": {"replicas": 3}}`, Report{Decides: true, Message: "no word yet", Addresses: none},
		},
		"failed": {
			api.ObjectRuleSpec{Failed: `self.status.conditions.exists(c, c.type == "Stalled" && c.status == "True")`},
			database, Report{Failed: true, Addresses: none},
		},
		"ended": {api.ObjectRuleSpec{Completed: `self.status.phase == "Succeeded"`}, `{"status": {"phase": "Succeeded"}}`,
			Report{Ends: true, Completed: true, Addresses: none}},
		"addresses, of which one is not there yet": {
			api.ObjectRuleSpec{Addresses: map[string]string{
				"write": `self.status.host + ":" + string(self.status.port)`, "url": `self.status.url.split("/")[2]`,
				"six": `"[::1]:80"`, "later": `self.?status.?later.orValue("")`,
			}}, database,
			Report{Addresses: map[string]string{"write": "10.0.0.7:5432", "url": "db.example.org:5432", "six": "[::1]:80"}},
		},
		"pods": {
			api.ObjectRuleSpec{Pods: api.ObjectRulePods{Desired: `self.spec.replicas`, Running: `self.status.ready`, Completed: `1`, Failed: `self.spec.replicas - self.status.ready`}},
			database, Report{Counts: true, Pods: api.ObjectPods{Desired: 3, Running: 2, Completed: 1, Failed: 1}, Addresses: none},
		},
		"pods of which only some are counted": {
			api.ObjectRuleSpec{Pods: api.ObjectRulePods{Failed: `0`}}, database, Report{Counts: true, Addresses: none},
		},
		"numbers of different types": {api.ObjectRuleSpec{Ready: `self.status.share < 1 && self.status.ready > 1.5`}, database,
			Report{Decides: true, Ready: true, Addresses: none}},
		"a label": {api.ObjectRuleSpec{Ready: `self.metadata.labels["a/b"] == "c"`}, database,
			Report{Decides: true, Ready: true, Addresses: none}},
		"a variable": {
			api.ObjectRuleSpec{Ready: `cel.bind(c, self.status.conditions, c.exists(x, x.type == "Stalled") && c.size() == 2)`},
			database, Report{Decides: true, Ready: true, Addresses: none},
		},
		"a message longer than people read": {
			api.ObjectRuleSpec{Message: `self.status.long`}, `{"status": {"long": "` + strings.Repeat("ä", 1000) + `"}}`,
			Report{Message: strings.Repeat("ä", 300) + "…", Addresses: none},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ask(t, c.spec, c.object)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatCannotBeEvaluatedSaysWhichExpressionItWas(t *testing.T) {
	ready := func(text string) api.ObjectRuleSpec { return api.ObjectRuleSpec{Ready: text} }
	address := func(text string) api.ObjectRuleSpec {
		return api.ObjectRuleSpec{Ready: "true", Addresses: map[string]string{"a": text}}
	}
	const noAddress = `, and has to give HOST:PORT, or an empty string while there is none`
	for name, c := range map[string]struct {
		spec api.ObjectRuleSpec
		want string
	}{
		"a field that is not there":       {ready("self.status.nothing"), "ready: no such key: nothing"},
		"a value of another type":         {ready("self.status.phase"), "ready: it gives string, and has to give bool"},
		"null":                            {ready("dyn(null)"), "ready: it gives null_type, and has to give bool"},
		"a text for a number":             {api.ObjectRuleSpec{Pods: api.ObjectRulePods{Running: "self.status.phase"}}, "pods.running: it gives string, and has to give int"},
		"half a pod":                      {api.ObjectRuleSpec{Pods: api.ObjectRulePods{Running: "self.status.share"}}, "pods.running: it gives double, and has to give int"},
		"fewer pods than none":            {api.ObjectRuleSpec{Pods: api.ObjectRulePods{Failed: "self.status.ready - 3"}}, "pods.failed: it gives -1, and pods are never fewer than none"},
		"a division by zero":              {ready("1 / (self.status.ready - 2) > 0"), "ready: division by zero"},
		"a host without a port":           {address("self.status.host"), `addresses.a: it gives "10.0.0.7"` + noAddress},
		"a port without a host":           {address(`":80"`), `addresses.a: it gives ":80"` + noAddress},
		"a port that is none":             {address(`"a:http"`), `addresses.a: it gives "a:http"` + noAddress},
		"port 0":                          {address(`"a:0"`), `addresses.a: it gives "a:0"` + noAddress},
		"port 65536":                      {address(`"a:65536"`), `addresses.a: it gives "a:65536"` + noAddress},
		"an address of six without frame": {address(`"::1:80"`), `addresses.a: it gives "::1:80"` + noAddress},
		"too much work": {
			ready(`[1,2,3,4,5,6,7,8].all(a, [1,2,3,4,5,6,7,8].all(b, [1,2,3,4,5,6,7,8].all(c, [1,2,3,4,5,6,7,8].all(d, [1,2,3,4,5,6,7,8].all(e, [1,2,3,4,5,6,7,8].all(f, a + b + c + d + e + f > 0))))))`),
			"ready: operation cancelled: actual cost limit exceeded",
		},
		"a text that doubles": {
			ready(`cel.bind(a, self.status.url, cel.bind(b, ` + strings.Repeat("a+", 25) + `a, cel.bind(c, ` + strings.Repeat("b+", 25) + `b, c + c + c + c != "")))`),
			"ready: a string would have more than 65536 bytes",
		},
		"a list that doubles": {
			ready(`cel.bind(a, [1,1,1,1,1,1,1,1,1,1], cel.bind(b, [a,a,a,a,a,a,a,a,a,a], cel.bind(c, [b,b,b,b,b,b,b,b,b,b], cel.bind(d, [c,c,c,c,c,c,c,c,c,c], [d,d] == [d,d]))))`),
			"ready: a list or map would have more than 10000 values",
		},
		"a list of loops that doubles": {
			ready(`[[1,1,1,1,1,1,1,1,1,1]].map(a, [a,a,a,a,a,a,a,a,a,a]).map(a, [a,a,a,a,a,a,a,a,a,a]).map(a, {"a": [a,a,a,a,a,a,a,a,a,a]}) == []`),
			"ready: a list or map would have more than 10000 values",
		},
		"a key that doubles": {
			ready(`cel.bind(a, [1,1,1,1,1,1,1,1,1,1], cel.bind(b, [a,a,a,a,a,a,a,a,a,a], cel.bind(c, [b,b,b,b,b,b,b,b,b,b], cel.bind(d, [c,c,c,c,c,c,c,c,c,c], dyn({})[[d,d]]))))`),
			"ready: a list or map would have more than 10000 values",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ask(t, c.spec, database)
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestARuleThinksNoLongerThanItMay(t *testing.T) {
	r, err := Compile(&api.ObjectRuleSpec{Ready: `self.list.all(x, self.list.size() > 0)`})
	if err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	list := make([]any, 2)
	if _, err := r.Ask(over, map[string]any{"list": list}); err == nil || !strings.HasPrefix(err.Error(), "ready: it takes longer than") {
		t.Error(err)
	}
	if got, err := r.ask(t.Context(), map[string]any{"list": list}); err != nil || !got.Ready {
		t.Error(got, err)
	}
}

func TestAComparisonCostsWhatItCompares(t *testing.T) {
	list := make([]any, 1000)
	for i := range list {
		list[i] = map[string]any{"a": "b"}
	}
	for _, text := range []string{"self == self", "self.list != []", "dyn('x') in self.list || true"} {
		r, err := Compile(&api.ObjectRuleSpec{Ready: strings.Repeat(text+" && ", 59) + text})
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.ask(t.Context(), map[string]any{"list": list})
		const tooMuch = "ready: operation cancelled: actual cost limit exceeded"
		if expensive := text != "self.list != []"; expensive != (err != nil) || expensive && err.Error() != tooMuch {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestAnObjectIsNotChanged(t *testing.T) {
	object := parsed(t, database)
	before, _ := json.Marshal(object)
	r, err := Compile(&api.ObjectRuleSpec{Ready: `(self.status.conditions + [1]).size() == 3 && self.status.conditions.map(c, c).size() == 2`})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.ask(t.Context(), object); err != nil || !got.Ready {
		t.Error(got, err)
	}
	if after, _ := json.Marshal(object); string(after) != string(before) {
		t.Errorf("it became %s", after)
	}
}
