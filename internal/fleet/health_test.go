package fleet

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
)

const (
	readyDeployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: team, generation: 2}
spec: {replicas: 2}
status:
  observedGeneration: 2
  replicas: 2
  updatedReplicas: 2
  readyReplicas: 2
  availableReplicas: 2
  conditions: [{type: Available, status: "True"}]`
	idleDeployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: idle, namespace: team, generation: 1}
spec: {replicas: 0}
status: {observedGeneration: 1, conditions: [{type: Available, status: "True"}]}`
	freshDeployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: fresh, namespace: team, generation: 1}
spec: {}`
	stuckDeployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: stuck, namespace: team, generation: 1}
spec: {replicas: 1}
status: {observedGeneration: 1, replicas: 1, conditions: [{type: Progressing, status: "False", reason: ProgressDeadlineExceeded}]}`
	daemonSet = `
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: team, generation: 1}
spec: {}
status: {observedGeneration: 1, desiredNumberScheduled: 3, currentNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 2, numberReady: 2}`
	doneJob = `
apiVersion: batch/v1
kind: Job
metadata: {name: work, namespace: team}
spec: {completions: 3}
status: {startTime: x, succeeded: 3, failed: 1, conditions: [{type: Complete, status: "True"}]}`
	activeJob = `
apiVersion: batch/v1
kind: Job
metadata: {name: active, namespace: team}
status: {startTime: x, active: 1}`
	failedJob = `
apiVersion: batch/v1
kind: Job
metadata: {name: bad, namespace: team}
status: {startTime: x, failed: 7, conditions: [{type: Failed, status: "True", message: too often}]}`
	donePod = `
apiVersion: v1
kind: Pod
metadata: {name: once, namespace: team}
spec: {restartPolicy: Never}
status: {phase: Succeeded}`
	runningPod = `
apiVersion: v1
kind: Pod
metadata: {name: pod, namespace: team}
spec: {restartPolicy: Always}
status: {phase: Running, conditions: [{type: Ready, status: "True"}], containerStatuses: [{name: c, state: {running: {}}}]}`
	restartingPod = `
apiVersion: v1
kind: Pod
metadata: {name: again, namespace: team}
spec: {restartPolicy: Always}
status: {phase: Running, conditions: [{type: Ready, status: "False"}], containerStatuses: [{name: c, state: {terminated: {exitCode: 0}}}]}`
	crashingPod = `
apiVersion: v1
kind: Pod
metadata: {name: crash, namespace: team}
spec: {restartPolicy: Always}
status: {phase: Running, conditions: [{type: Ready, status: "False"}], containerStatuses: [{name: c, state: {waiting: {reason: CrashLoopBackOff}}}]}`
	settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: team}"
	leaving  = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: leaving, namespace: team, deletionTimestamp: '2030-01-01T00:00:00Z'}"
	strange  = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: strange, namespace: team}\nstatus: {conditions: 7}"
)

func TestHealth(t *testing.T) {
	missing := []api.InventoryObject{{Version: "v1", Kind: "Service", Namespace: "team", Name: "web"}}
	for name, c := range map[string]struct {
		live    []string
		missing []api.InventoryObject
		want    HealthReport
	}{
		"nothing":               {nil, nil, HealthReport{Ready: true}},
		"things without status": {[]string{settings}, nil, HealthReport{Ready: true}},
		"a deployment that is ready": {
			[]string{settings, readyDeployment}, nil, HealthReport{Ready: true, Containers: api.ContainerHealth{DesiredPods: 2, RunningPods: 2}},
		},
		"one that is scaled to nothing": {[]string{idleDeployment}, nil, HealthReport{Ready: true}},
		"one that the cluster has not looked at": {
			[]string{freshDeployment}, nil,
			HealthReport{Message: "Deployment team/fresh:", Containers: api.ContainerHealth{DesiredPods: 1}},
		},
		"one that makes no progress, beside one that starts": {
			[]string{freshDeployment, stuckDeployment, readyDeployment}, nil,
			HealthReport{Failed: true, Message: "Deployment team/stuck:", Containers: api.ContainerHealth{DesiredPods: 4, RunningPods: 2}},
		},
		"a daemon set that is not on every node": {
			[]string{daemonSet}, nil,
			HealthReport{Message: "DaemonSet team/agent:", Containers: api.ContainerHealth{DesiredPods: 3, RunningPods: 2}},
		},
		"a job that is done, and its settings": {
			[]string{settings, doneJob}, nil,
			HealthReport{Ready: true, Completed: true, Containers: api.ContainerHealth{DesiredPods: 3, CompletedPods: 3, FailedPods: 1}},
		},
		"a job and a pod that are done": {
			[]string{doneJob, donePod}, nil,
			HealthReport{Ready: true, Completed: true, Containers: api.ContainerHealth{DesiredPods: 4, CompletedPods: 4, FailedPods: 1}},
		},
		"a job that is done and one that is not": {
			[]string{doneJob, activeJob}, nil,
			HealthReport{Ready: true, Containers: api.ContainerHealth{DesiredPods: 4, RunningPods: 1, CompletedPods: 3, FailedPods: 1}},
		},
		"a job that has prepared a deployment": {
			[]string{doneJob, readyDeployment}, nil,
			HealthReport{Ready: true, Containers: api.ContainerHealth{DesiredPods: 5, RunningPods: 2, CompletedPods: 3, FailedPods: 1}},
		},
		"a job that has failed": {
			[]string{failedJob}, nil,
			HealthReport{Failed: true, Message: "Job team/bad:", Containers: api.ContainerHealth{DesiredPods: 1, FailedPods: 7}},
		},
		"a pod that runs": {[]string{runningPod}, nil, HealthReport{Ready: true, Containers: api.ContainerHealth{DesiredPods: 1, RunningPods: 1}}},
		"a pod whose container is started again": {
			[]string{restartingPod}, nil,
			HealthReport{Restarting: true, Message: "Pod team/again:", Containers: api.ContainerHealth{DesiredPods: 1}},
		},
		"a pod whose container crashes again and again": {
			[]string{crashingPod}, nil,
			HealthReport{Failed: true, Message: "Pod team/crash:", Containers: api.ContainerHealth{DesiredPods: 1}},
		},
		"an object that is going": {[]string{leaving}, nil, HealthReport{Message: "ConfigMap team/leaving:"}},
		"an object that is missing, beside others that start": {
			[]string{freshDeployment, settings}, missing,
			HealthReport{Message: "Service team/web is missing on the cluster", Containers: api.ContainerHealth{DesiredPods: 1}},
		},
		"a job that is done and an object that is missing": {
			[]string{donePod}, missing,
			HealthReport{Message: "Service team/web is missing on the cluster", Containers: api.ContainerHealth{DesiredPods: 1, CompletedPods: 1}},
		},
		"a status that makes no sense": {
			[]string{strange}, nil, HealthReport{Unjudged: true, Message: "Deployment team/strange", Containers: api.ContainerHealth{DesiredPods: 1}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var live []*unstructured.Unstructured
			for _, document := range c.live {
				live = append(live, object(t, document))
			}
			got := Health(live, c.missing, nil)
			if !strings.HasPrefix(got.Message, c.want.Message) || (c.want.Message == "") != (got.Message == "") {
				t.Errorf("message: %s", got.Message)
			}
			if len(got.Objects) != len(c.live)+len(c.missing) {
				t.Errorf("objects: %v", got.Objects)
			}
			got.Message, c.want.Message, got.Objects = "", "", nil
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// documents are all of the above.
var documents = []string{
	readyDeployment, idleDeployment, freshDeployment, stuckDeployment, daemonSet, doneJob, activeJob, failedJob, donePod,
	runningPod, restartingPod, crashingPod, settings, leaving, strange,
}

func TestHealthTellsOfEachObject(t *testing.T) {
	var live []*unstructured.Unstructured
	for _, document := range []string{settings, readyDeployment, stuckDeployment, leaving, strange} {
		live = append(live, object(t, document))
	}
	missing := []api.InventoryObject{{Version: "v1", Kind: "Service", Namespace: "team", Name: "web"}}
	got := map[string]string{}
	for key, h := range Health(live, missing, nil).Objects {
		if (h.Message == "") != (h.Word == "Current") || (h.Severity() == 0) != (h.Word == "Current") {
			t.Errorf("%s: %+v", key, h)
		}
		got[key.String()] = h.Word
	}
	want := map[string]string{"ConfigMap team/settings": "Current", "Deployment team/web": "Current", "Deployment team/stuck": "Failed",
		"ConfigMap team/leaving": "Terminating", "Deployment team/strange": "Unknown", "Service team/web": "NotFound"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestHealthNeverGetsBetterByMoreObjects(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var live []*unstructured.Unstructured
		for _, document := range rapid.SliceOfN(rapid.SampledFrom(documents), 0, 6).Draw(r, "live") {
			live = append(live, object(t, document))
		}
		whole := Health(live, nil, nil)
		for i := range live {
			part := Health(live[:i], nil, nil)
			if whole.Ready && !part.Ready || part.Failed && !whole.Failed || part.Containers.DesiredPods > whole.Containers.DesiredPods {
				r.Fatalf("%+v with fewer, %+v with all", part, whole)
			}
		}
		if whole.Completed && whole.Restarting || whole.Failed && whole.Ready {
			r.Fatalf("it contradicts itself: %+v", whole)
		}
	})
}

func TestHealthOfRealObjects(t *testing.T) {
	b := newBench(t)
	entries := b.observed(b.resolve(b.owner, configMap+"\n---\n"+deployment+`
---
apiVersion: batch/v1
kind: Job
metadata: {name: work, namespace: SPACE}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}`)...)
	b.eventually("everything being ready, and the job done", func() bool {
		s := b.Snapshot(b.owner.UID, entries)
		r := Health(s.Live(), s.Missing(), nil)
		return r.Ready && r.Containers.RunningPods >= 1 && !r.Completed
	})
}
