package fleet

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

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
		ancestry := m.ancestryOf(func(it metav1.ObjectMeta) bool { return own[it.UID] })
		ancestry.space, ancestry.lenient = space, true
		for _, item := range list.Items {
			belongs, err := ancestry.reach(ctx, metav1.ObjectMeta{UID: item.Metadata.UID, OwnerReferences: item.Metadata.OwnerReferences}, maxOwners)
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
