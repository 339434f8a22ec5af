package fleet

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/rak-n-rok/krake/api"
)

// observer runs the informers of a member: one for each kind in use, or, where the kubeconfig's user may not list a
// kind in all namespaces, one for each namespace in use.
type observer struct {
	member   *Member
	dynamic  dynamic.Interface
	metadata metadata.Interface

	ctx     context.Context
	cancel  context.CancelFunc
	working sync.WaitGroup

	mu      sync.Mutex
	watches map[schema.GroupVersionKind]*kindWatch
	written map[Key]written
}

// kindWatch is what is watched of one kind.
type kindWatch struct {
	kind     schema.GroupVersionKind
	resource schema.GroupVersionResource // known before the first feed is made
	end      context.CancelFunc          // likewise; ends the watch because the kind is not served any more
	more     chan struct{}               // has an element when namespaces were added

	// guarded by the observer
	wanted map[string]bool  // namespaces in which objects are expected; "" for cluster-wide kinds
	feeds  map[string]*feed // by namespace; "" for all
}

func newObserver(m *Member) (*observer, error) {
	d, err := dynamic.NewForConfigAndClient(m.config, m.http)
	if err != nil {
		return nil, errAddress
	}
	md, err := metadata.NewForConfigAndClient(m.config, m.http)
	if err != nil {
		return nil, errAddress
	}
	logger := logr.FromSlogHandler(m.log.Handler()).V(1) // what matters of it is logged by feeds
	ctx, cancel := context.WithCancel(klog.NewContext(context.Background(), logger))
	return &observer{
		member: m, dynamic: d, metadata: md, ctx: ctx, cancel: cancel,
		watches: map[schema.GroupVersionKind]*kindWatch{}, written: map[Key]written{},
	}, nil
}

// Observe makes sure that the kinds of these objects are watched. It returns at once; what is there is in a Snapshot
// once it is known, and Options.OnChange is told of it. A kind stays watched for as long as the connection is in use.
func (m *Member) Observe(entries []api.InventoryObject) {
	o := m.observer
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ctx.Err() != nil {
		return
	}
	for _, e := range entries {
		o.want(entryKind(e), e.Namespace)
	}
}

func (o *observer) want(kind schema.GroupVersionKind, namespace string) {
	w := o.watches[kind]
	if w == nil {
		w = &kindWatch{kind: kind, more: make(chan struct{}, 1), wanted: map[string]bool{}, feeds: map[string]*feed{}}
		o.watches[kind] = w
		o.working.Go(func() { o.run(w) })
	}
	if !w.wanted[namespace] {
		w.wanted[namespace] = true
		select {
		case w.more <- struct{}{}:
		default:
		}
	}
}

// stop ends all informers without waiting for them.
func (o *observer) stop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.cancel()
}

func (o *observer) wait() { o.working.Wait() }

// run watches one kind until the observer is stopped or the kind is not served any more. Then it is forgotten, and the
// next Observe tries again.
func (o *observer) run(w *kindWatch) {
	ctx, end := context.WithCancel(o.ctx)
	defer end()
	defer func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.watches, w.kind)
	}()
	resource, everywhere, err := o.scope(ctx, w.kind)
	if err != nil {
		return
	}
	w.resource, w.end = resource, end
	if everywhere {
		o.start(ctx, w, "")
		<-ctx.Done()
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.more:
			for _, namespace := range o.unwatched(w) {
				o.start(ctx, w, namespace)
			}
		}
	}
}

// scope finds out where a kind is served and whether it may be listed in all namespaces. It tries until it knows.
func (o *observer) scope(ctx context.Context, kind schema.GroupVersionKind) (schema.GroupVersionResource, bool, error) {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		view := &lookup{mapper: o.member.mapper}
		where, err := view.findStored(ctx, kind)
		if errors.Is(err, errNoKind) {
			return where.resource, false, err
		}
		if err == nil {
			err = o.member.trial(ctx, where.resource)
			forbidden := apierrors.IsForbidden(err) && where.namespaced
			if err == nil || forbidden {
				return where.resource, !forbidden, nil
			}
		}
		if pause == firstPause && ctx.Err() == nil {
			o.member.log.Warn("cannot watch yet", "kind", kind.String(), "error", err)
		}
		select {
		case <-ctx.Done():
			return where.resource, false, ctx.Err()
		case <-time.After(pause):
		}
	}
}

func (o *observer) unwatched(w *kindWatch) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []string
	for namespace := range w.wanted {
		if w.feeds[namespace] == nil {
			out = append(out, namespace)
		}
	}
	return out
}

func (o *observer) start(ctx context.Context, w *kindWatch, namespace string) {
	f := o.newFeed(w, namespace)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ctx.Err() != nil {
		return
	}
	w.feeds[namespace] = f
	o.working.Go(func() { f.informer.RunWithContext(ctx) })
}

// replaced and changed tell whose object it was that changed.
func (o *observer) replaced(before, after any) {
	old, _ := before.(*unstructured.Unstructured)
	now, _ := after.(*unstructured.Unstructured)
	if old == nil || now == nil || old.GetResourceVersion() == now.GetResourceVersion() {
		return
	}
	if old.GetLabels()[AppUIDLabel] != now.GetLabels()[AppUIDLabel] {
		o.changed(old)
	}
	o.changed(now)
}

func (o *observer) changed(obj any) {
	if tombstone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		obj = tombstone.Obj
	}
	if object, ok := obj.(*unstructured.Unstructured); ok {
		o.saw(object)
		o.member.fleet.options.OnChange(o.member.Identity(), object.GetLabels()[AppUIDLabel])
	}
}
