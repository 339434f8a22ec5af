package kubernetes

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rak-n-rok/krake/api"
)

// What is made for copying volumes. All of it follows from the manifest, the volumes and the application's UID: a process
// that goes on after another one makes the same.

const (
	claimKind  = "PersistentVolumeClaim"
	helperRoot = "/volume" // where a helper has its volume
	helperName = "volume"  // of its container
)

// helperPrefix begins the names of the pods that help to copy the volumes of an application.
func helperPrefix(appUID string) string {
	return "krake-volume-" + appUID[:min(len(appUID), 8)] + "-"
}

// helperOf is the name of the pod that helps to copy a volume. Each attempt has pods of its own: what one that failed has
// left running writes nothing into the next one.
func helperOf(appUID string, v api.MovedVolume, attempt int64) string {
	sum := sha256.Sum256([]byte(v.Claim))
	return fmt.Sprintf("%s%s-%d", helperPrefix(appUID), hex.EncodeToString(sum[:5]), attempt)
}

// isHelper says whether an object of an application is there for copying alone.
func isHelper(appUID string, o api.InventoryObject) bool {
	return o.Group == "" && o.Kind == "Pod" && strings.HasPrefix(o.Name, helperPrefix(appUID))
}

// helper is the pod that has a claim mounted while it is copied. It runs as root, with no more of root's rights than to
// read, write and give away any file, and goes where the pods may go that the claim is for.
func helper(image, name, namespace, claim string, readOnly bool, like map[string]any) map[string]any {
	capabilities := []any{"DAC_OVERRIDE"} // all that are added are allowed by the Pod Security Standard "baseline"
	if !readOnly {
		capabilities = append(capabilities, "CHOWN", "FOWNER", "FSETID")
	}
	spec := map[string]any{
		"restartPolicy": "Never", "automountServiceAccountToken": false, "enableServiceLinks": false, "terminationGracePeriodSeconds": int64(1),
		"securityContext": map[string]any{"runAsUser": int64(0), "seccompProfile": map[string]any{"type": "RuntimeDefault"}},
		"containers": []any{map[string]any{
			"name": helperName, "image": image, "args": []any{"wait"},
			"securityContext": map[string]any{
				"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
				"capabilities": map[string]any{"drop": []any{"ALL"}, "add": capabilities},
			},
			"resources": map[string]any{
				"requests": map[string]any{"cpu": "100m", "memory": "64Mi"}, "limits": map[string]any{"cpu": "1", "memory": "256Mi"},
			},
			"volumeMounts": []any{map[string]any{"name": helperName, "mountPath": helperRoot, "readOnly": readOnly}},
		}},
		"volumes": []any{map[string]any{"name": helperName, "persistentVolumeClaim": map[string]any{"claimName": claim}}},
	}
	for _, field := range []string{"nodeSelector", "tolerations"} {
		if like[field] != nil {
			spec[field] = like[field]
		}
	}
	if affinity, _ := like["affinity"].(map[string]any); affinity["nodeAffinity"] != nil {
		spec["affinity"] = map[string]any{"nodeAffinity": affinity["nodeAffinity"]}
	}
	return map[string]any{
		"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": name, "namespace": namespace}, "spec": spec,
	}
}

// forClaims are the objects of a manifest that must be there before its claims can be: what they are made in and of.
func forClaims(m api.Manifest) api.Manifest {
	kinds := []string{"Namespace", claimKind, "PersistentVolume", "StorageClass", "VolumeAttributesClass", "Secret", "LimitRange", "ResourceQuota"}
	var out api.Manifest
	for _, object := range m {
		if kind, _ := object["kind"].(string); slices.Contains(kinds, kind) {
			out = append(out, object)
		}
	}
	return out
}

// fromTemplates are the claims that StatefulSets of a manifest would make themselves, without what is in them: as many as
// there are to copy.
func fromTemplates(m api.Manifest, volumes []api.MovedVolume) api.Manifest {
	var out api.Manifest
	for _, v := range volumes {
		set, template := m.TemplateOf(v.Claim)
		if template == nil || isInManifest(m, v.Claim) {
			continue
		}
		metadata := map[string]any{"name": v.Claim}
		labels := maps.Clone(mapIn(template, "metadata", "labels"))
		if labels == nil {
			labels = map[string]any{}
		}
		maps.Copy(labels, mapIn(set, "spec", "selector", "matchLabels"))
		metadata["labels"] = labels
		if notes := mapIn(template, "metadata", "annotations"); notes != nil {
			metadata["annotations"] = notes
		}
		if namespace := mapIn(set, "metadata")["namespace"]; namespace != nil {
			metadata["namespace"] = namespace
		}
		spec := maps.Clone(mapIn(template, "spec"))
		if spec == nil {
			spec = map[string]any{}
		}
		if v.Size != "" { // it may have grown
			resources := maps.Clone(mapIn(spec, "resources"))
			if resources == nil {
				resources = map[string]any{}
			}
			resources["requests"] = map[string]any{"storage": v.Size}
			spec["resources"] = resources
		}
		out = append(out, map[string]any{"apiVersion": "v1", "kind": claimKind, "metadata": metadata, "spec": spec})
	}
	return out
}

func isInManifest(m api.Manifest, claim string) bool {
	return slices.ContainsFunc(m, func(object map[string]any) bool {
		return object["kind"] == claimKind && mapIn(object, "metadata")["name"] == claim
	})
}

// mapIn follows keys to a map, nil where there is none.
func mapIn(object map[string]any, path ...string) map[string]any {
	for _, key := range path {
		object, _ = object[key].(map[string]any)
	}
	return object
}

// runsPods says of which objects the pods have to end before files can be copied. Pods of others are found by the claims
// that they have.
func runsPods(o api.InventoryObject) bool {
	return o.Group == "apps" || o.Group == "batch" || o.Group == "" && (o.Kind == "Pod" || o.Kind == "ReplicationController")
}

// holdsFiles says which of an application's objects on one cluster its files would go with: the claims, the volumes that
// it has brought for them, and the namespaces that they are in.
func holdsFiles(objects []api.InventoryObject) []api.InventoryObject {
	isClaim := func(o api.InventoryObject) bool { return o.Group == "" && o.Kind == claimKind && o.UID != "" }
	spaces := map[string]bool{}
	for _, o := range objects {
		if isClaim(o) {
			spaces[o.Namespace] = true
		}
	}
	if len(spaces) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(objects), func(o api.InventoryObject) bool {
		isVolume := o.Group == "" && o.Kind == "PersistentVolume"
		isSpace := o.Group == "" && o.Kind == "Namespace" && spaces[o.Name]
		return o.UID == "" || !isClaim(o) && !isVolume && !isSpace
	})
}
