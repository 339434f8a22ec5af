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

// observer runs the informers of a member: one for each kind in use, or, where the kubeconfig's user may not list and
// watch a kind in all namespaces, one for each namespace in use. Where the user may not even do that, objects are read one
// by one.
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
	ctx      context.Context             // likewise
	end      context.CancelFunc          // likewise; ends the watch because the kind is not served any more
	more     chan struct{}               // has an element when namespaces were added

	// guarded by the observer
	namespaced bool
	wanted     map[string]bool  // namespaces in which objects are expected; "" for cluster-wide kinds
	feeds      map[string]*feed // by namespace; "" for all
	polls      map[string]*poll // by namespace, where feeds are not allowed
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
		o.want(entryKind(e), e.Namespace, e.Name)
	}
}

func (o *observer) want(kind schema.GroupVersionKind, namespace, name string) {
	w := o.watches[kind]
	if w == nil {
		w = &kindWatch{kind: kind, more: make(chan struct{}, 1),
			wanted: map[string]bool{}, feeds: map[string]*feed{}, polls: map[string]*poll{}}
		o.watches[kind] = w
		o.working.Go(func() { o.run(w) })
	}
	if p := w.polls[namespace]; p != nil {
		p.ask(name)
	}
	if !w.wanted[namespace] {
		w.wanted[namespace] = true
		w.wake()
	}
}

// wake has the kind's watch look whether there are namespaces that are not watched yet.
func (w *kindWatch) wake() {
	select {
	case w.more <- struct{}{}:
	default:
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
	where, everywhere, err := o.scope(ctx, w.kind)
	if err != nil {
		return
	}
	w.resource, w.namespaced, w.ctx, w.end = where.resource, where.namespaced, ctx, end
	if everywhere {
		o.start(ctx, w, "")
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
func (o *observer) scope(ctx context.Context, kind schema.GroupVersionKind) (mapping, bool, error) {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		view := &lookup{mapper: o.member.mapper}
		where, err := view.findStored(ctx, kind)
		if errors.Is(err, errNoKind) {
			return where, false, err
		}
		if err == nil {
			err = o.member.trial(ctx, where.resource)
			forbidden := apierrors.IsForbidden(err)
			if err == nil || forbidden {
				return where, !forbidden, nil
			}
		}
		if pause == firstPause && ctx.Err() == nil {
			o.member.log.Warn("cannot watch yet", "kind", kind.String(), "error", err)
		}
		select {
		case <-ctx.Done():
			return where, false, ctx.Err()
		case <-time.After(pause):
		}
	}
}

func (o *observer) unwatched(w *kindWatch) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if w.feeds[""] != nil {
		return nil
	}
	var out []string
	for namespace := range w.wanted {
		if w.feeds[namespace] == nil && w.polls[namespace] == nil {
			out = append(out, namespace)
		}
	}
	return out
}

func (o *observer) start(ctx context.Context, w *kindWatch, namespace string) {
	ctx, end := context.WithCancel(ctx)
	denied := func() {
		end()
		o.denied(w, namespace)
	}
	f := o.newFeed(w, namespace, sync.OnceFunc(denied))
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ctx.Err() != nil {
		end()
		return
	}
	w.feeds[namespace] = f
	o.working.Go(func() {
		defer end()
		f.informer.RunWithContext(ctx)
	})
}

// denied goes on in a narrower way where a feed is not allowed: namespace by namespace, then object by object.
func (o *observer) denied(w *kindWatch, namespace string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(w.feeds, namespace)
	if o.ctx.Err() != nil {
		return
	}
	if namespace == "" && w.namespaced {
		w.wake()
		o.working.Go(func() {
			select {
			case <-w.ctx.Done():
			case <-time.After(pollFor):
				w.end() // the right may have come back meanwhile
			}
		})
		return
	}
	o.member.log.Info("objects are read one by one: they may not be listed and watched", "kind", w.kind.String(), "namespace", namespace)
	p := newPoll(w, namespace)
	w.polls[namespace] = p
	o.working.Go(func() {
		o.poll(w.ctx, p)
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(w.polls, namespace)
		w.wake()
	})
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
	if object, ok := obj.(*unstructured.Unstructured); ok && o.ctx.Err() == nil {
		o.saw(object)
		o.member.fleet.options.OnChange(o.member.Identity(), object.GetLabels()[AppUIDLabel])
	}
}
