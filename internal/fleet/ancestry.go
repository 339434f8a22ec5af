package fleet

import (
	"context"
	"encoding/json"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// ancestry finds out whether objects were made by one of certain others, directly or by what those have made. Each kind of
// owner is listed once.
type ancestry struct {
	m     *Member
	view  *lookup
	space string // only owners in there; empty for all namespaces
	// version "0" is for what the cluster has in memory, which may be a moment old; empty for what there is now.
	version string
	// lenient is for owners that may not be listed to be like those of others; otherwise that is an error.
	lenient bool
	sought  func(metav1.ObjectMeta) bool
	known   map[schema.GroupVersionKind]map[types.UID]metav1.ObjectMeta
}

func (m *Member) ancestryOf(sought func(metav1.ObjectMeta) bool) *ancestry {
	return &ancestry{m: m, view: &lookup{mapper: m.mapper}, sought: sought, known: map[schema.GroupVersionKind]map[types.UID]metav1.ObjectMeta{}}
}

// reach looks at an object and so many generations above it.
func (a *ancestry) reach(ctx context.Context, it metav1.ObjectMeta, depth int) (bool, error) {
	if a.sought(it) {
		return true, nil
	}
	if depth == 0 {
		return false, nil
	}
	for _, ref := range it.OwnerReferences {
		if a.sought(metav1.ObjectMeta{UID: ref.UID}) { // the reference says enough
			return true, nil
		}
		all, err := a.ofKind(ctx, schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind))
		if err != nil {
			return false, err
		}
		above, there := all[ref.UID]
		if !there {
			continue
		}
		if found, err := a.reach(ctx, above, depth-1); found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// ofKind lists the metadata of the objects of a kind.
func (a *ancestry) ofKind(ctx context.Context, kind schema.GroupVersionKind) (map[types.UID]metav1.ObjectMeta, error) {
	if all, ok := a.known[kind]; ok {
		return all, nil
	}
	a.known[kind] = nil
	where, err := a.view.find(ctx, kind)
	switch {
	case Unreachable(err):
		return nil, err
	case err != nil || !where.namespaced:
		return nil, nil // a node, or something that is not served any more
	}
	request := a.m.rest.Get().AbsPath(pathOf(where.resource, a.space, "")...).SetHeader("Accept", metaOnlyList)
	if a.version != "" {
		request = request.Param("resourceVersion", a.version)
	}
	body, _, err := a.m.send(ctx, request)
	if a.lenient && apierrors.IsForbidden(err) {
		return nil, nil
	}
	var list metav1.PartialObjectMetadataList
	if err == nil {
		err = json.Unmarshal(body, &list)
	}
	if err != nil {
		return nil, answer(Key{Kind: "its objects of kind " + kind.Kind}, err)
	}
	all := make(map[types.UID]metav1.ObjectMeta, len(list.Items))
	for _, item := range list.Items {
		all[item.UID] = item.ObjectMeta
	}
	a.known[kind] = all
	return all, nil
}
