package capacity

import (
	"encoding/json"
	"math"
	"strings"

	"github.com/rak-n-rok/krake/api"
)

// workload says of a kind where its pods are described, and how many of them it runs at the same time.
type workload struct {
	groups  []string
	pods    []string // path to the specification of a pod
	count   func(object map[string]any) int64
	perNode bool // the count is for each node
}

var template = []string{"spec", "template", "spec"}

// workloads are the kinds that make pods.
var workloads = map[string]workload{
	"Pod":                   {[]string{""}, []string{"spec"}, one, false},
	"ReplicationController": {[]string{""}, template, replicas, false},
	"Deployment":            {[]string{"apps", "extensions"}, template, replicas, false},
	"ReplicaSet":            {[]string{"apps", "extensions"}, template, replicas, false},
	"StatefulSet":           {[]string{"apps"}, template, replicas, false},
	"DaemonSet":             {[]string{"apps", "extensions"}, template, one, true},
	"Job":                   {[]string{"batch"}, template, parallel, false},
	"CronJob":               {[]string{"batch"}, []string{"spec", "jobTemplate", "spec", "template", "spec"}, inEachRun, false},
}

func one(map[string]any) int64 { return 1 }

func replicas(object map[string]any) int64 { return number(objectAt(object, "spec")["replicas"], 1) }

// parallel is how many pods of a Job run at the same time.
func parallel(job map[string]any) int64 {
	spec := objectAt(job, "spec")
	if spec["suspend"] == true {
		return 0
	}
	n := number(spec["parallelism"], 1)
	if spec["completions"] != nil {
		n = min(n, number(spec["completions"], 1))
	}
	return n
}

// inEachRun is how many pods one Job of a CronJob runs. It counts also between the runs: the next one needs the room.
func inEachRun(cron map[string]any) int64 {
	spec := objectAt(cron, "spec")
	if spec["suspend"] == true {
		return 0
	}
	return parallel(objectAt(spec, "jobTemplate"))
}

// Of sums what the pods of a manifest ask for. Kinds that Kubernetes does not have count as nothing: nobody knows what
// their controllers make of them.
func Of(manifest api.Manifest) api.Requests {
	total, perNode := sums{}, sums{}
	for _, object := range manifest {
		kind, _ := object["kind"].(string)
		w, known := workloads[kind]
		if !known || !w.has(object["apiVersion"]) {
			continue
		}
		spec := object
		for _, key := range w.pods {
			spec = objectAt(spec, key)
		}
		asks := pod(spec).times(w.count(object))
		if w.perNode {
			perNode.add(asks)
		} else {
			total.add(asks)
		}
	}
	return api.Requests{Total: total.final(), PerNode: perNode.final()}
}

func (w workload) has(apiVersion any) bool {
	text, _ := apiVersion.(string)
	group, _, grouped := strings.Cut(text, "/")
	if !grouped {
		group = ""
	}
	for _, g := range w.groups {
		if g == group {
			return true
		}
	}
	return false
}

// maxPods bounds how many pods one object is believed to run.
const maxPods = 1 << 31

// number reads how many; what is no whole number is the fallback, as where there is none.
func number(value any, fallback int64) int64 {
	f := float64(fallback)
	switch v := value.(type) {
	case int64:
		f = float64(v)
	case int:
		f = float64(v)
	case float64:
		f = v
	case json.Number:
		f, _ = v.Float64()
	}
	if math.IsNaN(f) || f != math.Trunc(f) {
		return fallback
	}
	return int64(min(max(f, 0), maxPods))
}

// Summarise notes what an application asks for where it stays when its manifest is dropped.
func Summarise(a *api.Application) {
	asks := RequestsOf(a)
	a.Spec.Requests = &asks
}

// RequestsOf is what an application asks for: what was summed up before, or else by its manifest.
func RequestsOf(a *api.Application) api.Requests {
	if a.Spec.Requests != nil {
		return *a.Spec.Requests
	}
	return Of(a.Spec.Manifest)
}
