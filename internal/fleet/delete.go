package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rak-n-rok/krake/api"
)

// Extent says what has to end before an object counts as gone.
type Extent int

// The extents.
const (
	// Itself: what the object owns, such as its pods, ends in its own time.
	Itself Extent = iota
	// AndItsOwn: everything that the object owns has ended before. Workloads are brought to rest for it.
	AndItsOwn
)

func (e Extent) propagation() metav1.DeletionPropagation {
	if e == AndItsOwn {
		return metav1.DeletePropagationForeground
	}
	return metav1.DeletePropagationBackground
}

// Delete removes an object of an application. It returns true when the object is gone, also when it was before, and
// false while it is being terminated. It removes the object that the entry names by its UID, or one that carries the
// application's mark; an object of somebody else is not touched, and counts as gone. Without appUID marks do not count:
// only the very object that the entry names is removed.
func (m *Member) Delete(ctx context.Context, e api.InventoryObject, appUID string, extent Extent) (gone bool, err error) {
	if e.Cluster != m.Identity() {
		return false, fmt.Errorf("%s is on the cluster %s, not on %s", KeyOf(e), e.Cluster, m.Identity())
	}
	view := &lookup{mapper: m.mapper}
	where, err := view.findStored(ctx, entryKind(e))
	if errors.Is(err, errNoKind) {
		return true, nil // its definition is gone, and with it all objects
	}
	if err != nil {
		return false, err
	}
	for range attempts(ctx) {
		seen, err := m.getMeta(ctx, where.resource, e.Namespace, e.Name)
		switch {
		case isUnserved(err): // which discovery has to confirm
			m.mapper.forget()
			return false, answer(KeyOf(e), err)
		case apierrors.IsNotFound(err):
			return true, nil
		case err != nil:
			return false, answer(KeyOf(e), err)
		case !isOurs(seen, e.UID, appUID):
			return true, nil
		case seen.GetDeletionTimestamp() != nil:
			return false, nil
		}
		rest := true
		if extent == AndItsOwn {
			rest, err = m.atRest(ctx, where, seen, entryKind(e).GroupKind())
		}
		gone := false
		if err == nil && rest {
			gone, err = m.remove(ctx, where.resource, seen, extent)
		}
		switch {
		case err == nil:
			return gone, nil
		case apierrors.IsNotFound(err) && !isUnserved(err):
			return true, nil
		case !apierrors.IsConflict(err):
			return false, answer(KeyOf(e), err)
		}
	}
	return false, &TransientError{Message: fmt.Sprintf("%s changed again and again while it was to be deleted", KeyOf(e))}
}

// Found is what was found of an object of the inventory. UID is empty when there is nothing of the application's.
type Found struct {
	UID string
	Err error
}

// Find looks which objects are there that Delete would remove, in the same order. Nothing is written.
func (m *Member) Find(ctx context.Context, entries []api.InventoryObject, appUID string) []Found {
	out := make([]Found, len(entries))
	m.inParallel(len(entries), func(i int) { out[i] = m.find(ctx, entries[i], appUID) })
	return out
}

func (m *Member) find(ctx context.Context, e api.InventoryObject, appUID string) Found {
	view := &lookup{mapper: m.mapper}
	where, err := view.findStored(ctx, entryKind(e))
	if errors.Is(err, errNoKind) {
		return Found{}
	}
	if err != nil {
		return Found{Err: err}
	}
	seen, err := m.getMeta(ctx, where.resource, e.Namespace, e.Name)
	switch {
	case isUnserved(err): // which discovery has to confirm
		m.mapper.forget()
		return Found{Err: answer(KeyOf(e), err)}
	case apierrors.IsNotFound(err), err == nil && !isOurs(seen, e.UID, appUID):
		return Found{}
	case err != nil:
		return Found{Err: answer(KeyOf(e), err)}
	}
	return Found{UID: string(seen.GetUID())}
}

// Lingering says what keeps an object that is being removed, empty if nothing is known to.
func Lingering(live *unstructured.Unstructured) string {
	if live.GetDeletionTimestamp() == nil || len(live.GetFinalizers()) == 0 {
		return ""
	}
	return fmt.Sprintf("%s is being removed, and waits for whoever is to take off its finalizers: %s", keyOf(live),
		brief(strings.Join(live.GetFinalizers(), ", "), longestReason/2))
}

// Removal is what became of one object of a wave.
type Removal struct {
	Entry api.InventoryObject
	Gone  bool
	Err   error
}

// DeleteWave removes the objects of one wave at once. Each has its result, in the same order.
func (m *Member) DeleteWave(ctx context.Context, wave []api.InventoryObject, appUID string, extent Extent) []Removal {
	out := make([]Removal, len(wave))
	m.inParallel(len(wave), func(i int) {
		gone, err := m.Delete(ctx, wave[i], appUID, extent)
		out[i] = Removal{wave[i], gone, err}
	})
	return out
}

// Live reads an object of the inventory as it is now, nil when there is none. The content of a Secret is in it.
func (m *Member) Live(ctx context.Context, e api.InventoryObject) (*unstructured.Unstructured, error) {
	view := &lookup{mapper: m.mapper}
	where, err := view.findStored(ctx, entryKind(e))
	if errors.Is(err, errNoKind) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	live, err := m.get(ctx, where.resource, e.Namespace, e.Name)
	if apierrors.IsNotFound(err) && !isUnserved(err) {
		return nil, nil
	}
	return live, answer(KeyOf(e), err)
}

func entryKind(e api.InventoryObject) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: e.Group, Version: e.Version, Kind: e.Kind}
}

// inParallel does n things, a bounded number of them at once. A panic of one of them is the caller's.
func (m *Member) inParallel(n int, do func(int)) {
	var working errgroup.Group
	working.SetLimit(m.fleet.options.Parallel)
	panicked := make(chan any, n)
	for i := range n {
		working.Go(func() error {
			defer func() {
				if r := recover(); r != nil {
					panicked <- r
				}
			}()
			do(i)
			return nil
		})
	}
	_ = working.Wait()
	select {
	case r := <-panicked:
		panic(r)
	default:
	}
}
