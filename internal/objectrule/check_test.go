package objectrule

import (
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
)

// refusal is what Check says of a rule.
func refusal(t testing.TB, next, stored *api.GlobalObjectRule) string {
	t.Helper()
	var before api.Resource
	if stored != nil {
		before = stored
	}
	if err := Check(next, before); err != nil {
		return err.Error()
	}
	return ""
}

func ruleOf(spec api.ObjectRuleSpec) *api.GlobalObjectRule {
	r := api.New[api.GlobalObjectRule]()
	r.Spec = spec
	return r
}

func TestWhatDoesNotCompileIsRefusedWithItsPlace(t *testing.T) {
	const endless = `[1].map(a,{a:a})`
	for name, c := range map[string]struct {
		spec api.ObjectRuleSpec
		want string
	}{
		"right":                      {api.ObjectRuleSpec{Ready: "self.a"}, ``},
		"another variable":           {api.ObjectRuleSpec{Ready: "sel.a"}, `{'spec': {'ready': ["line 1, column 1: undeclared reference to 'sel'"]}}`},
		"a mistake on a later line":  {api.ObjectRuleSpec{Failed: "self.a == 1 &&\n  slf.b"}, `{'spec': {'failed': ["line 2, column 3: undeclared reference to 'slf'"]}}`},
		"half an expression":         {api.ObjectRuleSpec{Completed: "self.a =="}, `{'spec': {'completed': ["line 1, column 10: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"]}}`},
		"types that do not fit":      {api.ObjectRuleSpec{Message: "1 + 'a'"}, `{'spec': {'message': ["line 1, column 3: found no matching overload for '_+_' applied to '(int, string)'"]}}`},
		"a text where a bool is due": {api.ObjectRuleSpec{Ready: "'yes'"}, `{'spec': {'ready': ['It gives string, and has to give bool.']}}`},
		"a bool where a text is due": {api.ObjectRuleSpec{Message: "true"}, `{'spec': {'message': ['It gives bool, and has to give string.']}}`},
		"a text where pods are due":  {api.ObjectRuleSpec{Pods: api.ObjectRulePods{Running: "'1'"}}, `{'spec': {'pods': {'running': ['It gives string, and has to give int.']}}}`},
		"perhaps a bool":             {api.ObjectRuleSpec{Ready: "self.?a"}, `{'spec': {'ready': ['It gives optional_type(dyn), and has to give bool.']}}`},
		"an address that is nothing": {api.ObjectRuleSpec{Addresses: map[string]string{"a": ""}}, `{'spec': {'addresses': {'a': {'value': ['An expression is required.']}}}}`},
		"an address that is wrong":   {api.ObjectRuleSpec{Addresses: map[string]string{"a": "x"}}, `{'spec': {'addresses': {'a': {'value': ["line 1, column 1: undeclared reference to 'x'"]}}}}`},
		"everything at once": {api.ObjectRuleSpec{Ready: "a", Message: "b", Pods: api.ObjectRulePods{Failed: "c"}},
			`{'spec': {'ready': ["line 1, column 1: undeclared reference to 'a'"], 'message': ["line 1, column 1: undeclared reference to 'b'"], 'pods': {'failed': ["line 1, column 1: undeclared reference to 'c'"]}}}`},
		"a pattern that is none":   {api.ObjectRuleSpec{Ready: "'a'.matches('[')"}, "{'spec': {'ready': ['line 1, column 13: invalid matches argument']}}"},
		"a function that may blow": {api.ObjectRuleSpec{Message: "'a'.replace('', self.b)"}, `{'spec': {'message': ['line 1, column 12: rules cannot use the function replace']}}`},
		"a longer text than may be": {api.ObjectRuleSpec{Ready: strings.Repeat(" ", maxLength) + "true"},
			`{'spec': {'ready': ['expression code point size exceeds limit: size: 2052, limit 2048']}}`},
		"types that take the compiler for ever": {api.ObjectRuleSpec{Ready: endless + strings.Repeat(".map(a,{a:a})", 12) + " == []"},
			`{'spec': {'ready': ['line 1, column 60: there may be up to 8 macros such as exists and map']}}`},
		"brackets without end": {api.ObjectRuleSpec{Ready: strings.Repeat("[", 1000)}, `{'spec': {'ready': ['expression recursion limit exceeded: 30']}}`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := refusal(t, ruleOf(c.spec), nil); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestTheTestsOfARuleAreRun(t *testing.T) {
	yes, no, text := true, false, "two of three"
	spec := api.ObjectRuleSpec{
		Ready: `self.status.ready == self.spec.replicas`, Message: `self.status.phase`,
		Addresses: map[string]string{"a": `self.status.host + ":80"`, "later": `""`},
		Pods:      api.ObjectRulePods{Desired: `self.spec.replicas`, Running: `self.status.ready`},
	}
	for name, c := range map[string]struct {
		name, object string
		expect       api.ObjectRuleResult
		want         string
	}{
		"nothing is expected": {"", database, api.ObjectRuleResult{}, ``},
		"everything is as expected": {"", database, api.ObjectRuleResult{Ready: &no, Message: new("Running"),
			Addresses: map[string]string{"a": "10.0.0.7:80"}, Pods: &api.ObjectPods{Desired: 3, Running: 2}}, ``},
		"ready is expected":    {"of two", database, api.ObjectRuleResult{Ready: &yes}, `['of two: ready: true was expected, and false came.']`},
		"an expected message":  {"", database, api.ObjectRuleResult{Message: &text}, `['message: "two of three" was expected, and "Running" came.']`},
		"what is not asked":    {"", database, api.ObjectRuleResult{Failed: &no}, `['failed: false was expected, and the rule has no such expression.']`},
		"no address":           {"", database, api.ObjectRuleResult{Addresses: map[string]string{}}, `['addresses: {} was expected, and {"a":"10.0.0.7:80"} came.']`},
		"other pods":           {"", database, api.ObjectRuleResult{Pods: &api.ObjectPods{Desired: 3}}, `['pods: {"desired":3,"running":0,"completed":0,"failed":0} was expected, and {"desired":3,"running":2,"completed":0,"failed":0} came.']`},
		"two things":           {"x", database, api.ObjectRuleResult{Ready: &yes, Message: &text}, `['x: ready: true was expected, and false came.', 'x: message: "two of three" was expected, and "Running" came.']`},
		"an object of nothing": {"empty", `{}`, api.ObjectRuleResult{Ready: &no}, `['empty: ready: no such key: status.']`},
	} {
		t.Run(name, func(t *testing.T) {
			fine := api.ObjectRuleTest{Object: parsed(t, database)}
			r := ruleOf(spec)
			r.Spec.Tests = []api.ObjectRuleTest{fine, {Name: c.name, Object: parsed(t, c.object), Expect: c.expect}}
			want := c.want
			if want != "" {
				want = `{'spec': {'tests': {1: ` + want + `}}}`
			}
			if got := refusal(t, r, nil); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestARuleThatStaysAsItIsIsNotCheckedAgain(t *testing.T) {
	wrong, right := ruleOf(api.ObjectRuleSpec{Ready: "of another version"}), ruleOf(api.ObjectRuleSpec{Ready: "true"})
	relabelled := ruleOf(wrong.Spec)
	relabelled.Metadata.Labels = api.Labels{"a": "b"}
	if got := refusal(t, relabelled, wrong); got != "" {
		t.Error(got)
	}
	if got := refusal(t, wrong, right); got == "" {
		t.Error("a rule was made wrong")
	}
	if got := refusal(t, right, wrong); got != "" {
		t.Error(got)
	}
}
