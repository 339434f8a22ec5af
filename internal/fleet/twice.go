package fleet

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rak-n-rok/krake/api"
)

// HarmfulTwice says whether it would harm to have the objects of a manifest on two clusters at once, as a move that
// creates first does for a while, and why: work would be done twice, data would part, or a port of a node is taken.
func HarmfulTwice(manifest api.Manifest) (reason string, yes bool) {
	for _, raw := range manifest {
		object := &unstructured.Unstructured{Object: raw}
		if why := harmfulTwice(object); why != "" {
			return fmt.Sprintf("%s %s %s", object.GetKind(), object.GetName(), why), true
		}
	}
	return "", false
}

func harmfulTwice(object *unstructured.Unstructured) string {
	kind := groupKind(object)
	switch kind {
	case jobKind, cronJobKind:
		return "would do its work twice"
	case statefulSetKind:
		return "keeps state that would part"
	case claimKind:
		if mode := singleWriter(object); mode != "" {
			return "is a claim of mode " + mode
		}
	}
	path, ok := podSpecs[kind]
	if !ok {
		path = []string{"spec", "template", "spec"}
	}
	spec := mapAt(object.Object, path...)
	if kind == podKind && hasData(spec) {
		return "has volumes of its own"
	}
	if n := hostPort(spec); n != "" {
		return "takes the port " + n + " of its node"
	}
	return ""
}

func singleWriter(claim *unstructured.Unstructured) string {
	modes, _ := at(claim.Object, []string{"spec", "accessModes"}).([]any)
	for _, m := range modes {
		if mode, _ := m.(string); mode == "ReadWriteOnce" || mode == "ReadWriteOncePod" {
			return mode
		}
	}
	return ""
}

// podSpecs is where kinds have the specification of their pods, if not in spec.template.spec.
var podSpecs = map[schema.GroupKind][]string{podKind: {"spec"}}

// readOnly are the types of volumes that hold nothing of the pod's own.
var readOnly = []string{"configMap", "secret", "projected", "downwardAPI"}

// hasData says whether a pod has volumes that it may have written to.
func hasData(spec map[string]any) bool {
	return slices.ContainsFunc(listAt(spec, "volumes"), func(volume map[string]any) bool {
		return !slices.ContainsFunc(readOnly, func(kind string) bool { return volume[kind] != nil })
	})
}

// hostPort returns a port that the containers take of their node, empty for none.
func hostPort(spec map[string]any) string {
	for _, list := range []string{"initContainers", "containers"} {
		for _, container := range listAt(spec, list) {
			for _, port := range listAt(container, "ports") {
				if n := port["hostPort"]; n != nil && fmt.Sprint(n) != "0" {
					return fmt.Sprint(n)
				}
			}
		}
	}
	return ""
}
