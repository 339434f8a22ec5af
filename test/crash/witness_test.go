//go:build crash

package crash

import (
	"context"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// witness watches the clusters, on its own and all the time, and remembers every object that it saw: of each there may
// be one only, since no application has a reason to make one a second time. How many copies of an application there are
// is in copies_test.go.
type witness struct {
	alarm    func(error)
	clusters []*cluster // in the order in which applications move
	find     func(name string) *account
	working  sync.WaitGroup

	mu      sync.Mutex
	seen    map[sighting]types.UID
	live    map[types.UID]sighting
	robbed  map[types.UID]bool // objects that the test itself deletes: each may be made once more
	stories map[string]*story  // by the name of the application
	held    map[string]bool    // pods that were held, by UID and by what they were about to do
	asked   int                // how often the clusters were asked how it really is
}

// sighting is what makes two objects the same in the eyes of a user.
type sighting struct {
	site, kind, namespace, name string
	app                         string // the UID of the application
}

func (s sighting) String() string {
	return fmt.Sprintf("%s %s/%s on %s of the application %s", s.kind, s.namespace, s.name, s.site, s.app)
}

func newWitness(alarm func(error), find func(name string) *account) *witness {
	return &witness{
		alarm: alarm, find: find, seen: map[sighting]types.UID{}, live: map[types.UID]sighting{}, robbed: map[types.UID]bool{},
		stories: map[string]*story{}, held: map[string]bool{},
	}
}

// watch follows all objects of applications, and their pods, until ctx ends.
func (w *witness) watch(ctx context.Context, clusters []*cluster) error {
	w.clusters = clusters
	for _, c := range clusters {
		for kind := range kinds {
			err := w.follow(ctx, c, resourceOf(kind), ourLabel, func(o *unstructured.Unstructured, gone bool) {
				o.SetGroupVersionKind(kind) // in a list, objects do not always say what they are
				w.sawObject(ctx, c, o, gone)
			})
			if err != nil {
				return err
			}
		}
		err := w.follow(ctx, c, pods, podLabel, func(o *unstructured.Unstructured, gone bool) { w.sawPod(ctx, c, o, gone) })
		if err != nil {
			return err
		}
	}
	return nil
}

// follow lists once and watches from there on. A watch that ends ends the run: what happens until the next one begins
// would be seen by nobody.
func (w *witness) follow(ctx context.Context, c *cluster, resource schema.GroupVersionResource, label string,
	saw func(o *unstructured.Unstructured, gone bool)) error {
	list, err := c.client.Resource(resource).List(ctx, metav1.ListOptions{LabelSelector: label})
	if err != nil {
		return err
	}
	for i := range list.Items {
		saw(&list.Items[i], false)
	}
	stream, err := c.client.Resource(resource).Watch(ctx, metav1.ListOptions{LabelSelector: label, ResourceVersion: list.GetResourceVersion()})
	if err != nil {
		return err
	}
	w.working.Go(func() {
		defer stream.Stop()
		for e := range stream.ResultChan() {
			o, ok := e.Object.(*unstructured.Unstructured)
			if !ok || e.Type == watch.Error {
				break
			}
			saw(o, e.Type == watch.Deleted)
		}
		if ctx.Err() == nil {
			w.alarm(fmt.Errorf("the watch of %s on %s has ended: from here on the witness would be blind", resource.Resource, c.site))
		}
	})
	return nil
}

// sawObject remembers an object.
func (w *witness) sawObject(ctx context.Context, c *cluster, o *unstructured.Unstructured, gone bool) {
	s, uid := sighting{c.site, o.GetKind(), o.GetNamespace(), o.GetName(), o.GetLabels()[ourLabel]}, o.GetUID()
	w.mu.Lock()
	if gone {
		delete(w.live, uid)
	} else {
		if before, ok := w.seen[s]; ok && before != uid && !w.robbed[before] {
			w.alarm(fmt.Errorf("%s was made twice: first with the UID %s, and at %s with %s",
				s, before, time.Now().Format(time.TimeOnly), uid))
		}
		w.seen[s] = uid
		w.live[uid] = s
	}
	w.mu.Unlock()
	if a := w.find(s.name); a != nil && s.kind == a.shape.workload.Kind {
		w.note(ctx, a, s.site, uid, workloadCopy(o), gone)
	}
}

// rob tells the witness that the test is about to delete an object.
func (w *witness) rob(uid types.UID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.robbed[uid] = true
}

// alive returns the objects that exist as far as the witness knows.
func (w *witness) alive() map[types.UID]sighting {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make(map[types.UID]sighting, len(w.live))
	for uid, s := range w.live {
		out[uid] = s
	}
	return out
}

// counts says how many objects there were in the course of time, how many of them the test has deleted itself, how often
// pods were held, and how often the clusters were asked about copies.
func (w *witness) counts() (seen, robbed, held, asked int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.seen), len(w.robbed), len(w.held), w.asked
}
