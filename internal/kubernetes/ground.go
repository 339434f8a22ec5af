package kubernetes

import (
	"slices"
	"strings"

	"github.com/rak-n-rok/krake/api"
)

// ground is what the removal of an application's objects from a cluster rests on.
type ground int

const (
	byName   ground = iota // somebody asked for the deletion of this very application
	undone                 // an attempt that failed: what it made never came to serve anybody
	moved                  // the application is on another cluster, or is about to be
	cascaded               // the application is deleted because its owners are
	pruned                 // the manifest does not name the objects any more
)

// unasked are those of a batch that nobody asked to go. What belongs to a move is still wanted elsewhere; what the manifest
// does not name any more is wanted nowhere, and no move makes that less of an accident.
func (g ground) unasked(batch []api.InventoryObject, m api.Manifest) []api.InventoryObject {
	switch g {
	case byName, undone:
		return nil
	case moved:
		return slices.DeleteFunc(slices.Clone(batch), func(o api.InventoryObject) bool { return named(m, o) })
	default:
		return batch
	}
}

// why says to people what would remove the objects.
func (g ground) why() string {
	if g == cascaded {
		return "the owners of the application are being deleted."
	}
	return "the manifest does not name them any more."
}

// named says whether a manifest has an object. One without a namespace means the object in whatever namespace a cluster
// has for it.
func named(m api.Manifest, o api.InventoryObject) bool {
	return slices.ContainsFunc(m, func(document map[string]any) bool {
		version, _ := document["apiVersion"].(string)
		group, _, ok := strings.Cut(version, "/")
		if !ok {
			group = ""
		}
		metadata, _ := document["metadata"].(map[string]any)
		namespace, _ := metadata["namespace"].(string)
		return group == o.Group && document["kind"] == o.Kind && metadata["name"] == o.Name &&
			(namespace == "" || o.Namespace == "" || namespace == o.Namespace)
	})
}
