package e2e

import (
	"context"
	"fmt"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// witness watches the workload web of a scene on several clusters, without a gap, and remembers what must not happen.
type witness struct {
	scene *scene
	kind  schema.GroupVersionResource

	mu    sync.Mutex
	ready map[string]bool // by cluster; missing when the workload is not there
	// none are the moments at which no copy was ready, both those at which more than one was there.
	none, both []string
}

// watchCopies starts a witness. A copy must be ready by now.
func watchCopies(s *scene, kind schema.GroupVersionResource, on ...*site) *witness {
	s.Helper()
	w := &witness{scene: s, kind: kind, ready: map[string]bool{}}
	ctx, stop := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	s.Cleanup(func() { stop(); watching.Wait() })
	streams := make([]watch.Interface, len(on))
	for i, site := range on {
		workloads := site.admin.Resource(kind).Namespace(s.space)
		list, err := workloads.List(ctx, metav1.ListOptions{})
		if err != nil {
			s.Fatal(err)
		}
		for _, o := range list.Items {
			w.saw(site.Name, &o, false)
		}
		if streams[i], err = workloads.Watch(ctx, metav1.ListOptions{ResourceVersion: list.GetResourceVersion()}); err != nil {
			s.Fatal(err)
		}
	}
	if w.none, w.both = nil, nil; !w.anyReady() {
		s.Fatalf("no copy is ready: %v", w.ready)
	}
	for i, site := range on {
		watching.Go(func() {
			for e := range streams[i].ResultChan() {
				if o, ok := e.Object.(*unstructured.Unstructured); ok {
					w.saw(site.Name, o, e.Type == watch.Deleted)
				}
			}
		})
	}
	return w
}

// saw notes what became of a copy.
func (w *witness) saw(site string, o *unstructured.Unstructured, deleted bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if o.GetName() != "web" {
		return
	}
	if deleted {
		delete(w.ready, site)
	} else {
		replicas, _ := at(o, "status", "readyReplicas").(int64)
		w.ready[site] = replicas > 0
	}
	moment := fmt.Sprintf("%v at version %s of %s", w.ready, o.GetResourceVersion(), site)
	if !w.anyReady() {
		w.none = append(w.none, moment)
	}
	if len(w.ready) > 1 {
		w.both = append(w.both, moment)
	}
}

func (w *witness) anyReady() bool {
	for _, ready := range w.ready {
		if ready {
			return true
		}
	}
	return false
}

// swearAlwaysReady fails the test if there was a moment without a ready copy.
func (w *witness) swearAlwaysReady() {
	w.scene.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.none) > 0 {
		w.scene.Errorf("no copy was ready:\n%s", strings.Join(w.none, "\n"))
	}
}

// swearNeverTwice fails the test if there was a moment with two copies.
func (w *witness) swearNeverTwice() {
	w.scene.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.both) > 0 {
		w.scene.Errorf("there were two copies:\n%s", strings.Join(w.both, "\n"))
	}
}
