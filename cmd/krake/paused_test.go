package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/kubelabtest"
)

// barrier stands before a cluster. It notes what is written there, and holds one of these requests.
type barrier struct {
	admin      dynamic.Interface // past the barrier
	kubeconfig api.Kubeconfig    // that leads to it

	mu       sync.Mutex
	hold     string        // the end of the path of the request to hold; empty once it is held
	held     chan struct{} // is closed when it is
	release  chan struct{} // lets it go on
	returned chan struct{} // is closed when the cluster has answered it
	writes   []string
}

func newBarrier(t *testing.T, lab *kubelabtest.Cluster) *barrier {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", lab.Path)
	if err != nil {
		t.Fatal(err)
	}
	admin, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	b := &barrier{admin: admin, held: make(chan struct{}), release: make(chan struct{}), returned: make(chan struct{})}
	b.kubeconfig = kubelabtest.Way(t, lab.Path, func(w http.ResponseWriter, r *http.Request, cluster http.Handler) {
		if b.note(r) {
			body, err := io.ReadAll(r.Body) // a process that is stopped would not send the rest
			if err != nil {
				t.Error(err)
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			close(b.held)
			<-b.release
			defer close(b.returned)
			r = r.WithContext(context.WithoutCancel(r.Context())) // whoever sent it may not be there any more
		}
		cluster.ServeHTTP(w, r)
	})
	return b
}

// note says whether a request is the one to hold.
func (b *barrier) note(r *http.Request) bool {
	if r.Method == http.MethodGet {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writes = append(b.writes, r.Method+" "+r.URL.Path)
	if b.hold == "" || !strings.HasSuffix(r.URL.Path, b.hold) {
		return false
	}
	b.hold = ""
	return true
}

func (b *barrier) written() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.writes)
}

var (
	configMaps  = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
)

func configMap(name string) map[string]any {
	return map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name, "namespace": "default"}}
}

func sleeper(name string) map[string]any {
	labels := map[string]any{"app": name}
	return map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": name, "namespace": "default"},
		"spec": map[string]any{"replicas": int64(1), "selector": map[string]any{"matchLabels": labels}, "template": map[string]any{
			"metadata": map[string]any{"labels": labels},
			"spec":     map[string]any{"containers": []any{map[string]any{"name": "sleep", "image": "sleep:1"}}},
		}}}
}

// A controller stands still in the middle of applying, for longer than its lease: its machine was suspended, or had too
// much to do. Another takes over. When the first goes on, of all that it was about to do only the request lands that was
// on its way already, and that neither makes anything twice nor touches what is somebody else's by now.
func TestALeaderThatWasPausedDoesNothingMore(t *testing.T) {
	lab := kubelabtest.Clusters(t, "paused")[0]
	_, url := serve(t, "server", "--without", "kubernetes-application", "--data-dir", t.TempDir()+"/data")
	c := connect(t, url)
	clusters, apps, leases := client.Of[api.Cluster](c), client.Of[api.Application](c), client.Of[api.Lease](c)
	namespace := "testing"
	controller := func() *process { return start(t, "controller", "kubernetes-application", "--api-endpoint", url) }
	leads := func(p *process) func() bool {
		return func() bool {
			l, err := leases.Get(t.Context(), "", "kubernetes-application")
			return err == nil && strings.Contains(l.Spec.Holder, fmt.Sprintf("process %d,", p.cmd.Process.Pid))
		}
	}
	first := controller()
	await(t, "the first to lead", leads(first))
	second := controller()

	b := newBarrier(t, lab)
	cluster := api.New[api.Cluster]()
	cluster.Metadata.Name, cluster.Metadata.Namespace, cluster.Spec.Kubeconfig = "here", &namespace, b.kubeconfig
	if _, err := clusters.Create(t.Context(), cluster); err != nil {
		t.Fatal(err)
	}
	await(t, "the cluster", func() bool {
		c, err := clusters.Get(t.Context(), namespace, "here")
		return err == nil && c.Status.State == api.ClusterOnline
	})

	b.mu.Lock()
	b.hold = "/configmaps/a"
	b.mu.Unlock()
	app := api.New[api.Application]()
	app.Metadata.Name, app.Metadata.Namespace = "web", &namespace
	app.Spec.Manifest = api.Manifest{configMap("a"), configMap("b"), sleeper("web"), sleeper("late")} // in two waves
	if _, err := apps.Create(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	<-b.held
	if err := syscall.Kill(first.cmd.Process.Pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	await(t, "the second to lead", leads(second))
	runs := func() bool {
		a, err := apps.Get(t.Context(), namespace, "web")
		if err != nil {
			t.Fatal(err)
		}
		applied, healthy := a.Status.Conditions.Get(api.Applied), a.Status.Conditions.Get(api.Healthy)
		return a.Status.State == api.AppRunning && applied.ObservedGeneration == a.Metadata.Generation && healthy.Status == api.True
	}
	await(t, "the second to finish the work", runs)

	// The user wants less, and somebody else takes the names that are free now.
	edit := func(manifest api.Manifest) {
		t.Helper()
		if _, err := apps.Patch(t.Context(), mustGet(t, apps, namespace, "web"), map[string]any{"spec": map[string]any{"manifest": manifest}}); err != nil {
			t.Fatal(err)
		}
		await(t, "the edit", runs)
	}
	edit(api.Manifest{configMap("a"), sleeper("web")})
	for kind, object := range map[schema.GroupVersionResource]map[string]any{configMaps: configMap("b"), deployments: sleeper("late")} {
		o := &unstructured.Unstructured{Object: object}
		await(t, "the name to be free", func() bool {
			_, err := b.admin.Resource(kind).Namespace("default").Create(t.Context(), o, metav1.CreateOptions{FieldManager: "stranger"})
			return err == nil
		})
	}
	await(t, "the stranger's Deployment to be ready", func() bool {
		o := b.live(t, deployments, "late")
		n, _, _ := unstructured.NestedInt64(o.Object, "status", "readyReplicas")
		return n == 1
	})
	before := map[string]*unstructured.Unstructured{
		"a": b.live(t, configMaps, "a"), "b": b.live(t, configMaps, "b"), "web": b.live(t, deployments, "web"), "late": b.live(t, deployments, "late"),
	}
	writes := len(b.written())

	close(b.release)
	<-b.returned // the request that was on its way has landed
	if err := syscall.Kill(first.cmd.Process.Pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	await(t, "the first to notice", func() bool { return strings.Contains(first.said(), "the lease was lost, the work has stopped") })
	if more := b.written()[writes:]; len(more) > 0 {
		t.Errorf("it went on to write: %q", more)
	}
	after := map[string]*unstructured.Unstructured{
		"a": b.live(t, configMaps, "a"), "b": b.live(t, configMaps, "b"), "web": b.live(t, deployments, "web"), "late": b.live(t, deployments, "late"),
	}
	for name, o := range before {
		if now := after[name]; now.GetUID() != o.GetUID() || now.GetResourceVersion() != o.GetResourceVersion() {
			t.Errorf("%s was made again or touched: %s %s, was %s %s", name, now.GetUID(), now.GetResourceVersion(), o.GetUID(), o.GetResourceVersion())
		}
	}

	// It has learned from that, and can lead again.
	if err := second.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = second.end()
	await(t, "the first to lead again", leads(first))
	edit(api.Manifest{configMap("a"), configMap("c"), sleeper("web")})
	if b.live(t, configMaps, "c") == nil || b.live(t, deployments, "web").GetUID() != before["web"].GetUID() {
		t.Error("it does not go on from where the second was")
	}
}

func (b *barrier) live(t *testing.T, kind schema.GroupVersionResource, name string) *unstructured.Unstructured {
	t.Helper()
	o, err := b.admin.Resource(kind).Namespace("default").Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func mustGet(t *testing.T, apps client.Set[api.Application, *api.Application], namespace, name string) *api.Application {
	t.Helper()
	a, err := apps.Get(t.Context(), namespace, name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
