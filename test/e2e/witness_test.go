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

// witness watches the copies of an application on several clusters, without a gap, and remembers what must not happen.
// A copy is an object of one kind: a workload, or a pod.
//
// The news of two clusters come in no common order. So whenever the record looks bad, the witness asks both clusters how
// it really is, and only what they answer counts.
type witness struct {
	scene *scene
	kind  schema.GroupVersionResource
	on    []*site

	mu     sync.Mutex
	copies map[string]map[string]bool // by cluster and name: whether it is ready
	// none are the moments at which no copy was ready, both those at which there were copies on more than one cluster.
	none, both []string
	blind      error // why the witness has not seen everything
}

// watchCopies starts a witness. A copy must be ready by now.
func watchCopies(s *scene, kind schema.GroupVersionResource, on ...*site) *witness {
	s.Helper()
	w := &witness{scene: s, kind: kind, on: on, copies: map[string]map[string]bool{}}
	ctx, stop := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	s.Cleanup(func() { stop(); watching.Wait() })
	streams := make([]watch.Interface, len(on))
	for i, site := range on {
		found, version, err := w.list(ctx, site)
		if err != nil {
			s.Fatal(err)
		}
		w.copies[site.Name] = found
		if streams[i], err = site.admin.Resource(kind).Namespace(s.space).Watch(ctx, metav1.ListOptions{ResourceVersion: version}); err != nil {
			s.Fatal(err)
		}
	}
	if !anyReady(w.copies) {
		s.Fatalf("no copy is ready: %v", w.copies)
	}
	for i, site := range on {
		watching.Go(func() { w.watch(ctx, site, streams[i]) })
	}
	return w
}

// list reads the copies on a cluster.
func (w *witness) list(ctx context.Context, on *site) (copies map[string]bool, version string, err error) {
	list, err := on.admin.Resource(w.kind).Namespace(w.scene.space).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", on.Name, err)
	}
	copies = map[string]bool{}
	for _, o := range list.Items {
		if isCopy(&o) {
			copies[o.GetName()] = isReady(&o)
		}
	}
	return copies, list.GetResourceVersion(), nil
}

func isCopy(o *unstructured.Unstructured) bool { return strings.HasPrefix(o.GetName(), "web") }

func isReady(o *unstructured.Unstructured) bool {
	if o.GetKind() == "Pod" {
		return at(o, "status", "phase") == "Running" && o.GetDeletionTimestamp() == nil
	}
	replicas, _ := at(o, "status", "readyReplicas").(int64)
	return replicas > 0
}

func (w *witness) watch(ctx context.Context, on *site, stream watch.Interface) {
	for e := range stream.ResultChan() {
		o, ok := e.Object.(*unstructured.Unstructured)
		if !ok || e.Type == watch.Error {
			break
		}
		w.saw(ctx, on, o, e.Type == watch.Deleted)
	}
	if ctx.Err() == nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.blind = fmt.Errorf("the watch of %s has ended", on.Name)
	}
}

// saw notes what became of a copy.
func (w *witness) saw(ctx context.Context, on *site, o *unstructured.Unstructured, deleted bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !isCopy(o) {
		return
	}
	if w.copies[on.Name][o.GetName()] = isReady(o); deleted {
		delete(w.copies[on.Name], o.GetName())
	}
	if anyReady(w.copies) && onHowMany(w.copies) < 2 {
		return
	}
	now := map[string]map[string]bool{}
	for _, site := range w.on {
		found, _, err := w.list(ctx, site)
		if err != nil {
			w.blind = err
			return
		}
		now[site.Name] = found
	}
	moment := fmt.Sprintf("%v at version %s of %s", now, o.GetResourceVersion(), on.Name)
	if !anyReady(now) {
		w.none = append(w.none, moment)
	}
	if onHowMany(now) > 1 {
		w.both = append(w.both, moment)
	}
}

func anyReady(copies map[string]map[string]bool) bool {
	for _, found := range copies {
		for _, ready := range found {
			if ready {
				return true
			}
		}
	}
	return false
}

func onHowMany(copies map[string]map[string]bool) (clusters int) {
	for _, found := range copies {
		if len(found) > 0 {
			clusters++
		}
	}
	return clusters
}

// swear ends the test if the witness has not seen everything, or has seen something that must not be.
func (w *witness) swear(what string, seen func() []string) {
	w.scene.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.blind != nil {
		w.scene.Fatalf("the witness has not seen everything: %v", w.blind)
	}
	if moments := seen(); len(moments) > 0 {
		w.scene.Errorf("%s:\n%s", what, strings.Join(moments, "\n"))
	}
}

// swearAlwaysReady fails the test if there was a moment without a ready copy.
func (w *witness) swearAlwaysReady() {
	w.scene.Helper()
	w.swear("no copy was ready", func() []string { return w.none })
}

// swearNeverTwice fails the test if there was a moment with copies on two clusters.
func (w *witness) swearNeverTwice() {
	w.scene.Helper()
	w.swear("there were two copies", func() []string { return w.both })
}
