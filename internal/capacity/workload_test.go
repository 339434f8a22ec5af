package capacity

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rak-n-rok/krake/api"
)

const aPod = `"containers":[{"resources":{"requests":{"cpu":"1"}}}]`

func TestWorkloadsAskForTheirPods(t *testing.T) {
	set := func(kind, more string) string {
		return `{"apiVersion":"apps/v1","kind":"` + kind + `","spec":{"template":{"spec":{` + aPod + `}}` + more + `}}`
	}
	job := func(more string) string {
		return `{"apiVersion":"batch/v1","kind":"Job","spec":{"template":{"spec":{` + aPod + `}}` + more + `}}`
	}
	cron := func(more, ofJob string) string {
		return `{"apiVersion":"batch/v1","kind":"CronJob","spec":{"jobTemplate":{"spec":{"template":{"spec":{` + aPod + `}}` + ofJob + `}}` + more + `}}`
	}
	for name, c := range map[string]struct {
		object        string
		pods, perNode int64
	}{
		"a Pod":                               {`{"apiVersion":"v1","kind":"Pod","spec":{` + aPod + `}}`, 1, 0},
		"a Deployment without a number":       {set("Deployment", ""), 1, 0},
		"a Deployment":                        {set("Deployment", `,"replicas":3`), 3, 0},
		"a Deployment of none":                {set("Deployment", `,"replicas":0`), 0, 0},
		"a Deployment of less than none":      {set("Deployment", `,"replicas":-4`), 0, 0},
		"a Deployment of a text":              {set("Deployment", `,"replicas":"3"`), 1, 0},
		"a Deployment of a fraction":          {set("Deployment", `,"replicas":2.5`), 1, 0},
		"a ReplicaSet":                        {set("ReplicaSet", `,"replicas":2`), 2, 0},
		"a StatefulSet":                       {set("StatefulSet", `,"replicas":2`), 2, 0},
		"a DaemonSet, for each node":          {set("DaemonSet", ""), 0, 1},
		"a kind of another group":             {`{"apiVersion":"example.com/v1","kind":"Deployment","spec":{"template":{"spec":{` + aPod + `}}}}`, 0, 0},
		"a ReplicationController":             {`{"apiVersion":"v1","kind":"ReplicationController","spec":{"replicas":2,"template":{"spec":{` + aPod + `}}}}`, 2, 0},
		"a Job":                               {job(""), 1, 0},
		"a Job with parallel pods":            {job(`,"parallelism":3`), 3, 0},
		"a Job that needs fewer than may run": {job(`,"parallelism":3,"completions":2`), 2, 0},
		"a Job that is suspended":             {job(`,"suspend":true,"parallelism":3`), 0, 0},
		"a CronJob, also between its runs":    {cron("", `,"parallelism":2`), 2, 0},
		"a CronJob that is suspended":         {cron(`,"suspend":true`, ""), 0, 0},
		"a ConfigMap":                         {`{"apiVersion":"v1","kind":"ConfigMap","spec":{` + aPod + `}}`, 0, 0},
		"a kind that is no text":              {`{"apiVersion":"v1","kind":["Pod"],"spec":{` + aPod + `}}`, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			want := func(pods int64) api.Amounts {
				return asks(map[string]int64{"pods": pods, "cpu": 1000 * pods})
			}
			got := Of(api.Manifest{parsed(t, c.object), {"kind": "Service"}})
			if d := cmp.Diff(api.Requests{Total: want(c.pods), PerNode: want(c.perNode)}, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestObjectsAddUp(t *testing.T) {
	pod := parsed(t, `{"apiVersion":"v1","kind":"Pod","spec":{`+aPod+`}}`)
	got := Of(api.Manifest{pod, pod, pod})
	if d := cmp.Diff(asks(map[string]int64{"pods": 3, "cpu": 3000}), got.Total); d != "" {
		t.Error(d)
	}
}

func TestPodsWithoutATemplateAreStillPods(t *testing.T) {
	got := Of(api.Manifest{parsed(t, `{"apiVersion":"apps/v1","kind":"Deployment","spec":{"replicas":2,"template":[]}}`)})
	if d := cmp.Diff(asks(map[string]int64{"pods": 2}), got.Total); d != "" {
		t.Error(d)
	}
}

func TestMorePodsThanAnybodyHasAreCut(t *testing.T) {
	got := Of(api.Manifest{parsed(t, `{"apiVersion":"apps/v1","kind":"Deployment","spec":{"replicas":1e30,"template":{"spec":{`+aPod+`}}}}`)})
	if d := cmp.Diff(asks(map[string]int64{"pods": maxPods, "cpu": 1000 * maxPods}), got.Total); d != "" {
		t.Error(d)
	}
}

func TestNoManifestIsTooMuch(t *testing.T) {
	requests := map[string]any{}
	for i := range 50_000 {
		requests[fmt.Sprint("example.com/", i)] = "8E"
	}
	pod := map[string]any{"apiVersion": "v1", "kind": "Pod", "spec": map[string]any{"containers": []any{
		map[string]any{"resources": map[string]any{"requests": requests}}}}}
	got := Of(api.Manifest{pod, pod})
	if len(got.Total) > maxResources+3 || got.Total.Of("pods") != 2 || got.Total[0].Value > maxValue {
		t.Errorf("%d resources, %d pods, the first asks for %v", len(got.Total), got.Total.Of("pods"), got.Total[0])
	}
}

func TestASummaryStandsForTheManifest(t *testing.T) {
	a := api.New[api.Application]()
	a.Spec.Manifest = api.Manifest{parsed(t, `{"apiVersion":"v1","kind":"Pod","spec":{`+aPod+`}}`)}
	want := RequestsOf(a)
	Summarise(a)
	a.Spec.Manifest = nil
	if d := cmp.Diff(want, RequestsOf(a)); d != "" || len(want.Total) == 0 {
		t.Error(d)
	}
}
