package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/server"
)

// The rows C1 to C19 of the acceptance scenarios are about observation and drift. Here are those that take a whole life on
// a cluster; C2 to C5, C18 and C19 are in package fleet, C16 in package kubernetes, C17 in package api.

// step is a test within a scene.
func (s *scene) step(t *testing.T, name string, do func(s *scene)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		inner := *s
		inner.TB = t
		do(&inner)
	})
}

// imageOn holds when the live deployment web runs an image.
func (s *scene) imageOn(on *site, want string) fact {
	return func(*api.Application) error {
		o, err := on.look(deployments, s.space, "web")
		if err != nil || o == nil {
			return fmt.Errorf("the deployment is %v, %v", o, err)
		}
		if got := containerOf(o.Object["spec"].(map[string]any))["image"]; got != want {
			return fmt.Errorf("the image is %v, not %s", got, want)
		}
		return nil
	}
}

func (s *scene) setImage(on *site, image string) {
	s.Helper()
	on.patch(s, deployments, s.space, "web", `{"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "`+image+`"}]}}}}`)
}

func wantImage(image string) func(*api.Application) {
	return func(a *api.Application) { containerOf(a.Spec.Manifest[0]["spec"].(map[string]any))["image"] = image }
}

// podsAre holds when this many pods are wanted and run.
func podsAre(n int64) fact {
	return func(a *api.Application) error {
		if want := (api.ContainerHealth{DesiredPods: n, RunningPods: n}); a.Status.ContainerHealth != want {
			return fmt.Errorf("pods: %+v", a.Status.ContainerHealth)
		}
		return nil
	}
}

// lasting is what of the application web, and of its objects, changes only when somebody wants it to.
func (s *scene) lasting(on *site) []any {
	s.Helper()
	a := s.app("web")
	out := []any{a.Metadata.UID, a.Metadata.Generation, a.Status.LastAppliedManifest, a.Status.LastObservedManifest, a.Status.Services,
		a.Status.ScheduledTo, a.Status.RunningOn, s.inventory("web")}
	for _, kind := range []schema.GroupVersionResource{deployments, services} {
		o := on.get(s, kind, s.space, "web")
		out = append(out, o.GetUID(), o.GetGeneration())
	}
	return out
}

func TestWhatIsObservedOfALife(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	s.create("web", "", web)
	s.awaitApp("web", running("here"), healthy, synced)
	s.step(t, "C8: what is deleted on the cluster is made again", func(s *scene) {
		before := berlin.get(s, deployments, s.space, "web").GetUID()
		berlin.remove(s, deployments, s.space, "web")
		s.awaitEvent("Application", "web", "Repaired", "Deployment", "missing on the cluster")
		s.await("another deployment", func() error {
			o, err := berlin.look(deployments, s.space, "web")
			if err == nil && (o == nil || o.GetUID() == before) {
				err = fmt.Errorf("it is %v", o)
			}
			return err
		})
		s.awaitApp("web", running("here"), healthy, synced)
	})
	s.step(t, "C9: an image that others change is put back", func(s *scene) {
		s.setImage(berlin, "web:1.4")
		s.awaitEvent("Application", "web", "Repaired", "containers[0].image", "by admin")
		s.awaitApp("web", s.imageOn(berlin, "web:1.10"), running("here"), synced)
	})
	s.step(t, "C12: what belongs to nobody is nobody's business", func(s *scene) {
		before := s.lasting(berlin)
		berlin.create(s, deployments, strings.NewReplacer("SPACE", s.space, "web", "nginx").Replace(strings.Split(web, "---\n")[0]))
		s.await("the other deployment", func() error {
			o, err := berlin.look(deployments, s.space, "nginx")
			if err == nil && at(o, "status", "readyReplicas") != int64(1) {
				err = fmt.Errorf("it is not ready: %v", at(o, "status"))
			}
			return err
		})
		if diff := cmp.Diff(before, s.lasting(berlin)); diff != "" {
			s.Errorf("the application is not what it was: %s", diff)
		}
	})
	s.step(t, "C13: what the API changed stays, and is what others are overruled by", func(s *scene) {
		s.edit("web", wantImage("web:1.9"))
		s.awaitApp("web", s.imageOn(berlin, "web:1.9"), running("here"), healthy, synced)
		s.setImage(berlin, "web:1.4")
		s.awaitEvent("Application", "web", "Repaired", "containers[0].image", "by admin")
		s.awaitApp("web", s.imageOn(berlin, "web:1.9"), running("here"), synced)
	})
	s.step(t, "C15: pods are counted", func(s *scene) {
		s.awaitApp("web", healthy, podsAre(1))
		s.edit("web", func(a *api.Application) { a.Spec.Manifest[0]["spec"].(map[string]any)["replicas"] = 2 })
		s.awaitApp("web", running("here"), healthy, podsAre(2))
	})
	s.step(t, "C6: what has left the manifest is no drift", func(s *scene) {
		s.edit("web", func(a *api.Application) { a.Spec.Manifest = a.Spec.Manifest[:1] })
		a := s.awaitApp("web", running("here"), healthy, synced, func(a *api.Application) error {
			if n := len(a.Status.LastObservedManifest); n != 1 {
				return fmt.Errorf("%d objects are observed", n)
			}
			return nil
		})
		if len(a.Status.MangledObserverSchema) != 1 || len(a.Status.LastAppliedManifest) != 1 || len(s.resources("web")) != 1 {
			s.Errorf("%d schemas, %d objects wanted, told of %v", len(a.Status.MangledObserverSchema), len(a.Status.LastAppliedManifest), s.resources("web"))
		}
		s.await("the service to go", func() error {
			o, err := berlin.look(services, s.space, "web")
			if err == nil && o != nil {
				err = fmt.Errorf("it is there")
			}
			return err
		})
	})
	s.step(t, "C7 and C14: of what is deleted nothing comes again", func(s *scene) {
		last := berlin.get(s, deployments, s.space, "web").GetUID()
		s.takeDown("web")
		again := s.create("web", "", web, wantImage("web:1.9")) // what the former one would have made again would be in its way
		s.awaitApp("web", s.imageOn(berlin, "web:1.9"), running("here"), healthy, synced)
		o := berlin.get(s, deployments, s.space, "web")
		if o.GetUID() == last || o.GetLabels()["krake.cloud/app-uid"] != again.Metadata.UID {
			s.Errorf("the deployment %s (before: %s) has the labels %v", o.GetUID(), last, o.GetLabels())
		}
		s.takeDown("web")
		if o := berlin.find(s, deployments, s.space, "web"); o != nil {
			s.Errorf("the deployment is there: %v", o)
		}
	})
}

// schemaOfWeb observes of the deployment what is given in JSON of its specification, and nothing else.
func schemaOfWeb(spec map[string]any) func(*api.Application) {
	return func(a *api.Application) {
		a.Spec.ObserverSchema = []map[string]any{{
			"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "web"}, "spec": spec,
		}}
	}
}

func TestWhatASchemaHasObserved(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	s.step(t, "C10: an image that is not observed stays as others made it", func(s *scene) {
		s.create("web", "", web, schemaOfWeb(map[string]any{"replicas": nil}))
		s.awaitApp("web", running("here"), healthy, synced)
		s.setImage(berlin, "web:1.4")
		berlin.remove(s, services, s.space, "web") // by which is seen that the controller has looked
		s.awaitEvent("Application", "web", "Repaired", "Service", "missing on the cluster")
		s.awaitApp("web", running("here"), healthy, synced)
		if err := s.imageOn(berlin, "web:1.4")(nil); err != nil {
			s.Error(err)
		}
		s.takeDown("web")
	})
	s.step(t, "C11: replicas that the cluster has assigned are kept", func(s *scene) {
		s.create("web", "", strings.Replace(web, "  replicas: 1\n", "", 1), schemaOfWeb(map[string]any{"replicas": nil}))
		s.awaitApp("web", running("here"), healthy, synced, func(a *api.Application) error {
			if spec := a.Status.LastAppliedManifest[0]["spec"].(map[string]any); fmt.Sprint(spec["replicas"]) != "1" {
				return fmt.Errorf("remembered are %v replicas", spec["replicas"])
			}
			return nil
		})
		berlin.patch(s, deployments, s.space, "web", `{"spec": {"replicas": 2}}`)
		s.awaitEvent("Application", "web", "Repaired", "spec.replicas", "by admin")
		s.awaitApp("web", running("here"), healthy, synced, podsAre(1))
	})
}

// C1: a controller that starts looks after what runs, and after nothing else; when it stops, nobody does.
func TestC1WhatRunsIsObservedFromTheStartToTheEnd(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	cfg := server.Config{DataDir: t.TempDir(), Settings: quick}
	first := startKrake(t, cfg)
	s := sceneOn(t, first)
	s.join("here", berlin)
	s.create("web", "", web)
	s.create("pending", "nowhere", paint)
	s.awaitApp("web", running("here"), healthy, synced)
	if err := first.end(); err != nil {
		t.Fatal(err)
	}
	s.setImage(berlin, "web:1.4") // which nobody sees

	s.use(ownKrake(t, cfg))
	s.awaitEvent("Application", "web", "Repaired", "containers[0].image", "by admin")
	s.awaitApp("web", s.imageOn(berlin, "web:1.10"), running("here"), healthy, synced)
	a := s.app("pending")
	if c := a.Status.Conditions.Get(api.InSync); c.Reason != "" || len(a.Status.LastObservedManifest) > 0 || len(s.resources("pending")) > 0 {
		t.Errorf("of an application without a place is told: %+v, %v", c, a.Status.LastObservedManifest)
	}
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
	s.setImage(berlin, "web:1.4")
	if err := s.imageOn(berlin, "web:1.4")(nil); err != nil {
		t.Error(err)
	}
	if _, err := s.apps.Get(t.Context(), s.space, "web"); !client.Unreachable(err) {
		t.Errorf("the server goes on: %v", err)
	}
}
