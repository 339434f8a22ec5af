package fleet

import (
	"context"
	"encoding/json"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// A quiet kind has pods that a controller makes. That controller works with what it has heard, and may make pods of a
// workload that is gone: for a moment such a pod runs although everything was removed. So a workload is first told to
// have none, and removed when its controller has answered that there are none.
type quiet struct {
	// want is the change after which no pods are made; nil where there is none that does no harm.
	want map[string]any
	// reached says whether the controller has heard, and has removed what there was.
	reached func(live map[string]any) bool
}

var (
	deploymentKind = schema.GroupKind{Group: "apps", Kind: "Deployment"}
	replicaSets    = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "replicasets"}

	scaledDown = quiet{map[string]any{"replicas": int64(0)}, noReplicas}
	suspended  = quiet{map[string]any{"suspend": true}, hasPaused}
	// A StatefulSet whose pods are not well does not scale down, and a DaemonSet has no number. Removing them ends their
	// pods; only of one that its controller has not even seen it could be too early.
	heardOf = quiet{nil, observed}
)

func quietOf(kind schema.GroupKind) (quiet, bool) {
	switch {
	case kind == jobKind:
		return suspended, true
	case kind == statefulSetKind, kind == daemonSetKind:
		return heardOf, true
	case scalable[kind]:
		return scaledDown, true
	}
	return quiet{}, false
}

// observed says whether the controller knows the specification as it is.
func observed(live map[string]any) bool {
	return numberAt(live, 0, "status", "observedGeneration") >= numberAt(live, 0, "metadata", "generation")
}

func noReplicas(live map[string]any) bool {
	return numberAt(live, 1, "spec", "replicas") == 0 && observed(live) && numberAt(live, 0, "status", "replicas") == 0
}

// hasPaused says whether a Job makes no pods any more: because it has heard that it is suspended, or because it is over.
func hasPaused(live map[string]any) bool {
	over := holds(live, "Complete") || holds(live, "Failed")
	return over || at(live, []string{"spec", "suspend"}) == true && holds(live, "Suspended") && numberAt(live, 0, "status", "active") == 0
}

// atRest brings an object to rest that makes pods, and says whether it is. Others are at rest as they are.
func (m *Member) atRest(ctx context.Context, where mapping, seen *unstructured.Unstructured, kind schema.GroupKind) (bool, error) {
	q, makesPods := quietOf(kind)
	if !makesPods {
		return true, nil
	}
	live, err := m.get(ctx, where.resource, seen.GetNamespace(), seen.GetName())
	if err != nil {
		return false, err
	}
	if q.reached(live.Object) {
		if kind == deploymentKind {
			return m.replicaSetsAtRest(ctx, live)
		}
		return true, nil
	}
	if wants(q.want, mapAt(live.Object, "spec")) {
		return false, nil // it was told
	}
	return false, m.tell(ctx, where.resource, live, q.want)
}

// wants says whether a specification has these values.
func wants(want, spec map[string]any) bool {
	for key, value := range want {
		if spec[key] != value {
			return false
		}
	}
	return true
}

// tell changes the specification of exactly the object that was looked at.
func (m *Member) tell(ctx context.Context, r schema.GroupVersionResource, live *unstructured.Unstructured, spec map[string]any) error {
	body, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": live.GetUID(), "resourceVersion": live.GetResourceVersion()}, "spec": spec,
	})
	if err != nil {
		return err
	}
	if err := m.fleet.options.MayWrite(ctx); err != nil {
		return err
	}
	_, _, err = m.send(ctx, m.rest.Patch(types.MergePatchType).AbsPath(pathOf(r, live.GetNamespace(), live.GetName())...).
		Param("fieldManager", FieldManager).Body(body))
	return err
}

// replicaSetsAtRest says whether the sets that a Deployment has made are at rest as well: it tells them, and they make
// the pods. Where they may not be listed, the Deployment's word has to do.
func (m *Member) replicaSetsAtRest(ctx context.Context, deployment *unstructured.Unstructured) (bool, error) {
	selector := labels.Set{}
	for key, value := range mapAt(deployment.Object, "spec", "selector", "matchLabels") {
		selector[key], _ = value.(string)
	}
	body, _, err := m.send(ctx, m.rest.Get().AbsPath(pathOf(replicaSets, deployment.GetNamespace(), "")...).
		Param("labelSelector", selector.String()))
	if apierrors.IsForbidden(err) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	var sets unstructured.UnstructuredList
	if err := sets.UnmarshalJSON(body); err != nil {
		return false, err
	}
	for _, set := range sets.Items {
		for _, owner := range set.GetOwnerReferences() {
			if owner.UID == deployment.GetUID() && !noReplicas(set.Object) {
				return false, nil
			}
		}
	}
	return true, nil
}
