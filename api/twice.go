package api

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rak-n-rok/krake/api/wire"
)

// StopsFirst says whether a move must stop the application before it is created elsewhere, and why: its user wants it, or
// two copies at once would harm.
func (a *Application) StopsFirst() (why string, yes bool) {
	switch a.Spec.MigrationStrategy {
	case MigrateDeleteFirst:
		return "the application asks for it", true
	case MigrateCreateFirst:
		return "", false
	}
	for _, hook := range []string{HookComplete, HookShutdown} {
		if slices.Contains(a.Spec.Hooks, hook) {
			return "its hook " + hook + " belongs to one copy", true
		}
	}
	return a.Spec.Manifest.HarmfulTwice()
}

// HarmfulTwice says whether it would harm to have the objects of a manifest on two clusters at once, as a move that
// creates first does for a while, and why: work would be done twice, data would part, or a port of a node is taken.
func (m Manifest) HarmfulTwice() (reason string, yes bool) {
	for _, object := range m {
		if why, _ := harmfulTwice(object); why != "" {
			kind, _ := object["kind"].(string)
			return fmt.Sprintf("%s %s %s", kind, textOf(object, "metadata", "name"), why), true
		}
	}
	return "", false
}

// harmfulTwice says why an object must not be there twice, empty if it may, and gives as much of its specification as
// says so.
func harmfulTwice(object map[string]any) (why string, spec map[string]any) {
	kind := groupKindOf(object)
	switch kind {
	case "batch/Job", "batch/CronJob":
		return "would do its work twice", nil
	case "apps/StatefulSet":
		return "keeps state that would part", nil
	case "/PersistentVolumeClaim":
		if mode := singleWriter(object); mode != "" {
			return "is a claim of mode " + mode, map[string]any{"accessModes": []any{mode}}
		}
	}
	pod := []string{"spec", "template", "spec"}
	if kind == "/Pod" {
		pod = []string{"spec"}
	}
	if kind == "/Pod" && hasData(object) {
		return "has volumes of its own", map[string]any{"volumes": []any{map[string]any{}}}
	}
	if port := hostPort(object, pod); port != nil {
		spec = map[string]any{"containers": []any{map[string]any{"ports": []any{map[string]any{"hostPort": port}}}}}
		if kind != "/Pod" {
			spec = map[string]any{"template": map[string]any{"spec": spec}}
		}
		return fmt.Sprintf("takes the port %v of its node", port), spec
	}
	return "", nil
}

// groupKindOf gives GROUP/KIND of an object; the group of the core API is empty.
func groupKindOf(object map[string]any) string {
	version, _ := object["apiVersion"].(string)
	group, _, grouped := strings.Cut(version, "/")
	if !grouped {
		group = ""
	}
	kind, _ := object["kind"].(string)
	return group + "/" + kind
}

func singleWriter(claim map[string]any) string {
	modes, _ := at(claim, "spec", "accessModes").([]any)
	for _, m := range modes {
		if mode, _ := m.(string); mode == "ReadWriteOnce" || mode == "ReadWriteOncePod" {
			return mode
		}
	}
	return ""
}

// readOnly are the types of volumes that hold nothing of the pod's own.
var readOnly = []string{"configMap", "secret", "projected", "downwardAPI"}

// hasData says whether a pod has volumes that it may have written to.
func hasData(pod map[string]any) bool {
	return slices.ContainsFunc(mapsOf(pod, "spec", "volumes"), func(volume map[string]any) bool {
		return !slices.ContainsFunc(readOnly, func(kind string) bool { return volume[kind] != nil })
	})
}

// hostPort returns a port that the containers take of their node, nil for none.
func hostPort(object map[string]any, pod []string) any {
	for _, list := range []string{"initContainers", "containers"} {
		for _, container := range mapsOf(object, append(slices.Clone(pod), list)...) {
			for _, port := range mapsOf(container, "ports") {
				if n := port["hostPort"]; n != nil && fmt.Sprint(n) != "0" {
					return n
				}
			}
		}
	}
	return nil
}

// ForDecisions is as much of a manifest as decisions about places ask for: its claims, with what says whether they can be
// copied, and the first object that must not be there twice. It is for caches that keep no manifests.
func (m Manifest) ForDecisions() Manifest {
	var out Manifest
	harmful := false
	for _, object := range m {
		reduced, keep := claimsOf(object)
		if why, spec := harmfulTwice(object); why != "" && !harmful {
			if harmful, keep = true, true; spec == nil {
				spec = map[string]any{}
			}
			reduced["spec"] = wire.Patch(spec, reduced["spec"]) // which has more of the same
		}
		if keep {
			out = append(out, reduced)
		}
	}
	return out
}
