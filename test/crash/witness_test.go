//go:build crash

package crash

import (
	"context"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/cache"
)

// witness watches the clusters, on its own and all the time, and remembers every object that it saw: of each there may
// be one only, since no application has a reason to make one a second time.
type witness struct {
	alarm func(error)

	mu   sync.Mutex
	seen map[sighting]types.UID
	live map[types.UID]sighting
}

// sighting is what makes two objects the same in the eyes of a user.
type sighting struct {
	site, kind, namespace, name string
	app                         string // the UID of the application
}

func (s sighting) String() string {
	return fmt.Sprintf("%s %s/%s on %s of the application %s", s.kind, s.namespace, s.name, s.site, s.app)
}

func newWitness(alarm func(error)) *witness {
	return &witness{alarm: alarm, seen: map[sighting]types.UID{}, live: map[types.UID]sighting{}}
}

// watch follows all objects of applications on a cluster until ctx ends.
func (w *witness) watch(ctx context.Context, c *cluster, watchers *sync.WaitGroup) error {
	client, err := metadata.NewForConfig(c.config)
	if err != nil {
		return err
	}
	for kind := range kinds {
		resource := client.Resource(resourceOf(kind))
		source := &cache.ListWatch{
			ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
				o.LabelSelector = ourLabel
				return resource.List(ctx, o)
			},
			WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
				o.LabelSelector = ourLabel
				return resource.Watch(ctx, o)
			},
		}
		view := &view{witness: w, site: c.site, kind: kind.Kind}
		// A reflector lists once, watches from there on, resumes a watch that ends, and lists again if it must.
		reflector := cache.NewReflectorWithOptions(source, &metav1.PartialObjectMetadata{}, view, cache.ReflectorOptions{})
		watchers.Go(func() { reflector.RunWithContext(ctx) })
	}
	return nil
}

// saw remembers an object.
func (w *witness) saw(s sighting, uid types.UID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if before, ok := w.seen[s]; ok && before != uid {
		w.alarm(fmt.Errorf("%s was made twice: first with the UID %s, and at %s with %s",
			s, before, time.Now().Format(time.TimeOnly), uid))
	}
	w.seen[s] = uid
	w.live[uid] = s
}

func (w *witness) lost(uid types.UID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.live, uid)
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

// count says how many objects there were in the course of time.
func (w *witness) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.seen)
}

// view is what a reflector tells of one kind on one cluster.
type view struct {
	*witness
	site string
	kind string
}

func (v *view) note(object any) (sighting, types.UID) {
	m := object.(*metav1.PartialObjectMetadata)
	return sighting{v.site, v.kind, m.Namespace, m.Name, m.Labels[ourLabel]}, m.UID
}

// Add, Update, Delete, Replace and Resync make a view what a reflector writes to.
func (v *view) Add(object any) error {
	v.saw(v.note(object))
	return nil
}

func (v *view) Update(object any) error { return v.Add(object) }

func (v *view) Delete(object any) error {
	_, uid := v.note(object)
	v.lost(uid)
	return nil
}

func (v *view) Replace(objects []any, _ string) error {
	there := map[types.UID]bool{}
	for _, object := range objects {
		s, uid := v.note(object)
		there[uid] = true
		v.saw(s, uid)
	}
	for uid, s := range v.alive() {
		if s.site == v.site && s.kind == v.kind && !there[uid] {
			v.lost(uid)
		}
	}
	return nil
}

func (v *view) Resync() error { return nil }
