package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/rak-n-rok/krake/api"
)

// documents reads a manifest.
func documents(t *testing.T, text string) api.Manifest {
	t.Helper()
	var m api.Manifest
	for _, document := range strings.Split(text, "\n---\n") {
		var object map[string]any
		data, err := yaml.YAMLToJSON([]byte(document))
		if err == nil {
			err = json.Unmarshal(data, &object)
		}
		if err != nil {
			t.Fatal(err)
		}
		m = append(m, object)
	}
	return m
}

func TestWhatMustNotRunTwice(t *testing.T) {
	const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: "
	const web = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: "
	for name, c := range map[string]struct{ manifest, want string }{
		"nothing":                          {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}", ""},
		"a deployment":                     {web + "{containers: [{ports: [{containerPort: 80}]}], volumes: [{emptyDir: {}}]}}}", ""},
		"a deployment that takes a port":   {web + "{containers: [{}, {ports: [{containerPort: 80, hostPort: 8080}]}]}}}", "takes the port 8080"},
		"an init container that takes one": {web + "{initContainers: [{ports: [{hostPort: 1}]}]}}}", "takes the port 1"},
		"a port of zero":                   {web + "{containers: [{ports: [{hostPort: 0}]}]}}}", ""},
		"a job":                            {"apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}", "Job a would do its work twice"},
		"a job by the clock":               {"apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: a}", "would do its work twice"},
		"somebody else's job":              {"apiVersion: example.org/v1\nkind: Job\nmetadata: {name: a}", ""},
		"a stateful set":                   {"apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a}", "keeps state"},
		"a claim for one":                  {"apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: a}\nspec: {accessModes: [ReadOnlyMany, ReadWriteOnce]}", "ReadWriteOnce"},
		"a claim for one pod":              {"apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: a}\nspec: {accessModes: [ReadWriteOncePod]}", "ReadWriteOncePod"},
		"a claim for many":                 {"apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: a}\nspec: {accessModes: [ReadWriteMany]}", ""},
		"a pod":                            {pod + "{containers: [{}]}", ""},
		"a pod with data":                  {pod + "{volumes: [{name: v, hostPath: {path: /}}]}", "volumes of its own"},
		"a pod with settings":              {pod + "{volumes: [{name: v, configMap: {name: c}}, {name: w, secret: {secretName: s}}]}", ""},
		"a pod that takes a port":          {pod + "{containers: [{ports: [{hostPort: 80}]}]}", "takes the port 80"},
		"the second of two":                {web + "{}}}\n---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: b}", "Job b"},
		"a form that is none":              {"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: [7]", ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := documents(t, c.manifest)
			why, yes := m.HarmfulTwice()
			if yes != (c.want != "") || !strings.Contains(why, c.want) {
				t.Errorf("%t: %s", yes, why)
			}
			if kept, _ := m.ForDecisions().HarmfulTwice(); kept != why {
				t.Errorf("caches keep %q", kept)
			}
		})
	}
}

func TestWhatIsStoppedBeforeItMoves(t *testing.T) {
	job := "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}"
	settings := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}"
	for name, c := range map[string]struct {
		manifest string
		strategy api.MigrationStrategy
		hooks    []string
		want     string
	}{
		"what may run twice":                {settings, api.MigrateAuto, nil, ""},
		"what may not":                      {job, api.MigrateAuto, nil, "Job a would do its work twice"},
		"what may not, but is to":           {job, api.MigrateCreateFirst, []string{"shutdown"}, ""},
		"what may, but is not to":           {settings, api.MigrateDeleteFirst, nil, "the application asks for it"},
		"one that is told of its end":       {settings, api.MigrateAuto, []string{"shutdown"}, "its hook shutdown belongs to one copy"},
		"one that says when it is done":     {settings, api.MigrateAuto, []string{"complete"}, "its hook complete belongs to one copy"},
		"one with a hook that nobody knows": {settings, api.MigrateAuto, []string{"moon"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := api.New[api.Application]()
			a.Spec.Manifest, a.Spec.MigrationStrategy, a.Spec.Hooks = documents(t, c.manifest), c.strategy, c.hooks
			if why, yes := a.StopsFirst(); why != c.want || yes != (c.want != "") {
				t.Errorf("%t: %q", yes, why)
			}
		})
	}
}
