package fleet

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rak-n-rok/krake/api"
)

const (
	database = `
apiVersion: example.org/v1
kind: Database
metadata: {name: orders, namespace: team, generation: 2}
spec: {replicas: 3}
status: {phase: Running, ready: 2, host: 10.0.0.7}`
	backup = `
apiVersion: example.org/v1
kind: Backup
metadata: {name: nightly, namespace: team}
status: {phase: Done, conditions: [{type: Complete, status: "True"}]}`
)

func ruleFor(name, version, kind string, change func(*api.ObjectRuleSpec)) *api.GlobalObjectRule {
	r := api.New[api.GlobalObjectRule]()
	r.Metadata.Name, r.Metadata.Generation = name, 1
	r.Spec = api.ObjectRuleSpec{Group: "example.org", Version: version, Kind: kind}
	change(&r.Spec)
	return r
}

func TestHealthByRules(t *testing.T) {
	ready := func(text string) func(*api.ObjectRuleSpec) {
		return func(s *api.ObjectRuleSpec) { s.Ready, s.Message = text, `"phase " + self.status.phase` }
	}
	with := func(document, old, new string) string { return strings.Replace(document, old, new, 1) }
	waiting := with(database, "status: {", "status: {conditions: [{type: Ready, status: \"False\", message: soon}], ")
	done := func(s *api.ObjectRuleSpec) { s.Completed = `self.status.phase == "Done"` }
	for name, c := range map[string]struct {
		live   []string
		kind   string
		change func(*api.ObjectRuleSpec)
		want   HealthReport
	}{
		"ready":     {[]string{database}, "Database", ready("self.status.ready == 2"), HealthReport{Ready: true}},
		"not ready": {[]string{database}, "Database", ready("self.status.ready == 3"), HealthReport{Message: "Database team/orders: phase Running"}},
		"not ready, and the rule does not say why": {
			[]string{database}, "Database", func(s *api.ObjectRuleSpec) { s.Ready = "false" },
			HealthReport{Message: "Database team/orders: it is not ready by the rule r"},
		},
		"ready, although its conditions say otherwise": {[]string{waiting}, "Database", ready("true"), HealthReport{Ready: true}},
		"a rule for another kind":                      {[]string{waiting}, "Cache", ready("true"), HealthReport{Message: "Database team/orders: soon"}},
		"a rule that says nothing of readiness": {
			[]string{waiting}, "Database", func(s *api.ObjectRuleSpec) { s.Pods.Running = "self.status.ready" },
			HealthReport{Message: "Database team/orders: soon", Containers: api.ContainerHealth{RunningPods: 2}},
		},
		"failed": {
			[]string{database}, "Database", func(s *api.ObjectRuleSpec) { s.Ready, s.Failed = "true", "true" },
			HealthReport{Failed: true, Message: "Database team/orders: it has failed by the rule r"},
		},
		"all pods": {
			[]string{database}, "Database",
			func(s *api.ObjectRuleSpec) {
				s.Ready = "true"
				s.Pods = api.ObjectRulePods{Desired: "self.spec.replicas", Running: "2", Completed: "4", Failed: "1"}
			},
			HealthReport{Ready: true, Containers: api.ContainerHealth{DesiredPods: 3, RunningPods: 2, CompletedPods: 4, FailedPods: 1}},
		},
		"a controller that has not looked": {
			[]string{with(database, "status: {", "status: {observedGeneration: 1, ")}, "Database", ready("true"),
			HealthReport{Message: "Database team/orders: Database generation is 2, but latest observed generation is 1"},
		},
		"a controller that has": {[]string{with(database, "status: {", "status: {observedGeneration: 2, ")}, "Database", ready("true"), HealthReport{Ready: true}},
		"an object that is going": {
			[]string{with(database, "generation: 2", "deletionTimestamp: '2030-01-01T00:00:00Z'")}, "Database", ready("true"),
			HealthReport{Message: "Database team/orders: Resource scheduled for deletion"},
		},
		"a rule that cannot be applied": {
			[]string{database}, "Database", ready("self.status.nothing"),
			HealthReport{Unjudged: true, Message: "Database team/orders: the rule r cannot be applied: ready: no such key: nothing"},
		},
		"one that cannot be applied, beside something that starts": {
			[]string{database, freshDeployment}, "Database", ready("self.status.nothing"),
			HealthReport{Message: "Deployment team/fresh: Replicas: 0/1", Containers: api.ContainerHealth{DesiredPods: 1}},
		},
		"one that cannot be applied, beside a job that is done": {
			[]string{database, doneJob}, "Database", ready("self.status.nothing"),
			HealthReport{Unjudged: true, Message: "Database team/orders: the rule r cannot be applied: ready: no such key: nothing",
				Containers: api.ContainerHealth{DesiredPods: 3, CompletedPods: 3, FailedPods: 1}},
		},
		"one that does not compile": {
			[]string{database}, "Database", ready("of another version"),
			HealthReport{Unjudged: true, Message: "Database team/orders: the rule r cannot be applied: it does not compile: {'ready': [\"line 1, column 4: Syntax error: mismatched input 'another' expecting <EOF>\"]}"},
		},
		"a task that is done":         {[]string{backup}, "Backup", done, HealthReport{Ready: true, Completed: true}},
		"a task that is not":          {[]string{with(backup, "Done", "Running")}, "Backup", done, HealthReport{Ready: true}},
		"a task and a job, both done": {[]string{backup, doneJob}, "Backup", done, HealthReport{Ready: true, Completed: true, Containers: api.ContainerHealth{DesiredPods: 3, CompletedPods: 3, FailedPods: 1}}},
		"a task that is done for what was": {
			[]string{with(with(backup, "namespace: team", "namespace: team, generation: 2"), "status: {", "status: {observedGeneration: 1, ")}, "Backup", done,
			HealthReport{Message: "Backup team/nightly: Backup generation is 2, but latest observed generation is 1"},
		},
		"a task that is done, beside what lasts": {
			[]string{backup, readyDeployment}, "Backup", done, HealthReport{Ready: true, Containers: api.ContainerHealth{DesiredPods: 2, RunningPods: 2}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var live []*unstructured.Unstructured
			for _, document := range c.live {
				live = append(live, object(t, document))
			}
			var rules Rules
			rules.Changed(nil, ruleFor("r", "", c.kind, c.change))
			got := Health(live, nil, rules.Ask(t.Context(), live))
			got.Objects = nil // which have a test of their own
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOneOfSeveralRulesCounts(t *testing.T) {
	says := func(text string) func(*api.ObjectRuleSpec) {
		return func(s *api.ObjectRuleSpec) { s.Message = `"` + text + `"` }
	}
	live := []*unstructured.Unstructured{object(t, database)}
	var rules Rules
	expect := func(rule, message string) {
		t.Helper()
		got := rules.Ask(t.Context(), live)[live[0]]
		if got.Rule != rule || got.Message != message {
			t.Errorf("%q says %q, expected %q of %q", got.Rule, got.Message, message, rule)
		}
	}
	expect("", "")
	c, d := ruleFor("c", "", "Database", says("any")), ruleFor("d", "v1", "Database", says("v1"))
	a, other := ruleFor("a", "", "Database", says("first")), ruleFor("b", "v2", "Database", says("v2"))
	rules.Changed(nil, other)
	rules.Changed(nil, ruleFor("e", "", "Cache", says("cache")))
	expect("", "")
	rules.Changed(nil, c)
	expect("c", "any")
	rules.Changed(nil, d)
	expect("d", "v1")
	rules.Changed(nil, a)
	expect("d", "v1")
	elsewhere := ruleFor("d", "v1", "Cache", says("v1"))
	rules.Changed(d, elsewhere)
	expect("a", "first")
	rules.Changed(a, nil)
	expect("c", "any")
	rules.Changed(c, ruleFor("c", "", "Database", says("other")))
	expect("c", "other")
	rules.Changed(c, nil)
	expect("", "")
}

func TestRulesMayChangeWhileTheyAreAsked(t *testing.T) {
	live := []*unstructured.Unstructured{object(t, database)}
	var rules Rules
	var asking sync.WaitGroup
	for range 2 {
		asking.Go(func() {
			for range 50 {
				if v := rules.Ask(t.Context(), live)[live[0]]; v.Rule != "" && v.Message != "phase Running" {
					t.Errorf("%+v", v)
				}
			}
		})
	}
	var before *api.GlobalObjectRule
	for range 50 {
		after := ruleFor("r", "", "Database", func(s *api.ObjectRuleSpec) { s.Message = `"phase " + self.status.phase` })
		rules.Changed(before, after)
		before = after
	}
	asking.Wait()
}
