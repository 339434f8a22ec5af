package fleet

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/capacity"
)

// Usage is what the pods of a cluster ask for: all of them, and those that no application of this Krake has made.
type Usage struct {
	All, Others api.Amounts
}

// podsPerAnswer is how many pods are asked for at a time: the pods of a large cluster are large.
const podsPerAnswer = 500

// alive leaves out pods that have ended: they ask for nothing any more.
const alive = "status.phase!=Succeeded,status.phase!=Failed"

// countedPod is what is read of a pod to count it.
type countedPod struct {
	Metadata metav1.ObjectMeta `json:"metadata"`
	Spec     map[string]any    `json:"spec"`
}

// Usage sums what the pods ask for that are on these nodes or on none yet. A pod is an application's if it, or what has made
// it, carries the mark of one of this installation. The error is a *RefusedError if the user lacks the right to see that.
func (m *Member) Usage(ctx context.Context, nodes []string, installation string) (Usage, error) {
	owners := &marks{m: m, view: &lookup{mapper: m.mapper}, installation: installation, known: map[schema.GroupVersionKind]map[types.UID]metav1.ObjectMeta{}}
	var u Usage
	for next := ""; ; {
		var list struct {
			Metadata metav1.ListMeta `json:"metadata"`
			Items    []countedPod    `json:"items"`
		}
		body, _, err := m.send(ctx, m.rest.Get().AbsPath(pathOf(podsResource, "", "")...).
			Param("fieldSelector", alive).Param("limit", strconv.Itoa(podsPerAnswer)).Param("continue", next))
		if err == nil {
			err = json.Unmarshal(body, &list)
		}
		if err != nil {
			return Usage{}, answer(Key{Kind: "its pods"}, err)
		}
		for _, pod := range list.Items {
			if node, _ := pod.Spec["nodeName"].(string); node != "" && !slices.Contains(nodes, node) {
				continue
			}
			ours, err := owners.reach(ctx, pod.Metadata, maxOwners)
			if err != nil {
				return Usage{}, err
			}
			asks := capacity.OfPod(pod.Spec)
			u.All = u.All.Plus(asks)
			if !ours {
				u.Others = u.Others.Plus(asks)
			}
		}
		if next = list.Metadata.Continue; next == "" {
			return u, nil
		}
	}
}

// marks finds out whether something was made by an object that carries the mark of an application. Each kind of owner is
// listed once.
type marks struct {
	m            *Member
	view         *lookup
	installation string
	known        map[schema.GroupVersionKind]map[types.UID]metav1.ObjectMeta
}

func (o *marks) reach(ctx context.Context, it metav1.ObjectMeta, depth int) (bool, error) {
	if it.Labels[AppUIDLabel] != "" && it.Annotations[InstallationAnnotation] == o.installation {
		return true, nil
	}
	if depth == 0 {
		return false, nil
	}
	for _, ref := range it.OwnerReferences {
		all, err := o.ofKind(ctx, schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind))
		if err != nil {
			return false, err
		}
		above, there := all[ref.UID]
		if !there {
			continue
		}
		if ours, err := o.reach(ctx, above, depth-1); ours || err != nil {
			return ours, err
		}
	}
	return false, nil
}

// ofKind lists the metadata of all objects of a kind.
func (o *marks) ofKind(ctx context.Context, kind schema.GroupVersionKind) (map[types.UID]metav1.ObjectMeta, error) {
	if all, ok := o.known[kind]; ok {
		return all, nil
	}
	o.known[kind] = nil
	where, err := o.view.find(ctx, kind)
	switch {
	case Unreachable(err):
		return nil, err
	case err != nil || !where.namespaced:
		return nil, nil // a node, or something that is not served any more
	}
	body, _, err := o.m.send(ctx, o.m.rest.Get().AbsPath(pathOf(where.resource, "", "")...).SetHeader("Accept", metaOnlyList).
		Param("resourceVersion", "0"))
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
	o.known[kind] = all
	return all, nil
}
