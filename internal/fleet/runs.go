package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rak-n-rok/krake/api"
)

var podsResource = schema.GroupVersionResource{Version: "v1", Resource: "pods"}

// Pod is one in which containers of an application run, or have run.
type Pod struct {
	Namespace, Name string
	UID             string
	// Ended says that none of its containers will run again.
	Ended bool
	// Running says that it is on a node and has been started there.
	Running bool
	// Containers are the pod's, those that prepare it first.
	Containers []Container
	// Default is the container that is meant if none is named, empty if there are several and the pod does not say.
	Default string
}

// Container is one container of a pod.
type Container struct {
	Name string
	// Run tells one run of the container from the next; empty before the first.
	Run string
	// Running says that it runs now; Waiting says why it does not, if it is going to.
	Running bool
	Waiting string
}

// Container returns the container of a name, nil if the pod has none.
func (p *Pod) Container(name string) *Container {
	for i := range p.Containers {
		if p.Containers[i].Name == name {
			return &p.Containers[i]
		}
	}
	return nil
}

// podState is what is read of a pod.
type podState struct {
	Metadata metav1.ObjectMeta `json:"metadata"`
	Spec     struct {
		Init       []struct{ Name string } `json:"initContainers"`
		Containers []struct{ Name string } `json:"containers"`
	} `json:"spec"`
	Status struct {
		Phase      string           `json:"phase"`
		Init       []containerState `json:"initContainerStatuses"`
		Containers []containerState `json:"containerStatuses"`
	} `json:"status"`
}

type containerState struct {
	Name        string `json:"name"`
	ContainerID string `json:"containerID"`
	State       struct {
		Waiting *struct{ Reason, Message string } `json:"waiting"`
		Running *struct{}                         `json:"running"`
	} `json:"state"`
}

// defaultContainer is the annotation by which a pod says which container people mean.
const defaultContainer = "kubectl.kubernetes.io/default-container"

func (s *podState) pod() Pod {
	p := Pod{
		Namespace: s.Metadata.Namespace, Name: s.Metadata.Name, UID: string(s.Metadata.UID),
		Ended: s.Status.Phase == "Succeeded" || s.Status.Phase == "Failed", Running: s.Status.Phase == "Running",
	}
	states := map[string]containerState{}
	for _, c := range slices.Concat(s.Status.Init, s.Status.Containers) {
		states[c.Name] = c
	}
	for _, c := range slices.Concat(s.Spec.Init, s.Spec.Containers) {
		state := states[c.Name]
		out := Container{Name: c.Name, Run: state.ContainerID, Running: state.State.Running != nil}
		if w := state.State.Waiting; w != nil {
			out.Waiting = strings.TrimSuffix(w.Reason+": "+w.Message, ": ")
		}
		p.Containers = append(p.Containers, out)
	}
	if named := s.Metadata.Annotations[defaultContainer]; p.Container(named) != nil {
		p.Default = named
	} else if len(s.Spec.Containers) == 1 {
		p.Default = s.Spec.Containers[0].Name
	}
	return p
}

// maxOwners bounds how many objects may stand between one of the inventory and a pod.
const maxOwners = 5

// Pods are the pods that the objects of an inventory are, or have made, sorted by namespace and name. A pod belongs to them
// by its owners alone: labels say nothing of whose it is. Owners that may not be listed are like those of others.
func (m *Member) Pods(ctx context.Context, entries []api.InventoryObject) ([]Pod, error) {
	own, spaces := map[types.UID]bool{}, map[string]bool{}
	for _, e := range entries {
		if e.Cluster == m.Identity() && e.UID != "" && e.Namespace != "" {
			own[types.UID(e.UID)], spaces[e.Namespace] = true, true
		}
	}
	var out []Pod
	for _, space := range slices.Sorted(maps.Keys(spaces)) {
		var list struct{ Items []podState }
		body, _, err := m.send(ctx, m.rest.Get().AbsPath(pathOf(podsResource, space, "")...))
		if err == nil {
			err = json.Unmarshal(body, &list)
		}
		if err != nil {
			return nil, answer(Key{Kind: "the pods of the namespace " + space}, err)
		}
		owners := &owners{m: m, view: &lookup{mapper: m.mapper}, space: space, own: own, known: map[schema.GroupVersionKind]map[types.UID][]metav1.OwnerReference{}}
		for _, item := range list.Items {
			belongs, err := owners.reach(ctx, item.Metadata.UID, item.Metadata.OwnerReferences, maxOwners)
			if err != nil {
				return nil, err
			}
			if belongs {
				out = append(out, item.pod())
			}
		}
	}
	slices.SortFunc(out, func(a, b Pod) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	return out, nil
}

// owners finds out, in one namespace, whether something has been made by objects that are ours. Each kind of owner is
// listed once.
type owners struct {
	m     *Member
	view  *lookup
	space string
	own   map[types.UID]bool
	known map[schema.GroupVersionKind]map[types.UID][]metav1.OwnerReference
}

func (o *owners) reach(ctx context.Context, uid types.UID, refs []metav1.OwnerReference, depth int) (bool, error) {
	if o.own[uid] {
		return true, nil
	}
	if depth == 0 {
		return false, nil
	}
	for _, ref := range refs {
		if o.own[ref.UID] {
			return true, nil
		}
		all, err := o.ofKind(ctx, schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind))
		if err != nil {
			return false, err
		}
		above, there := all[ref.UID]
		if !there {
			continue
		}
		if ours, err := o.reach(ctx, ref.UID, above, depth-1); ours || err != nil {
			return ours, err
		}
	}
	return false, nil
}

// ofKind lists the owners of the objects of a kind.
func (o *owners) ofKind(ctx context.Context, kind schema.GroupVersionKind) (map[types.UID][]metav1.OwnerReference, error) {
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
	body, _, err := o.m.send(ctx, o.m.rest.Get().AbsPath(pathOf(where.resource, o.space, "")...).SetHeader("Accept", metaOnlyList))
	if apierrors.IsForbidden(err) {
		return nil, nil
	}
	if err != nil {
		return nil, answer(Key{Kind: fmt.Sprintf("the objects of kind %s in the namespace %s", kind.Kind, o.space)}, err)
	}
	var list metav1.PartialObjectMetadataList
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, &TransientError{Message: "a list of owners cannot be read", cause: err}
	}
	all := map[types.UID][]metav1.OwnerReference{}
	for _, item := range list.Items {
		all[item.UID] = item.OwnerReferences
	}
	o.known[kind] = all
	return all, nil
}
