package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

// settingsMap is an object that every cluster accepts.
const settingsMap = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: SPACE}
data: {a: b}
`

// broken is a Deployment that no cluster accepts.
var broken = strings.Replace(web, "matchLabels: {app: web}", "matchLabels: {app: other}", 1)

func TestAManifestThatTheClusterDoesNotTakeFailsWithItsReasonAndLeavesNothing(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	for name, c := range map[string]struct {
		second string // beside an object that is accepted
		code   api.ReasonCode
		words  []string
	}{
		"A9 and G13, an unknown kind": {
			"apiVersion: v1\nkind: Gadget\nmetadata: {name: x, namespace: SPACE}",
			api.UnsupportedResource, []string{"kind Gadget of v1", "index 1"},
		},
		"A9 an unknown version": {
			"apiVersion: apps/v99\nkind: Deployment\nmetadata: {name: x, namespace: SPACE}",
			api.UnsupportedResource, []string{"apps/v99"},
		},
		"the same object twice": {settingsMap, api.InvalidResource, []string{"settings", "index 0 already"}},
		"A18 a selector that does not match": {
			broken, api.KubernetesError, []string{"Deployment", "`selector` does not match template `labels`"},
		},
		"an unknown field": {
			strings.Replace(web, "replicas: 1", "replicaz: 1", 1), api.KubernetesError, []string{".spec.replicaz: field not declared in schema"},
		},
		"A10 a namespace that does not exist": {
			strings.Replace(settingsMap, "SPACE", "nowhere", 1), api.KubernetesError, []string{`namespaces "nowhere" not found`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.join("here", berlin)
			s.create("bad", "", settingsMap+"\n---\n"+c.second)
			s.awaitApp("bad", refusedWith(c.code, c.words...), func(a *api.Application) error {
				if a.Status.RunningOn != nil {
					return fmt.Errorf("it runs on %v", a.Status.RunningOn)
				}
				return nil
			})
			s.awaitEvent("Application", "bad", "ManifestRefused", c.words...)
			for _, kind := range []schema.GroupVersionResource{configMaps, deployments, services} {
				if left := berlin.marked(t, kind, s.space); len(left) > 0 {
					t.Errorf("left on the cluster: %s %v", kind.Resource, left)
				}
			}
			if left := s.inventory("bad"); len(left) > 0 {
				t.Errorf("the inventory has %v", left)
			}
			s.takeDown("bad")
		})
	}
}

// A manifest that is no list of Kubernetes objects is refused before anything is stored.
func TestAManifestThatIsNoneIsRefusedAtTheDoor(t *testing.T) {
	s := newScene(t)
	for name, c := range map[string]struct {
		manifest api.Manifest
		word     string
	}{
		"A11 without kind":       {api.Manifest{{"apiVersion": "v1", "metadata": map[string]any{"name": "x"}}}, "kind"},
		"A11 without apiVersion": {api.Manifest{{"kind": "ConfigMap", "metadata": map[string]any{"name": "x"}}}, "apiVersion"},
		"A11 without a name":     {api.Manifest{{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{}}}, "name"},
	} {
		t.Run(name, func(t *testing.T) {
			a := api.New[api.Application]()
			a.Metadata.Name, a.Metadata.Namespace, a.Spec.Manifest = "bad", &s.space, c.manifest
			_, err := s.apps.Create(t.Context(), a)
			var problem *api.Problem
			if !errors.As(err, &problem) || problem.Status != http.StatusUnprocessableEntity || !strings.Contains(err.Error(), c.word) {
				t.Error(err)
			}
			if _, err := s.apps.Get(t.Context(), s.space, "bad"); !client.NotFound(err) {
				t.Errorf("it was stored (%v)", err)
			}
		})
	}
}

// A namespace takes its time to go. The reason does not wait for it, and nothing is applied again meanwhile.
func TestARefusedManifestIsFailedAlsoWhileItsNamespaceIsGoing(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	namespace := "apiVersion: v1\nkind: Namespace\nmetadata: {name: SPACE-own}"
	s.create("web", "", namespace+"\n---\n"+broken)
	s.awaitApp("web", refusedWith(api.KubernetesError, "selector"))
	s.edit("web", func(a *api.Application) { a.Spec.Manifest = s.manifest(namespace + "\n---\n" + web) })
	s.awaitApp("web", running("here"), healthy)
	s.takeDown("web")
}

func TestAnEditRevivesAFailedApplicationAtOnce(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	s.create("web", "", broken)
	s.awaitApp("web", refusedWith(api.KubernetesError, "selector"))
	s.edit("web", func(a *api.Application) { a.Spec.Manifest = s.manifest(web) })
	s.awaitApp("web", running("here"), healthy)
}

func TestARefusedUpdateLeavesWhatRunsAlone(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	s.create("web", "", web)
	s.awaitApp("web", running("here"), healthy)
	before := berlin.get(s, deployments, s.space, "web")
	s.edit("web", func(a *api.Application) { a.Spec.Manifest = s.manifest(broken) })
	s.awaitApp("web", refusedWith(api.KubernetesError, "selector"), ranOn("here"))
	after := berlin.get(s, deployments, s.space, "web")
	if after.GetUID() != before.GetUID() || after.GetGeneration() != before.GetGeneration() {
		t.Errorf("it was changed: UID %s generation %d, before %s %d", after.GetUID(), after.GetGeneration(), before.GetUID(), before.GetGeneration())
	}
	s.edit("web", func(a *api.Application) { a.Spec.Manifest = s.manifest(web) })
	s.awaitApp("web", running("here"), healthy)
}

func TestWhatStoodInTheWayMayGo(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	later := s.space + "-later"
	s.create("web", "", strings.ReplaceAll(web, "SPACE", later))
	s.awaitApp("web", refusedWith(api.KubernetesError, "not found"))
	berlin.create(s, namespaces, "apiVersion: v1\nkind: Namespace\nmetadata: {name: "+later+"}")
	s.Cleanup(func() { berlin.remove(s, namespaces, "", later) })
	s.awaitApp("web", running("here"), healthy)
	s.takeDown("web")
}

// own brings a namespace and a kind of its own, named after the scene, in an order in which nothing could be created.
const own = `
apiVersion: SPACE.example.org/v1
kind: Gadget
metadata: {name: one, namespace: SPACE-own}
spec: {size: 3}
---
apiVersion: v1
kind: Namespace
metadata: {name: SPACE-own}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.SPACE.example.org}
spec:
  group: SPACE.example.org
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets, singular: gadget, listKind: GadgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, properties: {size: {type: integer}}}}
`

func TestAnApplicationBringsItsOwnNamespaceAndKindAndTakesThemAlong(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	s.create("own", "", own)
	s.awaitApp("own", running("here"), healthy)
	definition, namespace := "gadgets."+s.space+".example.org", s.space+"-own"
	berlin.get(s, definitions, "", definition)
	berlin.get(s, namespaces, "", namespace)
	var kinds []string
	for _, o := range s.inventory("own") {
		if o.UID == "" {
			t.Errorf("%s %s has no UID in the inventory", o.Kind, o.Name)
		}
		kinds = append(kinds, o.Kind)
	}
	if slices.Sort(kinds); !slices.Equal(kinds, []string{"CustomResourceDefinition", "Gadget", "Namespace"}) {
		t.Errorf("the inventory has %v", kinds)
	}
	s.takeDown("own")
	if berlin.find(s, definitions, "", definition) != nil || berlin.find(s, namespaces, "", namespace) != nil {
		t.Error("the record is gone before the objects on the cluster are")
	}
}
