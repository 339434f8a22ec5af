package fleet

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// feed is one informer: the objects of one kind that carry an application's label, in all namespaces or in one.
//
// It may be as stale as a connection can be dead unnoticed (25 seconds). Beyond that it says that it does not know.
type feed struct {
	of       *kindWatch
	informer cache.SharedIndexInformer
	state    atomic.Int32 // what came of the last list or watch
	denied   func()       // is called when the user may not list or watch
	log      *slog.Logger
}

// What came of the last list or watch of a feed.
const (
	feedNew int32 = iota
	feedAnswered
	feedFailed
)

// lister is what the dynamic client and the metadata client have in common.
type lister struct {
	list  func(context.Context, metav1.ListOptions) (runtime.Object, error)
	watch func(context.Context, metav1.ListOptions) (watch.Interface, error)
}

func (o *observer) newFeed(w *kindWatch, namespace string, denied func()) *feed {
	f := &feed{of: w, denied: denied, log: o.member.log.With("kind", w.kind.String(), "namespace", namespace)}
	source, example := o.lister(w, namespace)
	f.informer = cache.NewSharedIndexInformerWithOptions(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			ctx, cancel := context.WithTimeout(ctx, o.member.fleet.options.Timeout)
			defer cancel()
			options.LabelSelector = AppUIDLabel
			list, err := source.list(ctx, options)
			f.heard(ctx, err)
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.LabelSelector = AppUIDLabel
			events, err := source.watch(ctx, options)
			f.heard(ctx, err)
			return events, err
		},
	}, example, cache.SharedIndexInformerOptions{ObjectDescription: w.kind.String()})
	// None of these can fail on an informer that does not run yet.
	_ = f.informer.SetTransform(f.slim)
	_ = f.informer.SetWatchErrorHandlerWithContext(func(ctx context.Context, _ *cache.Reflector, err error) { f.failed(ctx, err) })
	_, _ = f.informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { o.changed(obj) },
		UpdateFunc: func(before, after any) { o.replaced(before, after) },
		DeleteFunc: func(obj any) { o.changed(obj) },
	})
	return f
}

// lister chooses how a kind is watched. Of Secrets only the metadata ever enter this process; that is enough to see
// whether they exist and whether somebody changed them.
func (o *observer) lister(w *kindWatch, namespace string) (lister, runtime.Object) {
	if w.kind.GroupKind() == secretKind {
		c := o.metadata.Resource(w.resource).Namespace(namespace)
		return lister{
			list:  func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return c.List(ctx, o) },
			watch: c.Watch,
		}, &metav1.PartialObjectMetadata{}
	}
	c := o.dynamic.Resource(w.resource).Namespace(namespace)
	return lister{
		list:  func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return c.List(ctx, o) },
		watch: c.Watch,
	}, &unstructured.Unstructured{}
}

// heard notes whether the cluster answers. It is told of every list and watch, because the informer keeps some failures
// to itself.
func (f *feed) heard(ctx context.Context, err error) {
	if err != nil {
		f.failed(ctx, err)
		return
	}
	if f.state.Swap(feedAnswered) == feedFailed {
		f.log.Info("watching again")
	}
}

func (f *feed) failed(ctx context.Context, err error) {
	ended := ctx.Err() != nil && !errors.Is(err, context.DeadlineExceeded)
	if ended || apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
		return // by us, or the informer is about to list anew
	}
	if f.state.Swap(feedFailed) != feedFailed {
		f.log.Warn("cannot watch", "error", err)
	}
	if apierrors.IsForbidden(err) {
		f.denied()
	}
	if apierrors.IsNotFound(err) {
		f.of.end() // the kind is not served any more
	}
}

// slim leaves out of an object what is not needed, and gives all objects one type. Of the managed fields those of our
// own applies stay: they tell what others have changed.
func (f *feed) slim(obj any) (any, error) {
	if partial, ok := obj.(*metav1.PartialObjectMetadata); ok {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(partial)
		if err != nil {
			return nil, err
		}
		whole := &unstructured.Unstructured{Object: content}
		whole.SetGroupVersionKind(f.of.kind)
		obj = whole
	}
	if object, err := meta.Accessor(obj); err == nil { // else it is a tombstone
		slim(object)
	}
	return obj, nil
}

func slim(object metav1.Object) {
	var own []metav1.ManagedFieldsEntry
	for _, entry := range object.GetManagedFields() {
		if isApply(entry, FieldManager) || isApply(entry, InitialManager) {
			own = append(own, entry)
		}
	}
	object.SetManagedFields(own)
}

// find returns a live object, nil when there is none, and whether that can be relied on.
func (f *feed) find(namespace, name string) (*unstructured.Unstructured, bool) {
	if !f.informer.HasSynced() || f.state.Load() != feedAnswered {
		return nil, false
	}
	key := name
	if namespace != "" {
		key = namespace + "/" + name
	}
	obj, exists, err := f.informer.GetStore().GetByKey(key)
	if err != nil || !exists {
		return nil, err == nil
	}
	live, ok := obj.(*unstructured.Unstructured)
	return live, ok
}

// trial says whether the objects of a kind may be listed in all namespaces.
func (m *Member) trial(ctx context.Context, resource schema.GroupVersionResource) error {
	_, _, err := m.send(ctx, m.rest.Get().AbsPath(pathOf(resource, "", "")...).
		Param("limit", "1").Param("labelSelector", AppUIDLabel).SetHeader("Accept", metaListOnly))
	return err
}

const metaListOnly = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"

// pauses between attempts to start watching a kind.
const (
	firstPause = time.Second
	lastPause  = 30 * time.Second
)
