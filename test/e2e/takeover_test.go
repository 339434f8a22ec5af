package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/fleet"
	"github.com/rak-n-rok/krake/internal/server"
)

// formerly makes objects as the Python Krake does: by a POST of a client that names no field manager.
func (s *site) formerly(t testing.TB, space string, documents ...string) {
	t.Helper()
	for _, document := range documents {
		o := &unstructured.Unstructured{Object: objects(t, strings.ReplaceAll(document, "SPACE", space))[0]}
		kind := map[string]schema.GroupVersionResource{"Deployment": deployments, "Service": services, "ConfigMap": configMaps}[o.GetKind()]
		if _, err := s.admin.Resource(kind).Namespace(space).Create(t.Context(), o, metav1.CreateOptions{FieldManager: "OpenAPI-Generator"}); err != nil {
			t.Fatal(err)
		}
	}
}

// An application that the Python Krake has brought to a cluster is taken over: nothing is restarted or deleted, and from then
// on it is like any other.
func TestAnApplicationOfThePythonKrakeIsTakenOver(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	cfg := server.Config{DataDir: t.TempDir(), Settings: quick, Components: []string{"gc"}}
	k := ownKrake(t, cfg)
	s := sceneOn(t, k)
	s.place(on...)
	parts := strings.Split(web, "---\n")
	deployment := strings.Replace(parts[0], "{name: web,", "{name: web, labels: {tier: old},", 1)
	on[0].formerly(t, s.space, deployment, parts[1])
	on[0].create(t, configMaps, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: strangers, namespace: "+s.space+"}")
	s.register("berlin", on[0].Kubeconfig(t))
	s.register("bratislava", on[1].Kubeconfig(t))
	s.create("web", "berlin", deployment+"---\n"+parts[1])

	// What the reference's controllers leave in a status.
	ref := `{"api": "kubernetes", "kind": "Cluster", "namespace": "` + s.space + `", "name": "berlin"}`
	manifest, err := json.Marshal(s.app("web").Spec.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	var status map[string]any
	if err := json.Unmarshal([]byte(`{"status": {"state": "RUNNING", "scheduled_to": `+ref+`, "running_on": `+ref+`,
		"last_applied_manifest": `+string(manifest)+`, "last_observed_manifest": `+string(manifest)+`}}`), &status); err != nil {
		t.Fatal(err)
	}
	if _, err := s.apps.PatchStatus(t.Context(), s.app("web"), status); err != nil {
		t.Fatal(err)
	}
	var before *unstructured.Unstructured
	s.await("ready pods", func() error {
		before = on[0].get(t, deployments, s.space, "web")
		if at(before, "status", "readyReplicas") == nil {
			return fmt.Errorf("%v", before.Object["status"])
		}
		return nil
	})
	podsOf := func() string {
		list, err := on[0].admin.Resource(pods).Namespace(s.space).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, p := range list.Items {
			names = append(names, p.GetName())
		}
		return fmt.Sprint(names)
	}
	pods0 := podsOf()
	if err := k.end(); err != nil {
		t.Fatal(err)
	}

	cfg.Components = nil
	s.use(ownKrake(t, cfg))
	s.awaitCluster("berlin", api.ClusterOnline)
	a := s.awaitApp("web", running("berlin"), healthy, reachable(on[0], s.space))
	s.awaitEvent("Application", "web", "TakenOver", "2 objects", "berlin")
	after := on[0].get(t, deployments, s.space, "web")
	if after.GetUID() != before.GetUID() || podsOf() != pods0 {
		t.Errorf("it was touched: UID %s was %s, pods %s were %s", after.GetUID(), before.GetUID(), podsOf(), pods0)
	}
	if after.GetLabels()[fleet.AppUIDLabel] != a.Metadata.UID {
		t.Errorf("it is marked as %v", after.GetLabels())
	}
	if inventory := s.inventory("web"); len(inventory) != 2 || inventory[0].UID == "" || inventory[1].UID == "" {
		t.Errorf("the inventory is %+v", inventory)
	}
	// What leaves the manifest leaves the cluster, as of any application.
	s.edit("web", func(a *api.Application) { delete(a.Spec.Manifest[0]["metadata"].(map[string]any), "labels") })
	s.await("the label being gone", func() error {
		if labels := on[0].get(t, deployments, s.space, "web").GetLabels(); labels["tier"] != "" {
			return fmt.Errorf("labels %v", labels)
		}
		return nil
	})
	s.send("web", "bratislava")
	s.awaitApp("web", running("bratislava"), healthy, settled)
	if on[0].find(t, deployments, s.space, "web") != nil || on[0].find(t, services, s.space, "web") != nil {
		t.Error("something is left on the source")
	}
	if on[0].find(t, configMaps, s.space, "strangers") == nil {
		t.Error("what was not the application's is gone")
	}
}

// One that is to be deleted takes along what it has.
func TestAnApplicationOfThePythonKrakeIsDeletedWithWhatItHas(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	cfg := server.Config{DataDir: t.TempDir(), Settings: quick, Components: []string{"gc"}}
	k := ownKrake(t, cfg)
	s := sceneOn(t, k)
	s.place(berlin)
	const settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: SPACE}\n"
	berlin.formerly(t, s.space, settings)
	s.register("berlin", berlin.Kubeconfig(t))
	s.create("settings", "", settings)
	ref := map[string]any{"api": "kubernetes", "kind": "Cluster", "namespace": s.space, "name": "berlin"}
	a := s.app("settings")
	a, err := s.apps.PatchStatus(t.Context(), a, map[string]any{"status": map[string]any{"state": "RUNNING", "scheduled_to": ref,
		"running_on": ref, "last_observed_manifest": a.Spec.Manifest}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = s.apps.Patch(t.Context(), a, map[string]any{"metadata": map[string]any{"finalizers": []string{api.FinalizerResources}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.apps.Delete(t.Context(), s.space, "settings", client.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := k.end(); err != nil {
		t.Fatal(err)
	}
	cfg.Components = nil
	s.use(ownKrake(t, cfg))
	s.awaitEnd("settings")
	if berlin.find(t, configMaps, s.space, "settings") != nil {
		t.Error("it is still on the cluster")
	}
}
