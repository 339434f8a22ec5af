package fleet

import (
	"context"
	"encoding/json"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var claimsResource = schema.GroupVersionResource{Version: "v1", Resource: "persistentvolumeclaims"}

// Claim is a PersistentVolumeClaim on a cluster.
type Claim struct {
	Namespace, Name, UID string
	// Size is what it asks for.
	Size string
	// Bound says that it has a volume: before, nothing can have been written. Block says that this is a device.
	Bound, Block bool
	// Deleting says that it is being removed.
	Deleting bool
}

// Claims lists the claims in a namespace.
func (m *Member) Claims(ctx context.Context, namespace string) ([]Claim, error) {
	var list struct {
		Items []struct {
			Metadata metav1.ObjectMeta `json:"metadata"`
			Spec     struct {
				VolumeMode string `json:"volumeMode"`
				Resources  struct{ Requests struct{ Storage string } }
			} `json:"spec"`
			Status struct{ Phase string } `json:"status"`
		}
	}
	if err := m.listAll(ctx, claimsResource, namespace, &list); err != nil {
		return nil, answer(Key{Kind: "the claims of the namespace " + namespace}, err)
	}
	out := make([]Claim, 0, len(list.Items))
	for _, c := range list.Items {
		out = append(out, Claim{
			Namespace: namespace, Name: c.Metadata.Name, UID: string(c.Metadata.UID), Size: c.Spec.Resources.Requests.Storage,
			Bound: c.Status.Phase == "Bound", Block: c.Spec.VolumeMode == "Block", Deleting: c.Metadata.DeletionTimestamp != nil,
		})
	}
	return out, nil
}

// Use is a pod that has a claim, and has not ended.
type Use struct{ Pod, Claim string }

// Uses finds the pods of a namespace that have claims, whoever has made them.
func (m *Member) Uses(ctx context.Context, namespace string) ([]Use, error) {
	var list struct {
		Items []struct {
			Metadata metav1.ObjectMeta `json:"metadata"`
			Spec     struct {
				Volumes []struct {
					PersistentVolumeClaim struct{ ClaimName string }
				}
			} `json:"spec"`
			Status struct{ Phase string } `json:"status"`
		}
	}
	if err := m.listAll(ctx, podsResource, namespace, &list); err != nil {
		return nil, answer(Key{Kind: "the pods of the namespace " + namespace}, err)
	}
	var out []Use
	for _, pod := range list.Items {
		if pod.Status.Phase == "Succeeded" || pod.Status.Phase == "Failed" {
			continue
		}
		for _, v := range pod.Spec.Volumes {
			if claim := v.PersistentVolumeClaim.ClaimName; claim != "" {
				out = append(out, Use{pod.Metadata.Name, claim})
			}
		}
	}
	return out, nil
}

func (m *Member) listAll(ctx context.Context, r schema.GroupVersionResource, namespace string, into any) error {
	body, _, err := m.send(ctx, m.rest.Get().AbsPath(pathOf(r, namespace, "")...))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return &TransientError{Message: "a list cannot be read", cause: err}
	}
	return nil
}

// Pod reads one pod, and says what keeps it from running, empty if it runs or nothing is known to.
func (m *Member) Pod(ctx context.Context, namespace, name string) (p Pod, waits string, err error) {
	key := Key{Kind: podKind.Kind, Namespace: namespace, Name: name}
	live, err := m.get(ctx, podsResource, namespace, name)
	if err != nil {
		return Pod{}, "", answer(key, err)
	}
	body, err := live.MarshalJSON()
	var state podState
	if err == nil {
		err = json.Unmarshal(body, &state)
	}
	if err != nil {
		return Pod{}, "", &TransientError{Message: key.String() + " cannot be read", cause: err}
	}
	p = state.pod()
	for _, c := range p.Containers {
		if c.Waiting != "" {
			waits = c.Waiting
		}
	}
	for _, c := range listAt(live.Object, "status", "conditions") {
		if c["type"] == "PodScheduled" && c["status"] == "False" {
			waits, _ = c["message"].(string)
		}
	}
	p.Running = p.Running && !slices.ContainsFunc(p.Containers, func(c Container) bool { return !c.Running })
	return p, waits, nil
}
