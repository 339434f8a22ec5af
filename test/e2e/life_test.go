package e2e

import (
	"errors"
	"fmt"
	"strconv"
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

// web is an application with a service that is reached from outside.
const web = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: SPACE}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "web:1.10", ports: [{containerPort: 8080}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: SPACE}
spec:
  type: NodePort
  selector: {app: web}
  ports: [{port: 8080}]
`

func TestAnApplicationLivesOnAClusterFromCreationToDeletion(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.walkThrough(berlin)
}

// walkThrough is what the first page of the documentation does.
func (s *scene) walkThrough(on *site) {
	s.Helper()
	s.place(on)
	if state := s.register("here", on.Kubeconfig(s)).Status.State; state != api.ClusterPending {
		s.Fatalf("a new cluster is %s", state)
	}
	c := s.awaitCluster("here", api.ClusterOnline)
	if c.Status.Identity != string(on.get(s, namespaces, "", "kube-system").GetUID()) || c.Status.Version == "" || len(c.Status.Nodes) == 0 {
		s.Errorf("what is known of the cluster: identity %q, version %q, %d nodes", c.Status.Identity, c.Status.Version, len(c.Status.Nodes))
	}
	if state := s.create("web", "", web).Status.State; state != api.AppPending {
		s.Errorf("a new application is %s", state)
	}
	a := s.awaitApp("web", running("here"), healthy, reachable(on, s.space))
	if want := (api.ContainerHealth{DesiredPods: 1, RunningPods: 1}); a.Status.ContainerHealth != want {
		s.Errorf("pods: %+v", a.Status.ContainerHealth)
	}
	if a.Status.ScheduledGeneration != a.Metadata.Generation || len(a.Status.LastAppliedManifest) != 2 {
		s.Errorf("scheduled generation %d, %d objects applied", a.Status.ScheduledGeneration, len(a.Status.LastAppliedManifest))
	}
	before := on.get(s, deployments, s.space, "web")
	s.edit("web", func(a *api.Application) {
		spec := a.Spec.Manifest[0]["spec"].(map[string]any)
		spec["replicas"] = 2
		containerOf(spec)["image"] = "web:1.9"
	})
	s.awaitApp("web", running("here"), healthy, func(a *api.Application) error {
		if a.Status.ContainerHealth.RunningPods != 2 {
			return fmt.Errorf("pods: %+v", a.Status.ContainerHealth)
		}
		return nil
	})
	after := on.get(s, deployments, s.space, "web")
	image := containerOf(after.Object["spec"].(map[string]any))["image"]
	if after.GetUID() != before.GetUID() || at(after, "spec", "replicas") != int64(2) || image != "web:1.9" {
		s.Errorf("after the update: UID %s (was %s), image %v, %v replicas", after.GetUID(), before.GetUID(), image, at(after, "spec", "replicas"))
	}
	on.remove(s, services, s.space, "web") // somebody has made a mistake
	s.awaitEvent("Application", "web", "Repaired", "web on the cluster here", "missing on the cluster")
	s.awaitApp("web", running("here"), healthy, reachable(on, s.space))
	s.takeDown("web")
	if on.find(s, deployments, s.space, "web") != nil || on.find(s, services, s.space, "web") != nil {
		s.Error("the record is gone before the objects on the cluster are")
	}
	s.removeCluster("here")
	if on.find(s, namespaces, "", s.space) == nil {
		s.Error("what Krake has not made is gone from the cluster")
	}
}

func containerOf(spec map[string]any) map[string]any {
	pod := spec["template"].(map[string]any)["spec"].(map[string]any)
	return pod["containers"].([]any)[0].(map[string]any)
}

// takeDown deletes an application and waits until its record is gone.
func (s *scene) takeDown(name string) {
	s.Helper()
	if _, err := s.apps.Delete(s.Context(), s.space, name, client.DeleteOptions{}); err != nil {
		s.Fatal(err)
	}
	s.awaitEnd(name)
}

func (s *scene) awaitEnd(name string) {
	s.Helper()
	s.await("the end of the application "+name, func() error {
		a, err := s.apps.Get(s.Context(), s.space, name)
		if err == nil {
			return fmt.Errorf("it is %s: %+v, finalizers %v", a.Status.State, a.Status.Reason, a.Metadata.Finalizers)
		}
		return isGone(err)
	})
}

// isGone turns the news that a record does not exist into success.
func isGone(err error) error {
	switch {
	case client.NotFound(err):
		return nil
	case err != nil:
		return err
	default:
		return errors.New("it is still there")
	}
}

// reachable holds when the address of the service web is that of its node port on a cluster.
func reachable(on *site, space string) fact {
	return func(a *api.Application) error {
		service, err := on.look(services, space, "web")
		if err != nil {
			return err
		}
		ports, _ := at(service, "spec", "ports").([]any)
		if len(ports) == 0 {
			return errors.New("the service is not there")
		}
		port := strconv.FormatInt(ports[0].(map[string]any)["nodePort"].(int64), 10)
		if want := "127.0.0.1:" + port; a.Status.Services["web"] != want || len(a.Status.Services) != 1 {
			return fmt.Errorf("services: %v, not %s", a.Status.Services, want)
		}
		return nil
	}
}

// What an observer schema leaves out is set once and then others' business; what it names is kept.
func TestWhatIsNotObservedIsLeftToOthers(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	schema := []map[string]any{{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "web"},
		"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"containers": []any{
			map[string]any{"name": nil, "image": nil},
			map[string]any{"observer_schema_list_min_length": 1, "observer_schema_list_max_length": 1},
		}}}},
	}}
	s.create("web", "", web, func(a *api.Application) { a.Spec.ObserverSchema = schema })
	a := s.awaitApp("web", running("here"), healthy, observing("web:1.10"))
	if n := len(a.Status.MangledObserverSchema); n != 2 || len(a.Status.LastAppliedManifest) != 2 || len(a.Status.LastObservedManifest) != 2 {
		s.Errorf("%d schemas, %d objects wanted, %d seen", n, len(a.Status.LastAppliedManifest), len(a.Status.LastObservedManifest))
	}
	berlin.patch(s, deployments, s.space, "web", `{"spec": {"replicas": 3}}`)
	s.edit("web", func(a *api.Application) {
		containerOf(a.Spec.Manifest[0]["spec"].(map[string]any))["image"] = "web:1.9"
	})
	s.awaitApp("web", running("here"), healthy, observing("web:1.9"))
	if n := at(berlin.get(s, deployments, s.space, "web"), "spec", "replicas"); n != int64(3) {
		s.Errorf("%v replicas, although they are others' business", n)
	}
	berlin.patch(s, deployments, s.space, "web", `{"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "theirs"}]}}}}`)
	s.awaitEvent("Application", "web", "Repaired", "spec.template.spec.containers[0].image", "by admin")
	s.awaitApp("web", running("here"), healthy, observing("web:1.9"))
}

// observing holds when the deployment is seen to have an image.
func observing(image string) fact {
	return func(a *api.Application) error {
		for _, o := range a.Status.LastObservedManifest {
			if o["kind"] == "Deployment" {
				if seen := containerOf(o["spec"].(map[string]any))["image"]; seen != image {
					return fmt.Errorf("the image is %v", seen)
				}
				return nil
			}
		}
		return fmt.Errorf("observed is %v", a.Status.LastObservedManifest)
	}
}
