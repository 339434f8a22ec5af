package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/server"
)

// The acceptance scenarios of reception, creation, update (A) and services (B) by their numbers. Some are elsewhere: A9,
// A10, A11 and A18 among the refusals and the rights, B1 to B4 and B6 also among the addresses of package fleet.

var (
	jobs    = schema.GroupVersionResource{Group: "batch", Version: "v1", Resource: "jobs"}
	volumes = schema.GroupVersionResource{Version: "v1", Resource: "persistentvolumes"}
)

// bind decides where an application runs, in the place of the scheduler.
func (s *scene) bind(name, cluster string) {
	s.Helper()
	ref := api.ClusterKind.Ref(s.space, cluster)
	_, err := s.apps.Do(s.Context(), s.space, name, "binding", &api.ClusterBinding{Cluster: ref})
	if err != nil {
		s.Fatal(err)
	}
}

// sleeping is a Deployment that nobody calls.
func sleeping(name string) string {
	return strings.ReplaceAll(strings.Split(web, "\n---\n")[0], "web", name)
}

func TestWhichApplicationsAreWorkedOn(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	cfg := server.Config{DataDir: t.TempDir(), Settings: quick, Components: []string{"gc", "kubernetes-cluster"}}
	k := ownKrake(t, cfg)
	s := sceneOn(t, k)
	s.join("here", berlin)
	goOn := func(components ...string) {
		t.Helper()
		if err := s.krake.end(); err != nil {
			t.Fatal(err)
		}
		cfg.Components = components
		s.use(ownKrake(t, cfg))
	}
	there := func(name string) bool { return berlin.find(t, deployments, s.space, name) != nil }

	t.Run("A1 only what the scheduler has decided on as it is", func(t *testing.T) {
		s.create("a-unscheduled", "", sleeping("unscheduled"))
		s.create("b-stale", "", sleeping("stale"))
		s.bind("b-stale", "here")
		s.edit("b-stale", func(a *api.Application) {
			a.Metadata.Labels = api.Labels{"edited": "yes"}
			a.Spec.Manifest[0]["spec"].(map[string]any)["replicas"] = 2
		})
		s.create("c-fresh", "", sleeping("fresh"))
		s.bind("c-fresh", "here")
		goOn("gc", "kubernetes-cluster", "kubernetes-application")
		s.awaitApp("c-fresh", running("here"), healthy)
		for _, name := range []string{"a-unscheduled", "b-stale"} {
			a := s.app(name)
			if there(name[2:]) || a.Status.RunningOn != nil || slices.Contains(a.Metadata.Finalizers, api.FinalizerResources) {
				t.Errorf("%s was worked on: %+v", name, a.Status.Conditions)
			}
		}
		s.bind("b-stale", "here") // now the scheduler has seen the edit
		s.awaitApp("b-stale", running("here"), healthy)
	})
	t.Run("A2 what is deleted, when its turn has come", func(t *testing.T) {
		s.create("refused", "", broken)
		s.bind("refused", "here")
		s.awaitApp("refused", refusedWith(api.KubernetesError, "selector"))
		s.create("none", "", settingsMap)
		s.edit("b-stale", func(a *api.Application) { a.Metadata.Finalizers = append(a.Metadata.Finalizers, "example/first") })
		s.bind("b-stale", "here")
		goOn("kubernetes-cluster")
		for _, name := range []string{"refused", "none", "b-stale", "c-fresh"} {
			if _, err := s.apps.Delete(t.Context(), s.space, name, client.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		goOn("gc", "kubernetes-cluster", "kubernetes-application")
		for _, name := range []string{"refused", "none"} {
			s.awaitEnd(name)
		}
		s.awaitEnd("c-fresh")
		if !there("stale") || s.app("b-stale").Metadata.LastFinalizer() == api.FinalizerResources {
			t.Error("somebody else's turn was not waited for")
		}
		s.edit("b-stale", func(a *api.Application) {
			a.Metadata.Finalizers = slices.DeleteFunc(a.Metadata.Finalizers, func(f string) bool { return f == "example/first" })
		})
		s.awaitEnd("b-stale")
		if there("stale") || there("fresh") {
			t.Error("objects are left")
		}
	})
}

// in is the same scene for a part of a test.
func (s *scene) in(t *testing.T) *scene {
	part := *s
	part.TB = t
	return &part
}

func TestHowApplicationsAreCreatedAndUpdated(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	s := newScene(t)
	s.join("here", on[0])
	s.join("there", on[1])

	t.Run("A3 what a new application's record says", func(t *testing.T) {
		s := s.in(t)
		s.create("three", "here", sleeping("three"))
		a := s.awaitApp("three", running("here"), healthy)
		if a.Metadata.LastFinalizer() != api.FinalizerResources {
			t.Errorf("finalizers: %v", a.Metadata.Finalizers)
		}
		s.awaitApp("three", func(a *api.Application) error {
			if len(a.Status.LastObservedManifest) != 1 {
				return fmt.Errorf("observed: %v", a.Status.LastObservedManifest)
			}
			spec := a.Status.LastObservedManifest[0]["spec"].(map[string]any)
			containers := spec["template"].(map[string]any)["spec"].(map[string]any)["containers"].([]any)
			mark, _ := containers[len(containers)-1].(map[string]any)
			if len(containers) != 2 || fmt.Sprint(mark["observer_schema_list_current_length"]) != "1" {
				return fmt.Errorf("the containers are %v", containers)
			}
			if _, more := spec["strategy"]; more {
				return errors.New("fields are observed that the manifest does not have")
			}
			return nil
		})
		s.takeDown("three")
	})
	t.Run("A4 whose namespace counts", func(t *testing.T) {
		s := s.in(t)
		kubeconfig := on[0].Kubeconfig(t)
		kubeconfig["contexts"].([]any)[0].(map[string]any)["context"].(map[string]any)["namespace"] = s.space
		s.register("spaced", kubeconfig)
		s.awaitCluster("spaced", api.ClusterOnline)
		nowhere := strings.ReplaceAll(settingsMap, "name: settings, namespace: SPACE", "name: SPACE-four")
		for name, c := range map[string]struct{ cluster, manifest, namespace string }{
			"no namespace anywhere":           {"here", nowhere, "default"},
			"one in the kubeconfig":           {"spaced", nowhere, s.space},
			"one in both, of which that wins": {"spaced", strings.ReplaceAll(nowhere, "name: SPACE-four", "name: SPACE-four, namespace: default"), "default"},
		} {
			s.create("four", c.cluster, c.manifest)
			s.awaitApp("four", running(c.cluster), healthy)
			if on[0].find(t, configMaps, c.namespace, s.space+"-four") == nil || s.inventory("four")[0].Namespace != c.namespace {
				t.Errorf("%s: %v", name, s.inventory("four"))
			}
			s.takeDown("four")
		}
	})
	t.Run("A5 schemas of the application come first, others are made", func(t *testing.T) {
		s := s.in(t)
		schema := []map[string]any{{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "five"}, "spec": map[string]any{"replicas": nil}}}
		secret := "apiVersion: v1\nkind: Secret\nmetadata: {name: five, namespace: SPACE}\ndata: {a: eA==}"
		s.create("five", "here", secret+"\n---\n"+sleeping("five"), func(a *api.Application) { a.Spec.ObserverSchema = schema })
		s.awaitApp("five", running("here"), healthy, func(a *api.Application) error {
			var kinds []any
			for _, o := range a.Status.MangledObserverSchema {
				kinds = append(kinds, o["kind"])
			}
			if !slices.Equal(kinds, []any{"Deployment", "Secret"}) || len(a.Status.LastObservedManifest) != 2 {
				return fmt.Errorf("schemas of %v, observed %v", kinds, a.Status.LastObservedManifest)
			}
			return nil
		})
		s.takeDown("five")
	})
	t.Run("A6 an update touches what has changed", func(t *testing.T) {
		s := s.in(t)
		d2, d3 := sleeping("six-two"), sleeping("six-three")
		s.create("six", "here", sleeping("six-one")+"\n---\n"+d2+"\n---\n"+d3)
		s.awaitApp("six", running("here"), healthy)
		two, three := on[0].get(t, deployments, s.space, "six-two"), on[0].get(t, deployments, s.space, "six-three")
		s.edit("six", func(a *api.Application) {
			a.Spec.Manifest = s.manifest(strings.Replace(d2, "1.10", "1.9", 1) + "\n---\n" + d3)
		})
		s.awaitApp("six", running("here"), healthy)
		s.await("the first to go", func() error {
			if on[0].find(t, deployments, s.space, "six-one") != nil {
				return errors.New("it is there")
			}
			return nil
		})
		now := on[0].get(t, deployments, s.space, "six-two")
		if image := containerOf(now.Object["spec"].(map[string]any))["image"]; now.GetUID() != two.GetUID() || image != "six-two:1.9" {
			t.Errorf("the second: %s, was %s; %v", now.GetUID(), two.GetUID(), image)
		}
		if now := on[0].get(t, deployments, s.space, "six-three"); now.GetUID() != three.GetUID() || now.GetGeneration() != three.GetGeneration() {
			t.Error("the third was touched")
		}
		s.takeDown("six")
	})
	t.Run("A8 kinds with namespace and without", func(t *testing.T) {
		s := s.in(t)
		s.create("eight", "here", eight, func(a *api.Application) { a.Spec.MigrationStrategy = api.MigrateDeleteFirst })
		all := map[schema.GroupVersionResource]string{deployments: s.space, services: s.space, secrets: s.space, jobs: s.space, volumes: "", clusterRoles: ""}
		has := func(site *site, label string) error {
			for kind, namespace := range all {
				o, err := site.look(kind, namespace, s.space+"-eight")
				if err != nil {
					return err
				}
				if o == nil || o.GetLabels()["step"] != label || o.GetNamespace() != namespace {
					return fmt.Errorf("%s on %s: %v", kind.Resource, site.Name, o)
				}
			}
			return nil
		}
		none := func(site *site) error {
			for kind, namespace := range all {
				if o, err := site.look(kind, namespace, s.space+"-eight"); err != nil || o != nil {
					return fmt.Errorf("%s on %s: %v, %w", kind.Resource, site.Name, o, err)
				}
			}
			return nil
		}
		s.awaitApp("eight", running("here"))
		s.await("all kinds", func() error { return has(on[0], "first") })
		s.edit("eight", func(a *api.Application) { a.Spec.Manifest = s.manifest(strings.ReplaceAll(eight, "first", "second")) })
		s.await("the label", func() error { return has(on[0], "second") })
		s.send("eight", "there")
		s.awaitApp("eight", running("there"))
		s.await("all kinds there", func() error { return has(on[1], "second") })
		s.await("none here", func() error { return none(on[0]) })
		s.takeDown("eight")
		s.await("none there", func() error { return none(on[1]) })
	})
	t.Run("A12 another image and more pods", func(t *testing.T) {
		s := s.in(t)
		s.create("twelve", "here", sleeping("twelve"))
		s.awaitApp("twelve", running("here"), healthy)
		s.edit("twelve", func(a *api.Application) {
			a.Spec.Manifest = s.manifest(strings.NewReplacer("1.10", "1.9", "replicas: 1", "replicas: 2").Replace(sleeping("twelve")))
		})
		a := s.awaitApp("twelve", running("here"), healthy)
		live := on[0].get(t, deployments, s.space, "twelve")
		for _, spec := range []any{a.Spec.Manifest[0]["spec"], live.Object["spec"]} {
			spec := spec.(map[string]any)
			if image := containerOf(spec)["image"]; fmt.Sprint(spec["replicas"]) != "2" || image != "twelve:1.9" {
				t.Errorf("%v replicas of %v", spec["replicas"], image)
			}
		}
		s.takeDown("twelve")
	})
	t.Run("A13 labels are what was said last", func(t *testing.T) {
		s := s.in(t)
		s.create("thirteen", "here", settingsMap)
		for _, labels := range []api.Labels{{"a": "1", "b": "2"}, {"a": "3", "b": "4"}, {"c": "5"}} {
			s.edit("thirteen", func(a *api.Application) { a.Metadata.Labels = labels })
			if got := s.app("thirteen").Metadata.Labels; fmt.Sprint(got) != fmt.Sprint(labels) {
				t.Errorf("%v, not %v", got, labels)
			}
		}
		s.takeDown("thirteen")
	})
	t.Run("A14 an update that is none", func(t *testing.T) {
		s := s.in(t)
		s.create("fourteen", "here", sleeping("fourteen"))
		before := s.awaitApp("fourteen", running("here"), healthy)
		live := on[0].get(t, deployments, s.space, "fourteen")
		again, cluster := s.app("fourteen"), s.cluster("here")
		_, appErr := s.apps.Update(t.Context(), again)
		_, clusterErr := s.clusters.Update(t.Context(), cluster)
		for what, err := range map[string]error{"application": appErr, "cluster": clusterErr} {
			var problem *api.Problem
			if !errors.As(err, &problem) || problem.Status != http.StatusBadRequest {
				t.Errorf("%s: %v", what, err)
			}
		}
		if after := s.app("fourteen"); after.Metadata.Generation != before.Metadata.Generation {
			t.Error("it has another generation")
		}
		if after := on[0].get(t, deployments, s.space, "fourteen"); after.GetGeneration() != live.GetGeneration() {
			t.Error("something was applied")
		}
		s.takeDown("fourteen")
	})
	t.Run("A17 an application that must not move is updated all the same", func(t *testing.T) {
		s := s.in(t)
		s.create("seventeen", "here", sleeping("seventeen"), func(a *api.Application) { a.Spec.Constraints.Migration = false })
		s.awaitApp("seventeen", running("here"), healthy)
		s.edit("seventeen", func(a *api.Application) { a.Spec.Manifest[0]["spec"].(map[string]any)["replicas"] = 2 })
		edited := time.Now()
		s.awaitApp("seventeen", running("here"))
		if n := at(on[0].get(t, deployments, s.space, "seventeen"), "spec", "replicas"); n != int64(2) {
			t.Errorf("%v replicas after %s", n, time.Since(edited))
		}
		s.takeDown("seventeen")
	})
	t.Run("A19 a field that leaves the manifest leaves the cluster", func(t *testing.T) {
		s := s.in(t)
		s.create("nineteen", "here", strings.Replace(settingsMap, "{a: b}", "{a: b, c: d}", 1))
		s.awaitApp("nineteen", running("here"), healthy)
		s.edit("nineteen", func(a *api.Application) { a.Spec.Manifest = s.manifest(settingsMap) })
		s.awaitApp("nineteen", running("here"), healthy)
		if data := at(on[0].get(t, configMaps, s.space, "settings"), "data"); fmt.Sprint(data) != "map[a:b]" {
			t.Errorf("data: %v", data)
		}
		s.takeDown("nineteen")
	})
	t.Run("A16 and nothing of all that was an error", func(t *testing.T) {
		s := s.in(t)
		for _, line := range s.log.about(s.space) {
			if strings.Contains(line, "level=ERROR") {
				t.Error(line)
			}
		}
	})
}

const eight = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: SPACE-eight, namespace: SPACE, labels: {step: first}}
spec:
  selector: {matchLabels: {app: eight}}
  template: {metadata: {labels: {app: eight}}, spec: {containers: [{name: a, image: a}]}}
---
apiVersion: v1
kind: Service
metadata: {name: SPACE-eight, namespace: SPACE, labels: {step: first}}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Secret
metadata: {name: SPACE-eight, namespace: SPACE, labels: {step: first}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: SPACE-eight, namespace: SPACE, labels: {step: first}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: SPACE-eight, labels: {step: first}}
spec: {capacity: {storage: 1Mi}, accessModes: [ReadWriteMany], hostPath: {path: /nowhere}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: SPACE-eight, labels: {step: first}}
`

func TestTheAddressesOfServices(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	at := func(want string) fact {
		return func(a *api.Application) error {
			if got, _ := a.Status.Services["web"].(string); got != want {
				return fmt.Errorf("the address is %q, not %q", got, want)
			}
			return nil
		}
	}
	become := func(s *scene, service string) {
		s.Helper()
		s.edit("web", func(a *api.Application) {
			a.Spec.Manifest = s.manifest(strings.Replace(web, "type: NodePort\n  selector: {app: web}\n  ports: [{port: 8080}]", service, 1))
		})
	}
	balancer := func(s *scene, ingress string) {
		s.Helper()
		_, err := berlin.admin.Resource(services).Namespace(s.space).Patch(s.Context(), "web", types.MergePatchType,
			[]byte(`{"status": {"loadBalancer": {"ingress": [`+ingress+`]}}}`), metav1.PatchOptions{}, "status")
		if err != nil {
			s.Fatal(err)
		}
	}
	t.Run("B1 a node port", func(t *testing.T) {
		s := s.in(t)
		s.create("web", "", web)
		s.awaitApp("web", running("here"), healthy, reachable(berlin, s.space))
	})
	t.Run("B2 it is taken back", func(t *testing.T) {
		s := s.in(t)
		become(s, "type: ClusterIP\n  selector: {app: web}\n  ports: [{port: 8080}]")
		s.awaitApp("web", running("here"), healthy, at(""))
	})
	t.Run("B4 a balancer that is to come", func(t *testing.T) {
		s := s.in(t)
		become(s, "type: LoadBalancer\n  selector: {app: web}\n  ports: [{port: 8080}]")
		s.awaitApp("web", running("here"), at("<pending>:8080"))
		balancer(s, `{"ip": "10.9.8.7"}`)
		s.awaitApp("web", at("10.9.8.7:8080"))
	})
	t.Run("B3 a balancer with an address", func(t *testing.T) {
		s := s.in(t)
		s.awaitApp("web", running("here"), healthy, at("10.9.8.7:8080"))
	})
	t.Run("B6 a balancer with a host name", func(t *testing.T) {
		s := s.in(t)
		balancer(s, `{"hostname": "web.example.org"}`)
		s.awaitApp("web", running("here"), healthy, at("web.example.org:8080"))
	})
	t.Run("B5 a service that leaves the manifest", func(t *testing.T) {
		s := s.in(t)
		s.edit("web", func(a *api.Application) { a.Spec.Manifest = s.manifest(sleeping("web")) })
		s.awaitApp("web", running("here"), healthy, at(""), func(*api.Application) error {
			o, err := berlin.look(services, s.space, "web")
			if o != nil {
				err = errors.New("the service is there")
			}
			return err
		})
	})
	s.takeDown("web")
}
