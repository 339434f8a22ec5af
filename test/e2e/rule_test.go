package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

// databaseKind is what the rule of the documentation is about.
const databaseKind = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: databases.databases.example.org}
spec:
  group: databases.example.org
  scope: Namespaced
  names: {plural: databases, singular: database, kind: Database, listKind: DatabaseList}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, x-kubernetes-preserve-unknown-fields: true}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
`

const shop = `
apiVersion: databases.example.org/v1
kind: Database
metadata: {name: orders, namespace: SPACE}
spec: {replicas: 3}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: shop, namespace: SPACE}
data: {a: b}
`

var databases = schema.GroupVersionResource{Group: "databases.example.org", Version: "v1", Resource: "databases"}

// define makes the kind of a custom resource known on clusters.
func (s *scene) define(document string, on ...*site) {
	s.Helper()
	for _, site := range on {
		name := site.create(s, definitions, document).GetName()
		s.Cleanup(func() { site.remove(s, definitions, "", name) })
		s.await("the definition "+name, func() error {
			d, err := site.look(definitions, "", name)
			conditions, _ := at(d, "status", "conditions").([]any)
			for _, c := range conditions {
				if c := c.(map[string]any); c["type"] == "Established" && c["status"] == "True" {
					return nil
				}
			}
			return errors.Join(err, fmt.Errorf("its conditions are %v", conditions))
		})
	}
}

// report writes the status of the database as its operator would.
func (s *scene) report(on *site, status string) {
	s.Helper()
	_, err := on.admin.Resource(databases).Namespace(s.space).Patch(s.Context(), "orders", types.MergePatchType,
		[]byte(`{"status":`+status+`}`), metav1.PatchOptions{FieldManager: "operator"}, "status")
	if err != nil {
		s.Fatal(err)
	}
}

// rule stores the rule of the documentation, changed.
func (s *scene) rule(change func(*api.ObjectRuleSpec)) error {
	s.Helper()
	set := client.Of[api.GlobalObjectRule](s.client)
	text, err := os.ReadFile("../../examples/database-rule.yaml")
	if err != nil {
		s.Fatal(err)
	}
	r := api.New[api.GlobalObjectRule]()
	if err := yaml.Unmarshal(text, &r.Spec); err != nil {
		s.Fatal(err)
	}
	r.Metadata.Name = s.space
	change(&r.Spec)
	stored, err := set.Get(s.Context(), "", s.space)
	if client.NotFound(err) {
		s.Cleanup(func() { _, _ = set.Delete(context.Background(), "", s.space, client.DeleteOptions{}) })
		_, err = set.Create(s.Context(), r)
		return err
	}
	if err != nil {
		s.Fatal(err)
	}
	stored.Spec = r.Spec
	_, err = set.Update(s.Context(), stored)
	return err
}

// judged holds when the condition Healthy is so, and its message has the words.
func judged(status api.ConditionStatus, reason string, words ...string) fact {
	return condition(api.Healthy, status, reason, words...)
}

// serves holds when these are the addresses.
func serves(want map[string]string) fact {
	return func(a *api.Application) error {
		if !a.Status.Services.Are(want) {
			return fmt.Errorf("services: %v", a.Status.Services)
		}
		return nil
	}
}

// has holds when so many pods are wanted and run.
func has(desired, running int64) fact {
	return func(a *api.Application) error {
		if want := (api.ContainerHealth{DesiredPods: desired, RunningPods: running}); a.Status.ContainerHealth != want {
			return fmt.Errorf("pods: %+v", a.Status.ContainerHealth)
		}
		return nil
	}
}

func TestARuleSaysHowACustomResourceIsDoing(t *testing.T) {
	sites := sites(t, "berlin", "vienna")
	berlin, vienna := sites[0], sites[1]
	s := newScene(t)
	s.define(databaseKind, berlin, vienna)
	s.join("berlin", berlin)
	s.join("vienna", vienna)
	asItIs, noTests := func(*api.ObjectRuleSpec) {}, []api.ObjectRuleTest{}
	if err := s.rule(asItIs); err != nil {
		t.Fatal(err)
	}
	const write = "10.0.0.7:5432"
	runs := `{"phase":"Running","readyReplicas":3,"host":"10.0.0.7","port":5432,"readURL":"postgres://db.example.org:5433/shop"}`
	everything := serves(map[string]string{"orders.write": write, "orders.read": "db.example.org:5433"})

	s.create("shop", "berlin", shop)
	s.awaitApp("shop", running("berlin"), judged(api.Unknown, "Progressing", "Database "+s.space+"/orders: no operator has looked at it"),
		has(3, 0), serves(nil))
	s.report(berlin, `{"phase":"Starting","readyReplicas":1,"host":"10.0.0.7","port":5432}`)
	s.awaitApp("shop", running("berlin"), judged(api.Unknown, "Progressing", "Starting"), has(3, 1), serves(map[string]string{"orders.write": write}))
	s.report(berlin, runs)
	s.awaitApp("shop", running("berlin"), healthy, has(3, 3), everything)
	s.report(berlin, `{"phase":"Broken","readyReplicas":0}`)
	s.awaitApp("shop", inState(api.AppDegraded), judged(api.False, "NotReady", "Broken"), has(3, 0))
	s.report(berlin, runs)
	s.awaitApp("shop", running("berlin"), healthy)

	// A rule that is changed counts at once, although nothing changes on the cluster.
	stricter := func(r *api.ObjectRuleSpec) {
		r.Ready, r.Message, r.Tests = `self.?status.?backup.orValue(false)`, `"there is no backup"`, noTests
	}
	if err := s.rule(stricter); err != nil {
		t.Fatal(err)
	}
	s.awaitApp("shop", inState(api.AppDegraded), judged(api.False, "NotReady", "there is no backup"))
	s.report(berlin, `{"backup":true}`)
	s.awaitApp("shop", running("berlin"), healthy)

	// One that cannot be evaluated says so, and the application is left alone.
	broken := func(r *api.ObjectRuleSpec) { r.Ready, r.Tests = `self.status.nothing`, noTests }
	if err := s.rule(broken); err != nil {
		t.Fatal(err)
	}
	s.awaitApp("shop", running("berlin"), judged(api.Unknown, "Unjudged", "the rule "+s.space+" cannot be applied: ready: no such key: nothing"), everything)

	// What does not compile, or does not keep its tests, never gets that far.
	for want, change := range map[string]func(*api.ObjectRuleSpec){
		`{'spec': {'ready': ["line 1, column 1: undeclared reference to 'slf'"]}}`:               func(r *api.ObjectRuleSpec) { r.Ready = "slf.status" },
		`{'spec': {'tests': {2: ['one that runs: ready: true was expected, and false came.']}}}`: func(r *api.ObjectRuleSpec) { r.Ready = "false" },
	} {
		var p *api.Problem
		if err := s.rule(change); !errors.As(err, &p) || p.Status != 422 || p.Detail != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	if err := s.rule(asItIs); err != nil {
		t.Fatal(err)
	}
	s.awaitApp("shop", running("berlin"), healthy, has(3, 3), everything)

	// A move waits until the rule says that the new copy is ready.
	s.send("shop", "vienna")
	s.awaitApp("shop", inState(api.AppMigrating), ranOnly("berlin"), func(a *api.Application) error {
		if c := a.Status.Conditions.Get(api.Migrating); !strings.Contains(c.Message, "no operator has looked at it") {
			return fmt.Errorf("the move waits for %+v", c)
		}
		return nil
	})
	s.report(vienna, strings.ReplaceAll(runs, "10.0.0.7", "10.0.0.8"))
	s.awaitApp("shop", running("vienna"), healthy, has(3, 3),
		serves(map[string]string{"orders.write": "10.0.0.8:5432", "orders.read": "db.example.org:5433"}))

	// Without the rule it is a custom resource like others.
	if _, err := client.Of[api.GlobalObjectRule](s.client).Delete(t.Context(), "", s.space, client.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	s.awaitApp("shop", running("vienna"), healthy, has(0, 0), serves(nil))
	s.takeDown("shop")
}

// ranOnly holds while an application runs on a cluster, wherever it is to go.
func ranOnly(cluster string) fact {
	return func(a *api.Application) error {
		if a.Status.RunningOn == nil || a.Status.RunningOn.Name != cluster {
			return fmt.Errorf("it runs on %v", a.Status.RunningOn)
		}
		return nil
	}
}
