//go:build crash

package crash

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// copyOf is a part of a copy of an application: its workload, or a pod.
type copyOf struct {
	kind, name string
	ready      bool // a pod that serves; one that is ending does not
	ending     bool
}

// present are the parts of copies on one cluster.
type present map[types.UID]copyOf

// story is what the witness has seen of the copies of an application, in the order in which it came to know.
type story struct {
	order []string
	on    map[string]present // by site
}

// note adds to the story of an application, and has the clusters asked if it looks bad.
func (w *witness) note(ctx context.Context, a *account, site string, uid types.UID, c copyOf, gone bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.stories[a.name]
	if s == nil {
		s = &story{on: map[string]present{}}
		for _, c := range w.clusters {
			s.on[c.site] = present{}
		}
		w.stories[a.name] = s
	}
	before, known := s.on[site][uid]
	if known == !gone && before == c {
		return
	}
	what := "is there"
	switch {
	case gone:
		what = "is gone"
		delete(s.on[site], uid)
	case c.ending:
		what = "is ending"
	case c.ready:
		what = "is ready"
	}
	if !gone {
		s.on[site][uid] = c
	}
	s.order = append(s.order, fmt.Sprintf("%s on %s: %s %s, UID %s, %s", time.Now().Format("15:04:05.000"), site, c.kind, c.name, uid, what))
	source, target := s.on[w.clusters[0].site], s.on[w.clusters[1].site]
	if a.stopsFirst() && len(source) > 0 && len(target) > 0 || a.mustServe() && !serves(source) && !serves(target) {
		w.working.Go(func() { w.judge(ctx, a) })
	}
}

// judge asks the clusters themselves how many copies there are: their news come in no common order, so that the record
// may look bad where nothing is.
func (w *witness) judge(ctx context.Context, a *account) {
	must := a.mustServe()
	if !must && !a.stopsFirst() {
		return
	}
	w.mu.Lock()
	w.asked++
	w.mu.Unlock()
	// The source is asked first. Applications move in one direction only: one that is not served here any more has been
	// served by the target before, so the second answer may be later than the first one.
	source, err := w.ask(ctx, w.clusters[0], a)
	var target, still present
	if err == nil {
		target, err = w.ask(ctx, w.clusters[1], a)
	}
	if err == nil && a.stopsFirst() && len(source) > 0 && len(target) > 0 {
		still, err = w.ask(ctx, w.clusters[0], a) // what is there before and after was there in between
	}
	switch {
	case ctx.Err() != nil:
	case err != nil:
		w.alarm(fmt.Errorf("the witness cannot see the copies of %s: %w", a.name, err))
	case a.stopsFirst() && len(target) > 0 && overlaps(source, still):
		w.accuse(a, "%s must not run twice, and is on two clusters: %v and %v", a.name, still, target)
	case must && !serves(source) && !serves(target) && a.mustServe(): // nobody has asked for its end meanwhile
		w.accuse(a, "%s was ready and has no ready copy any more: %v and %v", a.name, source, target)
	}
}

func (w *witness) accuse(a *account, format string, args ...any) {
	w.mu.Lock()
	order := w.stories[a.name].order
	w.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	for _, line := range order {
		text += "\n\t" + line
	}
	w.alarm(fmt.Errorf("at %s %s", time.Now().Format("15:04:05.000"), text))
}

// ask reads the parts of copies that are on a cluster now.
func (w *witness) ask(ctx context.Context, c *cluster, a *account) (present, error) {
	out := present{}
	list, err := c.client.Resource(pods).Namespace(a.namespace()).List(ctx, metav1.ListOptions{LabelSelector: podLabel + "=" + a.name})
	if err != nil {
		return nil, err
	}
	for _, o := range list.Items {
		out[o.GetUID()] = podCopy(&o)
	}
	o, err := c.client.Resource(resourceOf(a.shape.workload)).Namespace(a.namespace()).Get(ctx, a.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	out[o.GetUID()] = workloadCopy(o)
	return out, nil
}

func workloadCopy(o *unstructured.Unstructured) copyOf {
	return copyOf{kind: o.GetKind(), name: o.GetName(), ending: o.GetDeletionTimestamp() != nil}
}

// podCopy reads what matters of a pod.
func podCopy(o *unstructured.Unstructured) copyOf {
	c := copyOf{kind: "Pod", name: o.GetName(), ending: o.GetDeletionTimestamp() != nil}
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, raw := range conditions {
		condition, _ := raw.(map[string]any)
		c.ready = c.ready || condition["type"] == "Ready" && condition["status"] == "True" && !c.ending
	}
	return c
}

func serves(p present) bool {
	for _, c := range p {
		if c.ready {
			return true
		}
	}
	return false
}

func overlaps(x, y present) bool {
	for uid := range x {
		if _, ok := y[uid]; ok {
			return true
		}
	}
	return false
}
