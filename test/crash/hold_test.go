//go:build crash

package crash

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// Simulated pods start and end at once, and real ones do not. So pods of applications that move are held: by a gate
// before they start on the target, if the new copy has to be ready before the old one goes, and by a finalizer before
// they end on the source, if the old copy has to be gone before the new one comes. Before a pod is let go, the witness
// judges: while it is held, it is certain that it does not serve yet, or that it is still there.

// sawPod adds a pod to the story of its application, and holds it.
func (w *witness) sawPod(ctx context.Context, c *cluster, pod *unstructured.Unstructured, gone bool) {
	a := w.find(pod.GetLabels()[podLabel])
	if a == nil {
		return // somebody else's
	}
	w.note(ctx, a, c.site, pod.GetUID(), podCopy(pod), gone)
	gates, _, _ := unstructured.NestedSlice(pod.Object, "spec", "schedulingGates")
	switch {
	case gone:
	case pod.GetDeletionTimestamp() != nil && slices.Contains(pod.GetFinalizers(), ending):
		w.hold(ctx, c, a, pod, ending)
	case len(gates) > 0:
		w.hold(ctx, c, a, pod, starting)
	}
}

// hold lets a pod go on after a while.
func (w *witness) hold(ctx context.Context, c *cluster, a *account, pod *unstructured.Unstructured, what string) {
	key := what + " " + string(pod.GetUID())
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held[key] {
		return
	}
	w.held[key] = true
	w.working.Go(func() {
		err := w.takeTime(ctx, c, a, what)
		w.judge(ctx, a)
		if err == nil {
			err = release(ctx, c, pod, what)
		}
		if err != nil && ctx.Err() == nil {
			w.alarm(fmt.Errorf("letting go the pod %s on %s, which is held by %s: %w", pod.GetName(), c.site, what, err))
		}
	})
}

// takeTime waits for as long as a pod takes that starts on the target or ends on the source of a move. One that replaces
// another one there, or is replaced, takes no time.
func (w *witness) takeTime(ctx context.Context, c *cluster, a *account, what string) error {
	there, err := w.ask(ctx, c, a)
	switch {
	case err != nil:
		return err
	case what == starting && (c == w.clusters[0] || serves(there)), what == ending && (c != w.clusters[0] || runs(there)):
		return nil
	}
	return sleep(ctx, a.slow)
}

// runs says whether there is a workload that nobody has deleted.
func runs(p present) bool {
	for _, c := range p {
		if c.kind != "Pod" && !c.ending {
			return true
		}
	}
	return false
}

// release takes off what holds a pod, unless the pod is gone.
func release(ctx context.Context, c *cluster, pod *unstructured.Unstructured, what string) error {
	there := c.client.Resource(pods).Namespace(pod.GetNamespace())
	for {
		live, err := there.Get(ctx, pod.GetName(), metav1.GetOptions{})
		if apierrors.IsNotFound(err) || err == nil && live.GetUID() != pod.GetUID() {
			return nil
		}
		if err != nil {
			return err
		}
		patch := map[string]any{"spec": map[string]any{"schedulingGates": nil}}
		if what == ending {
			kept := slices.DeleteFunc(live.GetFinalizers(), func(f string) bool { return f == ending })
			patch = map[string]any{"metadata": map[string]any{"resourceVersion": live.GetResourceVersion(), "finalizers": kept}}
		}
		_, err = there.Patch(ctx, pod.GetName(), types.MergePatchType, []byte(inJSON(patch)), metav1.PatchOptions{})
		if !apierrors.IsConflict(err) {
			if apierrors.IsNotFound(err) {
				return nil
			}
			return err
		}
	}
}
