package preview

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
)

// newApplication is an application as it would be created.
func newApplication(namespace string, doc map[string]any) (*api.Application, error) {
	object, err := api.ApplicationKind.Decode(doc, wire.Create)
	if err != nil {
		return nil, under(err, "application")
	}
	app := object.(*api.Application)
	app.Metadata.Namespace, app.Metadata.UID, app.Metadata.Deleted = &namespace, "", nil
	return app, nil
}

// patched is an application as it would be after an update. What an update cannot change stays as it is.
func patched(stored *api.Application, patch map[string]any) (*api.Application, error) {
	if len(patch) == 0 {
		return stored, nil
	}
	tree, err := treeOf(stored)
	if err != nil {
		return nil, err
	}
	object, err := api.ApplicationKind.DecodeUpdate(wire.Patch(tree, patch), stored)
	if err != nil {
		return nil, under(err, "application")
	}
	if field := wire.Inherit(object, stored, false); field != "" {
		return nil, api.NewProblem(http.StatusBadRequest, api.TitleUpdate, "Trying to update an immutable field: %s", field)
	}
	return object.(*api.Application), nil
}

// changed is a cluster as a patch would make it. The patch may change what only Krake writes, too, such as the state.
func changed(stored *api.Cluster, patch map[string]any) (*api.Cluster, error) {
	tree, err := treeOf(stored)
	if err != nil {
		return nil, err
	}
	object, err := api.ClusterKind.DecodeUpdate(wire.Patch(tree, patch), stored)
	if err != nil {
		return nil, under(err, "clusters", stored.Metadata.Name)
	}
	next := object.(*api.Cluster)
	status := next.Status
	if field := wire.Inherit(next, stored, false); field != "" {
		return nil, api.NewProblem(http.StatusBadRequest, api.TitleUpdate, "Trying to update an immutable field: %s", field)
	}
	next.Status = status
	return next, nil
}

// newCluster is what a cluster is that a question adds, before its patch.
func newCluster(namespace, name string) *api.Cluster {
	c := api.New[api.Cluster]()
	c.Metadata.Name, c.Metadata.Namespace, c.Metadata.UID = name, &namespace, name
	c.Spec.Kubeconfig = api.Kubeconfig{"kind": "Config"} // a cluster needs one; nobody reads it
	c.Status.State = api.ClusterOnline
	return c
}

// treeOf is an object as a document.
func treeOf(object api.Resource) (any, error) {
	data, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	return wire.Parse(data)
}

// under puts the errors of a document where it stands in the question.
func under(err error, path ...string) error {
	var inner *wire.Errors
	if !errors.As(err, &inner) {
		return err
	}
	out := &wire.Errors{}
	at := out
	for _, field := range path[:len(path)-1] {
		at = at.At(field)
	}
	at.Put(path[len(path)-1], inner)
	return out
}
