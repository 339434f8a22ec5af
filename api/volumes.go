package api

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
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
		if kind == claimKind {
			add(name)
		}
		for _, template := range mapsOf(object, "spec", "volumeClaimTemplates") {
			if kind == setKind {
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

// claimsOf is an object of which nothing is left but its claims, and what says whether they can be copied; false if it has
// none.
func claimsOf(object map[string]any) (reduced map[string]any, has bool) {
	kind, _ := object["kind"].(string)
	spec := map[string]any{}
	switch kind {
	case claimKind:
		spec = claimSpec(object)
	case setKind:
		var templates []any
		for _, t := range mapsOf(object, "spec", "volumeClaimTemplates") {
			templates = append(templates, onlyClaim(t, claimSpec(t)))
		}
		put(spec, templates, "volumeClaimTemplates")
		if policy := at(object, "spec", retention); policy != nil {
			spec[retention] = policy
		}
	}
	var volumes []any
	for _, volume := range mapsOf(object, append(podSpecOf(kind), "volumes")...) {
		if name := textOf(volume, "persistentVolumeClaim", "claimName"); name != "" {
			volumes = append(volumes, map[string]any{"persistentVolumeClaim": map[string]any{"claimName": name}})
		}
	}
	reduced = onlyClaim(object, spec)
	put(reduced, volumes, append(podSpecOf(kind), "volumes")...)
	return reduced, kind == claimKind || len(mapsOf(reduced, "spec", "volumeClaimTemplates"))+len(volumes) > 0
}

// The kinds that make claims.
const (
	claimKind = "PersistentVolumeClaim"
	setKind   = "StatefulSet"
)

// retention is where a StatefulSet says that its claims go with it.
const retention = "persistentVolumeClaimRetentionPolicy"

// onlyClaim is an object with its kind, its name and this specification.
func onlyClaim(object, spec map[string]any) map[string]any {
	out := map[string]any{"metadata": map[string]any{"name": textOf(object, "metadata", "name")}, "spec": spec}
	for _, key := range []string{"apiVersion", "kind"} {
		if value, ok := object[key]; ok {
			out[key] = value
		}
	}
	return out
}

// claimSpec is what of a claim says whether it can be copied.
func claimSpec(claim map[string]any) map[string]any {
	out := map[string]any{}
	for _, field := range []string{"accessModes", "volumeMode"} {
		if value := at(claim, "spec", field); value != nil {
			out[field] = value
		}
	}
	return out
}

// put sets a list that is not empty, and makes the maps on the way there.
func put(in map[string]any, list []any, path ...string) {
	if len(list) == 0 {
		return
	}
	for _, key := range path[:len(path)-1] {
		next, ok := in[key].(map[string]any)
		if !ok {
			next = map[string]any{}
			in[key] = next
		}
		in = next
	}
	in[path[len(path)-1]] = list
}

// Uncopyable says why the files on the claims of a manifest cannot be copied to another cluster, empty if they can.
func (m Manifest) Uncopyable() string {
	for _, object := range m {
		kind, _ := object["kind"].(string)
		name := textOf(object, "metadata", "name")
		if why := uncopyable(object); kind == claimKind && why != "" {
			return fmt.Sprintf("the claim %s %s", name, why)
		}
		if kind != setKind {
			continue
		}
		for _, t := range mapsOf(object, "spec", "volumeClaimTemplates") {
			if why := uncopyable(t); why != "" {
				return fmt.Sprintf("the template %s of the StatefulSet %s %s", textOf(t, "metadata", "name"), name, why)
			}
		}
		if textOf(object, "spec", retention, "whenDeleted") == "Delete" || textOf(object, "spec", retention, "whenScaled") == "Delete" {
			return fmt.Sprintf("the StatefulSet %s has its claims removed when it is stopped (%s)", name, retention)
		}
	}
	for _, claim := range m.Claims() {
		if !m.makes(claim) {
			return fmt.Sprintf("the claim %s is used and is not in the manifest", claim)
		}
	}
	return ""
}

func uncopyable(claim map[string]any) string {
	modes, _ := at(claim, "spec", "accessModes").([]any)
	switch {
	case textOf(claim, "spec", "volumeMode") == "Block":
		return "is for a device without files (volumeMode: Block)"
	case len(modes) > 0 && !slices.ContainsFunc(modes, func(mode any) bool { return mode != "ReadOnlyMany" }):
		return "can only be read (ReadOnlyMany)"
	}
	return ""
}

// makes says whether a claim of this name is in the manifest, or comes from a template in it.
func (m Manifest) makes(claim string) bool {
	for _, object := range m {
		if object["kind"] == claimKind && textOf(object, "metadata", "name") == claim {
			return true
		}
	}
	_, template := m.TemplateOf(claim)
	return template != nil
}

// TemplateOf returns the StatefulSet and its template by which a claim of this name is made, nil if there are none.
func (m Manifest) TemplateOf(claim string) (set, template map[string]any) {
	for _, object := range m {
		if object["kind"] != setKind {
			continue
		}
		for _, t := range mapsOf(object, "spec", "volumeClaimTemplates") {
			prefix := fmt.Sprintf("%s-%s-", textOf(t, "metadata", "name"), textOf(object, "metadata", "name"))
			if ordinal, ok := strings.CutPrefix(claim, prefix); ok && isOrdinal(ordinal) {
				return object, t
			}
		}
	}
	return nil, nil
}

// PodUsing returns the specification of pods in a manifest that have a claim of this name, nil if there are none.
func (m Manifest) PodUsing(claim string) map[string]any {
	set, _ := m.TemplateOf(claim)
	for _, object := range m {
		kind, _ := object["kind"].(string)
		spec, _ := at(object, podSpecOf(kind)...).(map[string]any)
		uses := func(v map[string]any) bool { return textOf(v, "persistentVolumeClaim", "claimName") == claim }
		if spec != nil && (slices.ContainsFunc(mapsOf(spec, "volumes"), uses) || set != nil && textOf(set, "metadata", "name") == textOf(object, "metadata", "name") && kind == setKind) {
			return spec
		}
	}
	return nil
}

// isOrdinal says whether a text is the number of a pod, as a StatefulSet writes it.
func isOrdinal(text string) bool {
	n, err := strconv.ParseUint(text, 10, 31)
	return err == nil && strconv.FormatUint(n, 10) == text
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
