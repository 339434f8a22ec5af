package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

// device is one that a test gives to a node and that nobody else asks for; others' tests go on beside.
const device = "example.com/capacity-test"

// devices asks for so many, in a Deployment of as many pods as the manifest says.
func devices(name string, pods, each int) string {
	return fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: %s, namespace: SPACE}
spec:
  replicas: %d
  selector: {matchLabels: {app: %s}}
  template:
    metadata: {labels: {app: %s}}
    spec:
      containers: [{name: c, image: registry.invalid/none, resources: {limits: {%s: %d}}}]`, name, pods, name, name, device, each)
}

// equip gives the first node of a cluster so many devices until the test ends.
func (s *scene) equip(on *site, number string) {
	s.Helper()
	list, err := on.admin.Resource(nodes).List(s.Context(), metav1.ListOptions{})
	if err != nil {
		s.Fatal(err)
	}
	name := list.Items[0].GetName()
	give := func(number string) error {
		status := fmt.Sprintf(`{"status":{"capacity":{%q:%s},"allocatable":{%q:%s}}}`, device, number, device, number)
		_, err := on.admin.Resource(nodes).Patch(context.Background(), name, types.MergePatchType, []byte(status), metav1.PatchOptions{}, "status")
		return err
	}
	if err := give(`"` + number + `"`); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = give("null") })
}

func TestAClusterTakesNoMoreThanItsNodesHave(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.equip(berlin, "4")
	s.place(berlin)
	c := s.register("berlin", berlin.Kubeconfig(s))
	s.set("berlin", func(c *api.Cluster) { c.Spec.CheckCapacity = true })
	s.awaitCluster(c.Metadata.Name, api.ClusterOnline)
	seen := func(used, others string) {
		s.Helper()
		s.await("what is said of the room", func() error {
			st := s.cluster("berlin").Status
			if st.Allocatable[device] != "4" || st.Used[device] != used || st.UsedByOthers[device] != others ||
				st.Conditions.Get(api.CapacityKnown).Status != api.True {
				return fmt.Errorf("allocatable %v, used %v, by others %v: %+v", st.Allocatable, st.Used, st.UsedByOthers, st.Conditions.Get(api.CapacityKnown))
			}
			return nil
		})
	}

	// Three of four: another two do not fit, another one does.
	s.create("three", "", devices("three", 3, 1))
	s.awaitApp("three", running("berlin"))
	s.create("two", "", devices("two", 1, 2))
	s.awaitApp("two", placeless("1 without room"))
	s.create("one", "", devices("one", 1, 1))
	s.awaitApp("one", running("berlin"))
	seen("4", "")

	// What others use counts, too.
	if _, err := s.apps.Delete(s.Context(), s.space, "one", client.DeleteOptions{}); err != nil {
		s.Fatal(err)
	}
	berlin.create(s, pods, strings.ReplaceAll(`
apiVersion: v1
kind: Pod
metadata: {name: foreign, namespace: SPACE}
spec:
  containers: [{name: c, image: registry.invalid/none, resources: {limits: {example.com/capacity-test: 1}}}]`, "SPACE", s.space))
	seen("4", "1")
	if _, err := s.apps.Delete(s.Context(), s.space, "three", client.DeleteOptions{}); err != nil {
		s.Fatal(err)
	}
	s.awaitApp("two", running("berlin"))
	seen("3", "1")
}
