package view_test

import (
	"testing"

	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

func TestCells(t *testing.T) {
	for name, c := range map[string]struct {
		render    func(any) string
		doc, want string
	}{
		"null":                            {view.Plain, `null`, "None"},
		"a text that looks like a number": {view.Plain, `"007"`, "007"},
		"a truth":                         {view.Plain, `true`, "True"},
		"a whole number":                  {view.Plain, `0.0`, "0"},
		"a negative number":               {view.Plain, `-1`, "-1"},
		"a number with decimals":          {view.Plain, `1.25`, "1.250"},
		"a large number":                  {view.Plain, `123456789012`, "1.235e+11"},
		"a number that is not yet large":  {view.Plain, `100000000`, "100000000"},
		"a list of texts":                 {view.Plain, `["location is DE"]`, "['location is DE']"},
		"an empty list":                   {view.Plain, `[]`, "[]"},
		"no labels":                       {view.Dict, `{}`, "None"},
		"no dictionary":                   {view.Dict, `null`, "None"},
		"labels in the order received":    {view.Dict, `{"z": "1", "a": "x"}`, "z: 1\na: x"},
		"an object in a dictionary": {view.Dict, `{"heat": {"code": "UNKNOWN_METRIC", "message": "m"}}`,
			"heat: {'code': 'UNKNOWN_METRIC', 'message': 'm'}"},
		"a number in a dictionary":  {view.Dict, `{"electricity_cost_1": 0.9}`, "electricity_cost_1: 0.9"},
		"a list in a dictionary":    {view.Dict, `{"a": ["x", "y"]}`, "a: x\ny"},
		"a time":                    {view.Time, `"2022-03-30T16:00:21.851661+00:00"`, "2022-03-30 16:00:21"},
		"a time without a fraction": {view.Time, `"2022-03-30T16:00:21+02:00"`, "2022-03-30 16:00:21"},
		"no time":                   {view.Time, `null`, "None"},
		"a reference in any order": {view.Ref, `{"api": "kubernetes", "namespace": "n", "kind": "Cluster", "name": "c"}`,
			"{'kind': 'Cluster', 'api': 'kubernetes', 'name': 'c', 'namespace': 'n'}"},
		"no reference": {view.Ref, `null`, "None"},
		"metrics with weights that came without decimals": {view.Metrics, `[{"name": "m1", "weight": 1, "namespaced": true}]`,
			"[{'name': 'm1', 'weight': 1.0, 'namespaced': True}]"},
		"metrics with values, which have a decimal": {view.Readings, `{"load": 1, "price": 0.25, "unit": "EUR"}`, "load: 1.0\nprice: 0.25\nunit: EUR"},
		"no metrics with values":                    {view.Readings, `null`, "None"},
		"a secret":                                  {view.Secret, `"x"`, "***"},
		"an error":                                  {view.Failure, `{"error": {"code": "INVALID_METRIC", "message": "m"}, "failed_since": "2022-03-30T16:00:21.851661+00:00"}`, "INVALID_METRIC, since 2022-03-30 16:00:21\nm"},
		"no error":                                  {view.Failure, `{"value": 1, "error": null, "failed_since": null}`, "None"},
		"no status":                                 {view.Failure, `null`, "None"},
		"no secret":                                 {view.Secret, `null`, "None"},
		"a rule, with an empty text for everything": {view.Rules, `[{"api": "core", "resources": [""], "namespaces": ["a", "b"], "verbs": ["get"]}]`, "get: core / * in a, b"},
		"no rules":             {view.Rules, `[]`, "None"},
		"no metrics":           {view.Metrics, `[]`, "[]"},
		"pods, some completed": {view.Pods, `{"desired_pods": 4, "running_pods": 1, "completed_pods": 2, "failed_pods": 1}`, "1 active / 1 failed / 2 succeeded / 4 desired"},
		"pods, not of a job":   {view.Pods, `{"desired_pods": 1, "running_pods": 1, "completed_pods": null}`, "1 active / 1 desired"},
		"pods not known":       {view.Pods, `{"desired_pods": null, "running_pods": null}`, "None"},
		"no pods":              {view.Pods, `null`, "None"},
		"no nodes":             {view.Nodes("Ready"), `[]`, "None"},
		"nodes": {view.Nodes("Ready"), `[{"status": {"conditions": [{"type": "Ready", "status": "True"}]}},
			{"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}, {"status": null}]`, "1/3"},
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := document.Parse([]byte(c.doc))
			if err != nil {
				t.Fatal(err)
			}
			if got := c.render(doc); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
