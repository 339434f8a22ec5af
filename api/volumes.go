package api

import (
	"fmt"
	"slices"
)

// Claims names the PersistentVolumeClaims that a manifest speaks of: those in it, the first that each template of a
// StatefulSet makes, and those that its pods use.
func (m Manifest) Claims() []string {
	var out []string
	add := func(name string) {
		if name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, object := range m {
		kind, _ := object["kind"].(string)
		name := textOf(object, "metadata", "name")
		if kind == "PersistentVolumeClaim" {
			add(name)
		}
		for _, template := range mapsOf(object, "spec", "volumeClaimTemplates") {
			if kind == "StatefulSet" {
				add(fmt.Sprintf("%s-%s-0", textOf(template, "metadata", "name"), name))
			}
		}
		for _, volume := range mapsOf(object, append(podSpecOf(kind), "volumes")...) {
			add(textOf(volume, "persistentVolumeClaim", "claimName"))
		}
	}
	return out
}

// podSpecOf is where a kind has the specification of its pods.
func podSpecOf(kind string) []string {
	switch kind {
	case "Pod":
		return []string{"spec"}
	case "CronJob":
		return []string{"spec", "jobTemplate", "spec", "template", "spec"}
	default:
		return []string{"spec", "template", "spec"}
	}
}

// at follows keys into a free object, nil where they lead nowhere.
func at(object map[string]any, path ...string) any {
	var here any = object
	for _, key := range path {
		m, _ := here.(map[string]any)
		here = m[key]
	}
	return here
}

func textOf(object map[string]any, path ...string) string {
	text, _ := at(object, path...).(string)
	return text
}

// mapsOf returns the objects in a list.
func mapsOf(object map[string]any, path ...string) []map[string]any {
	list, _ := at(object, path...).([]any)
	var out []map[string]any
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}
