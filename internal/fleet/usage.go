package fleet

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
	ancestry := m.ancestryOf(func(it metav1.ObjectMeta) bool {
		return it.Labels[AppUIDLabel] != "" && it.Annotations[InstallationAnnotation] == installation
	})
	ancestry.version = "0"
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
			ours, err := ancestry.reach(ctx, pod.Metadata, maxOwners)
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
