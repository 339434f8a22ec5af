package e2e

import (
	"fmt"
	"testing"

	"github.com/rak-n-rok/krake/api"
)

func TestTwoNamespacesOfKrakeDoNotShareAnObject(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	first := newScene(t)
	first.join("here", berlin)
	first.create("web", "", web)
	first.awaitApp("web", running("here"), healthy)
	before := berlin.get(t, deployments, first.space, "web")
	second := sceneOn(t, first.krake)
	second.register("here", berlin.Kubeconfig(t))
	second.awaitCluster("here", api.ClusterOnline)
	manifest := first.manifest(web) // the same objects in the same namespace of the cluster
	second.create("web", "", web, func(a *api.Application) { a.Spec.Manifest = manifest })
	second.awaitApp("web", refusedWith(api.KubernetesError, "Deployment "+first.space+"/web", "Service "+first.space+"/web",
		"is managed by the Krake application "+first.space+"/web"))
	if objects := second.inventory("web"); len(objects) > 0 {
		t.Errorf("the second one claims %v", objects)
	}
	if after := berlin.get(t, deployments, first.space, "web"); after.GetResourceVersion() != before.GetResourceVersion() {
		t.Error("the first one's object was touched")
	}
	second.takeDown("web")
	if berlin.find(t, deployments, first.space, "web") == nil {
		t.Error("the deletion of the second one removed the first one's object")
	}
	second.create("web", "", web, func(a *api.Application) { a.Spec.Manifest = manifest })
	second.awaitApp("web", inState(api.AppFailed))
	first.takeDown("web")
	second.awaitApp("web", running("here"), healthy)
}

const settings = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: SPACE}
data: {colour: blue}
`

func TestAForeignObjectOfTheSameNameIsLeftAlone(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	before := berlin.create(s, configMaps, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: "+s.space+"}\ndata: {colour: red}")
	s.create("web", "", settings+"---\n"+web)
	s.awaitApp("web", refusedWith(api.KubernetesError, "ConfigMap "+s.space+"/settings", "not managed by Krake"))
	if after := berlin.get(s, configMaps, s.space, "settings"); after.GetResourceVersion() != before.GetResourceVersion() {
		s.Error("the foreign object was touched")
	}
	if berlin.find(s, deployments, s.space, "web") != nil {
		s.Error("the rest of the manifest was applied")
	}
	berlin.remove(s, configMaps, s.space, "settings")
	s.awaitApp("web", running("here"), healthy)
	if colour := at(berlin.get(s, configMaps, s.space, "settings"), "data", "colour"); colour != "blue" {
		s.Errorf("the colour is %v", colour)
	}
}

func TestAClusterThatIsRegisteredTwiceIsOneCluster(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("one", berlin)
	_, other := lineTo(t, berlin)
	s.register("two", other)
	s.awaitCluster("two", api.ClusterOnline)
	s.create("web", "one", web)
	s.awaitApp("web", running("one"), healthy)
	deployment, service := berlin.get(s, deployments, s.space, "web"), berlin.get(s, services, s.space, "web")
	inventory := s.inventory("web")
	s.send("web", "two")
	s.awaitApp("web", running("two"), settled)
	if after := berlin.get(s, deployments, s.space, "web"); after.GetUID() != deployment.GetUID() || after.GetResourceVersion() != deployment.GetResourceVersion() {
		s.Error("the deployment was made again or touched")
	}
	if after := berlin.get(s, services, s.space, "web"); after.GetUID() != service.GetUID() {
		s.Error("the service was made again")
	}
	if after := s.inventory("web"); fmt.Sprint(after) != fmt.Sprint(inventory) {
		s.Errorf("the inventory was %v and is %v", inventory, after)
	}
	s.removeCluster("one")
	s.awaitApp("web", running("two"), healthy)
	if berlin.find(s, deployments, s.space, "web") == nil {
		s.Error("the other record took the application along")
	}
	s.takeDown("web")
	if berlin.find(s, deployments, s.space, "web") != nil {
		s.Error("the application is still on the cluster")
	}
}

func TestAKubeconfigThatSuddenlyLeadsElsewhereStopsEverything(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	s := newScene(t)
	s.place(on[1])
	s.join("here", on[0])
	s.create("web", "", web)
	s.awaitApp("web", running("here"), healthy)
	before := on[0].get(s, deployments, s.space, "web")
	s.give("here", on[1].Kubeconfig(s))
	c := s.awaitCluster("here", api.ClusterOffline)
	if err := says(c.Status.Reason, api.ClusterNotReachable, "leads to another cluster"); err != nil {
		s.Error(err)
	}
	s.edit("web", func(a *api.Application) { a.Spec.Manifest[0]["spec"].(map[string]any)["replicas"] = 2 })
	a := s.awaitApp("web", func(a *api.Application) error {
		c := a.Status.Conditions.Get(api.Applied)
		if c.ObservedGeneration != a.Metadata.Generation || c.Reason != string(api.ClusterNotReachable) {
			return fmt.Errorf("applied: %+v", c)
		}
		return nil
	}, ranOn("here"))
	if a.Status.State != api.AppRunning {
		s.Errorf("the application is %s", a.Status.State)
	}
	if after := on[0].get(s, deployments, s.space, "web"); after.GetResourceVersion() != before.GetResourceVersion() {
		s.Error("the application was touched on its cluster")
	}
	if on[1].find(s, deployments, s.space, "web") != nil {
		s.Error("something was made on the other cluster")
	}
	s.give("here", on[0].Kubeconfig(s))
	s.awaitCluster("here", api.ClusterOnline)
	s.awaitApp("web", running("here"), healthy)
	after := on[0].get(s, deployments, s.space, "web")
	if after.GetUID() != before.GetUID() || at(after, "spec", "replicas") != int64(2) {
		s.Errorf("UID %s, was %s; %v replicas", after.GetUID(), before.GetUID(), at(after, "spec", "replicas"))
	}
}
