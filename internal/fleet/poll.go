package fleet

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	// pollFor is how long objects are read one by one until it is tried again to watch them.
	pollFor = 10 * time.Minute
	// pollForget is how long an object is read that nobody asks for any more.
	pollForget = 5 * time.Minute
)

// poll reads objects of one kind in one namespace one by one, because the user may get them, but neither list nor watch.
// What it knows is as old as its pause.
type poll struct {
	of        *kindWatch
	namespace string
	more      chan struct{} // has an element when names were added

	mu    sync.Mutex
	asked map[string]time.Time                  // names, and when they were asked for last
	found map[string]*unstructured.Unstructured // nil for what is not there; what could not be read is missing
}

func newPoll(w *kindWatch, namespace string) *poll {
	return &poll{of: w, namespace: namespace, more: make(chan struct{}, 1),
		asked: map[string]time.Time{}, found: map[string]*unstructured.Unstructured{}}
}

// ask has an object read.
func (p *poll) ask(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.asked[name]; !known {
		select {
		case p.more <- struct{}{}:
		default:
		}
	}
	p.asked[name] = time.Now()
}

// find returns a live object, nil when there is none, and whether that is known.
func (p *poll) find(name string) (*unstructured.Unstructured, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	live, known := p.found[name]
	return live, known
}

// names are the objects to be read.
func (p *poll) names() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, when := range p.asked {
		if time.Since(when) > pollForget {
			delete(p.asked, name)
			delete(p.found, name)
		}
	}
	return slices.Sorted(maps.Keys(p.asked))
}

// poll reads what is asked for again and again, until it is time to try to watch again.
func (o *observer) poll(ctx context.Context, p *poll) {
	ctx, end := context.WithTimeout(ctx, pollFor)
	defer end()
	for {
		for _, name := range p.names() {
			o.readOnce(ctx, p, name)
		}
		select {
		case <-ctx.Done():
			return
		case <-p.more:
		case <-time.After(o.member.fleet.options.Poll):
		}
	}
}

// readOnce reads an object, and tells if it has changed since the last time.
func (o *observer) readOnce(ctx context.Context, p *poll, name string) {
	read := o.member.get
	if p.of.kind.GroupKind() == secretKind {
		read = o.member.getMeta
	}
	live, err := read(ctx, p.of.resource, p.namespace, name)
	p.mu.Lock()
	before := p.found[name]
	switch {
	case isUnserved(err):
		p.of.end()
		fallthrough
	case err != nil && !apierrors.IsNotFound(err):
		delete(p.found, name)
		p.mu.Unlock()
		return
	case err != nil:
		live = nil
	default:
		live.SetGroupVersionKind(p.of.kind)
		slim(live)
	}
	p.found[name] = live
	p.mu.Unlock()
	switch {
	case live != nil && before != nil:
		o.replaced(before, live)
	case live != nil:
		o.changed(live)
	case before != nil:
		o.changed(before)
	}
}
