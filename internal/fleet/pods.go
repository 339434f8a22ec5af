package fleet

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rak-n-rok/krake/api"
)

var (
	podKind         = schema.GroupKind{Kind: "Pod"}
	jobKind         = schema.GroupKind{Group: "batch", Kind: "Job"}
	daemonSetKind   = schema.GroupKind{Group: "apps", Kind: "DaemonSet"}
	statefulSetKind = schema.GroupKind{Group: "apps", Kind: "StatefulSet"}
	secretKind      = schema.GroupKind{Kind: "Secret"}
	serviceKind     = schema.GroupKind{Kind: "Service"}
)

// scalable are the kinds that run spec.replicas pods.
var scalable = map[schema.GroupKind]bool{
	{Group: "apps", Kind: "Deployment"}: true,
	{Group: "apps", Kind: "ReplicaSet"}: true,
	statefulSetKind:                     true,
	{Kind: "ReplicationController"}:     true,
}

func groupKind(object *unstructured.Unstructured) schema.GroupKind {
	return object.GroupVersionKind().GroupKind()
}

// count counts the pods that one object accounts for. Pods of workloads are counted from the status of the workload.
func count(object *unstructured.Unstructured) api.ContainerHealth {
	kind := groupKind(object)
	switch {
	case kind == podKind:
		return countPod(object)
	case kind == daemonSetKind:
		return api.ContainerHealth{
			DesiredPods: numberAt(object.Object, 0, "status", "desiredNumberScheduled"),
			RunningPods: numberAt(object.Object, 0, "status", "numberReady"),
		}
	case kind == jobKind:
		return api.ContainerHealth{
			DesiredPods:   numberAt(object.Object, 1, "spec", "completions"),
			RunningPods:   numberAt(object.Object, 0, "status", "active"),
			CompletedPods: numberAt(object.Object, 0, "status", "succeeded"),
			FailedPods:    numberAt(object.Object, 0, "status", "failed"),
		}
	case scalable[kind]:
		return api.ContainerHealth{
			DesiredPods: numberAt(object.Object, 1, "spec", "replicas"),
			RunningPods: numberAt(object.Object, 0, "status", "readyReplicas"),
		}
	default:
		return api.ContainerHealth{}
	}
}

func countPod(pod *unstructured.Unstructured) api.ContainerHealth {
	c := api.ContainerHealth{DesiredPods: 1}
	switch phase(pod) {
	case "Succeeded":
		c.CompletedPods = 1
	case "Failed":
		c.FailedPods = 1
	case "Running":
		c.RunningPods = 1
		for _, container := range containers(pod) {
			if _, runs := container["running"]; !runs {
				c.RunningPods = 0
			}
		}
	}
	return c
}

func phase(pod *unstructured.Unstructured) string {
	return textAt(pod.Object, "status", "phase")
}

// containers are the states of a pod's containers.
func containers(pod *unstructured.Unstructured) []map[string]any {
	var out []map[string]any
	for _, container := range listAt(pod.Object, "status", "containerStatuses") {
		out = append(out, mapAt(container, "state"))
	}
	return out
}

// isTask says whether an object is there to end some day.
func isTask(object *unstructured.Unstructured) bool {
	kind := groupKind(object)
	return kind == podKind || kind == jobKind
}

// hasEnded says whether a Job or bare Pod has ended well.
func hasEnded(object *unstructured.Unstructured) bool {
	if groupKind(object) == podKind {
		return phase(object) == "Succeeded"
	}
	return holds(object.Object, "Complete")
}

// isRestarting says whether a container of a bare Pod has ended and will be started again.
func isRestarting(object *unstructured.Unstructured) bool {
	policy := textAt(object.Object, "spec", "restartPolicy")
	if groupKind(object) != podKind || policy == "Never" || phase(object) != "Running" {
		return false
	}
	for _, state := range containers(object) {
		terminated := mapAt(state, "terminated")
		if terminated != nil && (policy != "OnFailure" || terminated["exitCode"] != int64(0)) {
			return true
		}
	}
	return false
}
