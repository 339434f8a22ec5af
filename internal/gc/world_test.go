package gc

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/apiserver"
	"github.com/rak-n-rok/krake/internal/store"
)

const space = "testing"

// patience is how long anything may take on a machine that is busy with other things.
const patience = 30 * time.Second

type object = map[string]any

// world is a real API in this process, with what users and other components do to it.
type world struct {
	*testing.T
	client    *client.Client
	transport http.RoundTripper
	apps      client.Set[api.Application, *api.Application]
	clusters  client.Set[api.Cluster, *api.Cluster]
	log       *journal
}

// journal is a log that can be read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) count(s string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.text.String(), s)
}

func newWorld(t *testing.T) world {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	st, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), UnsafeNoFsync: true, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	transport := apiserver.New(apiserver.Options{Store: st, Log: quiet}).Local(apiserver.Anonymous) // as a collector is to a server that knows no callers
	c, err := client.New(client.Config{URL: "http://krake.internal", Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return world{t, c, transport, client.Of[api.Application](c), client.Of[api.Cluster](c), &journal{}}
}

func (w world) collector() *Collector {
	return New(Options{Client: w.client, Log: slog.New(slog.NewTextHandler(w.log, nil))})
}

// collect runs a collector until the test ends, or until the function is called that it returns.
func (w world) collect() (stop func()) {
	w.Helper()
	c := w.collector()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			w.Error(err)
		}
	})
	w.Cleanup(stop)
	return stop
}

func ref(name string) api.ResourceRef { return api.ClusterKind.Ref(space, name) }

func refs(names []string) []api.ResourceRef {
	out := make([]api.ResourceRef, len(names))
	for i, name := range names {
		out[i] = ref(name)
	}
	return out
}

// cluster registers a cluster that is owned by others. Clusters stand for anything that owns and is owned.
func (w world) cluster(name string, owners ...string) *api.Cluster {
	w.Helper()
	namespace := space
	c := api.New[api.Cluster]()
	c.Metadata.Name, c.Metadata.Namespace, c.Metadata.Owners = name, &namespace, refs(owners)
	c.Spec.Tosca = object{"tosca_definitions_version": "tosca_simple_yaml_1_0", "topology_template": object{
		"outputs": object{"kubeconfig": object{"value": "x"}}}}
	return must(w.clusters.Create(w.Context(), c))(w)
}

// own replaces the owners of a cluster.
func (w world) own(name string, owners ...api.ResourceRef) {
	w.Helper()
	c := must(w.clusters.Get(w.Context(), space, name))(w)
	must(w.clusters.Patch(w.Context(), c, object{"metadata": object{"owners": owners}}))(w)
}

// app hands in an application that is bound to a cluster, and that somebody has to clean up after.
func (w world) app(name, cluster string) *api.Application {
	w.Helper()
	namespace := space
	a := api.New[api.Application]()
	a.Metadata.Name, a.Metadata.Namespace = name, &namespace
	a.Metadata.Finalizers = []string{api.FinalizerResources}
	a.Spec.Manifest = api.Manifest{{"apiVersion": "v1", "kind": "ConfigMap", "metadata": object{"name": "c"}}}
	must(w.apps.Create(w.Context(), a))(w)
	return must(w.apps.Do(w.Context(), space, name, "binding", &api.ClusterBinding{Cluster: ref(cluster)}))(w)
}

// cleaned says that nothing of an application is left on its cluster, as the application controller does: again, if the
// collector has written in between.
func (w world) cleaned(name string) {
	w.Helper()
	w.until("the application "+name+" is written by nobody else", func() bool {
		a := must(w.apps.Get(w.Context(), space, name))(w)
		_, err := w.apps.Patch(w.Context(), a, object{"metadata": object{"finalizers": []string{}}})
		if err != nil && !client.Conflict(err) {
			w.Fatal(err)
		}
		return err == nil
	})
}

func (w world) delete(name string, o client.DeleteOptions) {
	w.Helper()
	must(w.clusters.Delete(w.Context(), space, name, o))(w)
}

func (w world) exists(name string) bool {
	w.Helper()
	_, err := w.clusters.Get(w.Context(), space, name)
	if err != nil && !client.NotFound(err) {
		w.Fatal(err)
	}
	return err == nil
}

func (w world) until(what string, holds func() bool) {
	w.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.Fatalf("it never happened that %s; the log is\n%s", what, w.log.text.String())
		}
	}
}

func (w world) untilGone(names ...string) {
	w.Helper()
	for _, name := range names {
		w.until(name+" is gone", func() bool { return !w.exists(name) })
	}
}

// caughtUp waits until the collector has handled everything that happened before, by work that it has to do after that.
func (w world) caughtUp() {
	w.Helper()
	w.cluster("probe")
	w.cluster("probed", "probe")
	w.delete("probe", client.DeleteOptions{})
	w.untilGone("probed", "probe")
}

// marked says whether the deletion of a cluster, which must exist, was asked for.
func (w world) marked(name string) bool {
	w.Helper()
	return must(w.clusters.Get(w.Context(), space, name))(w).Metadata.Deleted != nil
}

func must[R any](r R, err error) func(world) R {
	return func(w world) R {
		w.Helper()
		if err != nil {
			w.Fatal(err)
		}
		return r
	}
}
