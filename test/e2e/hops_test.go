package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rak-n-rok/krake/api"
)

func TestD1WhatIsRenamedInAMoveIsRemovedUnderItsOldName(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	s := newScene(t)
	s.join("berlin", on[0])
	s.join("bratislava", on[1])
	s.create("app", "berlin", named("old"))
	s.awaitApp("app", running("berlin"), healthy)
	s.edit("app", func(a *api.Application) {
		a.Spec.Manifest, a.Spec.Constraints.Cluster.Labels = s.manifest(named("new")), s.labels("bratislava")
	})
	s.awaitApp("app", running("bratislava"), healthy, settled)
	for i, left := range [][]string{on[0].marked(t, configMaps, s.space), on[1].marked(t, configMaps, s.space)} {
		if want := [][]string{nil, {"new"}}[i]; fmt.Sprint(left) != fmt.Sprint(want) {
			s.Errorf("cluster %d has %v, want %v", i, left, want)
		}
	}
}

// writes counts what is created and removed of an object by the ways to clusters.
type writes struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *writes) count(cluster, object string) fault {
	return func(_ http.ResponseWriter, r *http.Request) bool {
		if (r.Method == http.MethodPatch || r.Method == http.MethodDelete) && strings.HasSuffix(r.URL.Path, object) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.n[r.Method+" "+cluster]++
		}
		return false
	}
}

// take returns the counts since the last call.
func (c *writes) take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.n
	c.n = map[string]int{}
	return out
}

// Three rounds there and back.
func TestD2EachHopCreatesOnceAndRemovesOnce(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	s := newScene(t)
	s.place(on...)
	hops := &writes{n: map[string]int{}}
	for i, name := range []string{"one", "two"} {
		front, kubeconfig := frontOf(s, on[i])
		front.suffer(hops.count(name, "/configmaps/app"))
		s.register(name, kubeconfig)
		s.awaitCluster(name, api.ClusterOnline)
	}
	s.create("app", "one", named("app"))
	s.awaitApp("app", running("one"), healthy)
	hops.take()
	places := []string{"one", "two"}
	for hop := range 6 {
		from, to := places[hop%2], places[(hop+1)%2]
		s.send("app", to)
		s.awaitApp("app", running(to), healthy, settled) // with that cluster as its only owner
		if got, want := hops.take(), (map[string]int{"PATCH " + to: 1, "DELETE " + from: 1}); fmt.Sprint(got) != fmt.Sprint(want) {
			s.Errorf("hop %d: %v, want %v", hop, got, want)
		}
	}
}

const widgets = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: KINDS.SPACE.example.org}
spec:
  group: SPACE.example.org
  scope: SCOPE
  names: {plural: KINDS, singular: SINGLE, kind: NAME, listKind: NAMEList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, x-kubernetes-preserve-unknown-fields: true}}}}
`

func TestD4CustomResourcesMoveOfAnyScope(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	s := newScene(t)
	group := s.space + ".example.org"
	local := schema.GroupVersionResource{Group: group, Version: "v1", Resource: "wheels"}
	global := schema.GroupVersionResource{Group: group, Version: "v1", Resource: "roads"}
	for i, name := range []string{"berlin", "bratislava"} {
		s.join(name, on[i])
		for _, words := range [][]string{{"wheels", "wheel", "Wheel", "Namespaced"}, {"roads", "road", "Road", "Cluster"}} {
			text := strings.NewReplacer("KINDS", words[0], "SINGLE", words[1], "NAME", words[2], "SCOPE", words[3], "SPACE", s.space).Replace(widgets)
			on[i].create(s, definitions, text)
			s.Cleanup(func() { on[i].remove(s, definitions, "", words[0]+"."+group) })
		}
	}
	s.create("app", "berlin", `
apiVersion: SPACE.example.org/v1
kind: Wheel
metadata: {name: app, namespace: SPACE}
spec: {spokes: 36}
---
apiVersion: SPACE.example.org/v1
kind: Road
metadata: {name: SPACE}
spec: {lanes: 2}
`)
	has := func(site *site) []bool {
		return []bool{site.find(s, local, s.space, "app") != nil, site.find(s, global, "", s.space) != nil}
	}
	s.awaitApp("app", running("berlin"))
	if got := fmt.Sprint(has(on[0]), has(on[1])); got != "[true true] [false false]" {
		s.Fatalf("they are there: %s", got)
	}
	s.send("app", "bratislava")
	s.awaitApp("app", running("bratislava"), settled)
	if got := fmt.Sprint(has(on[0]), has(on[1])); got != "[false false] [true true]" {
		s.Errorf("they are there after the move: %s", got)
	}
}

func TestD5WhatMustNotMoveStaysUntilItMay(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	s := newScene(t)
	s.join("berlin", on[0])
	s.join("bratislava", on[1])
	s.create("app", "berlin", named("app"), func(a *api.Application) { a.Spec.Constraints.Migration = false })
	s.awaitApp("app", running("berlin"), healthy)
	s.send("app", "bratislava")
	s.awaitApp("app", running("berlin"), settled, condition(api.Scheduled, api.True, "", "its migration is switched off"))
	s.edit("app", func(a *api.Application) { a.Spec.Constraints.Migration = true })
	s.awaitApp("app", running("bratislava"), healthy, settled)
	if on[0].find(s, configMaps, s.space, "app") != nil {
		s.Error("something is left")
	}
}
