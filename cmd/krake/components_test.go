package main

import (
	"path/filepath"
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/kubelabtest"
)

// Each component in a process of its own, and together they are a whole Krake.
func TestEveryComponentRunsAlone(t *testing.T) {
	lab := kubelabtest.Clusters(t, "alone")[0]
	_, url := serve(t, "api", "--data-dir", filepath.Join(t.TempDir(), "data"))
	for _, words := range [][]string{{"scheduler"}, {"controller", "kubernetes-application"}, {"controller", "kubernetes-cluster"}, {"gc"}} {
		start(t, append(words, "--api-endpoint", url)...)
	}
	c := connect(t, url)
	clusters, apps := client.Of[api.Cluster](c), client.Of[api.Application](c)
	namespace := "testing"

	cluster := api.New[api.Cluster]()
	cluster.Metadata.Name, cluster.Metadata.Namespace, cluster.Spec.Kubeconfig = "here", &namespace, lab.Kubeconfig(t)
	if _, err := clusters.Create(t.Context(), cluster); err != nil {
		t.Fatal(err)
	}
	await(t, "the cluster controller", func() bool {
		c, err := clusters.Get(t.Context(), namespace, "here")
		return err == nil && c.Status.State == api.ClusterOnline
	})

	app := api.New[api.Application]()
	app.Metadata.Name, app.Metadata.Namespace = "settings", &namespace
	app.Spec.Manifest = api.Manifest{{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "settings"}}}
	if _, err := apps.Create(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	await(t, "the scheduler and the application controller", func() bool {
		a, err := apps.Get(t.Context(), namespace, "settings")
		return err == nil && a.Status.State == api.AppRunning && a.Status.Conditions.Get(api.Healthy).Status == api.True
	})

	if _, err := clusters.Delete(t.Context(), namespace, "here", client.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, "the garbage collector, which takes the application first", func() bool {
		_, appErr := apps.Get(t.Context(), namespace, "settings")
		_, clusterErr := clusters.Get(t.Context(), namespace, "here")
		if client.NotFound(clusterErr) && !client.NotFound(appErr) {
			t.Fatal("the cluster went before its application")
		}
		return client.NotFound(clusterErr) && client.NotFound(appErr)
	})
}
