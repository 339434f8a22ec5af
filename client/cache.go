package client

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/rak-n-rok/krake/api"
)

// CacheOf keeps every object of a kind in memory, fed by one list and one watch. Its objects are shared and must not be
// changed. It is as stale as the watch: milliseconds while connected; Run's log says when it is not, and when it is again.
// An object that cannot be read is none to the cache; the log says so. P is as in Objects.
type CacheOf[P api.Resource] struct {
	set     Objects[P]
	project func(P)
	log     *slog.Logger

	mu       sync.RWMutex
	objects  map[string]P // by namespace/name
	synced   chan struct{}
	once     sync.Once
	handlers []func(before, after P)
	indexes  []index[P]
}

// Cache is the cache of the kind whose Go type is T.
type Cache[T any, P Pointer[T]] = CacheOf[P]

// CacheOption adjusts a cache.
type CacheOption[P api.Resource] func(*CacheOf[P])

// Project drops what the cache's readers do not need from each object before it is kept, to save memory.
func Project[P api.Resource](drop func(P)) CacheOption[P] {
	return func(c *CacheOf[P]) { c.project = drop }
}

// NewCache returns a cache of all namespaces. It is empty until Run.
func NewCache[P api.Resource](set Objects[P], log *slog.Logger, options ...CacheOption[P]) *CacheOf[P] {
	c := &CacheOf[P]{set: set, log: log, objects: map[string]P{}, synced: make(chan struct{}), project: func(P) {}}
	for _, o := range options {
		o(c)
	}
	return c
}

// Handle registers a function that is called for every change, in order: before is nil for a new object, after for a
// deleted one. After a gap in the watch the changes are those between the old and the new list. It must be called
// before Run, and the function must not block.
func (c *CacheOf[P]) Handle(f func(before, after P)) { c.handlers = append(c.handlers, f) }

// Synced is closed once the first list is complete.
func (c *CacheOf[P]) Synced() <-chan struct{} { return c.synced }

// Get returns an object, nil when there is none.
func (c *CacheOf[P]) Get(namespace, name string) P {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.objects[namespace+"/"+name]
}

// List returns all objects that keep approves of, in no order; keep may be nil.
func (c *CacheOf[P]) List(keep func(P) bool) []P {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := make([]P, 0, len(c.objects))
	for _, o := range c.objects {
		if keep == nil || keep(o) {
			out = append(out, o)
		}
	}
	return out
}

// Run fills the cache and keeps it up to date until ctx ends.
func (c *CacheOf[P]) Run(ctx context.Context) error {
	away := &outage{log: c.log, kind: c.set.kind.Name}
	for attempt := 0; ; attempt++ {
		objects, version, err := c.set.list(ctx, "", c.log)
		if err == nil {
			away.ends()
			c.replace(objects)
			c.once.Do(func() { close(c.synced) })
			err = c.set.watch(ctx, "", version, watcher[P]{
				handle:     func(e Event[P]) error { c.apply(e); return nil },
				unreadable: func(err error) error { return unreadableError{err} },
				connected:  func() { attempt = 0; away.ends() },
				lost:       away.begins,
			})
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !Expired(err) && !errors.As(err, new(unreadableError)) {
			away.begins(err)
		}
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
}

// unreadableError ends a watch at an event that cannot be read. The list leaves its object out and says so; otherwise the
// cache would go on with what it knew of the object before.
type unreadableError struct{ error }

// An outage is told once when it begins and once when it is over, however often a connection is tried meanwhile.
type outage struct {
	log   *slog.Logger
	kind  string
	since time.Time // zero while there is none
}

func (o *outage) begins(err error) {
	if !o.since.IsZero() {
		return
	}
	o.since = time.Now()
	o.log.Warn("disconnected from the API, what is known may be old; trying again", "kind", o.kind, "error", err)
}

func (o *outage) ends() {
	if o.since.IsZero() {
		return
	}
	o.log.Info("connected to the API again", "kind", o.kind, "after", time.Since(o.since).Round(time.Millisecond))
	o.since = time.Time{}
}

func key(m *api.Metadata) string { return m.NamespaceOrEmpty() + "/" + m.Name }

func (c *CacheOf[P]) apply(e Event[P]) {
	var after P
	if e.Type != Deleted {
		c.project(e.Object)
		after = e.Object
	}
	k := key(api.Meta(e.Object))
	c.mu.Lock()
	before := c.put(k, after)
	c.mu.Unlock()
	c.tell(before, after)
}

func (c *CacheOf[P]) replace(objects []P) {
	fresh := make(map[string]P, len(objects))
	for _, o := range objects {
		c.project(o)
		fresh[key(api.Meta(o))] = o
	}
	type change struct{ before, after P }
	var changes []change
	var none P
	c.mu.Lock()
	for k, before := range c.objects {
		if _, kept := fresh[k]; !kept {
			c.put(k, none)
			changes = append(changes, change{before, none})
		}
	}
	for k, after := range fresh {
		before, known := c.objects[k]
		c.put(k, after)
		if !known || api.Meta(before).ResourceVersion != api.Meta(after).ResourceVersion {
			changes = append(changes, change{before, after})
		}
	}
	c.mu.Unlock()
	for _, ch := range changes {
		c.tell(ch.before, ch.after)
	}
}

// put replaces an object, or removes it if there is none after, and returns the one before. It is called under the lock.
func (c *CacheOf[P]) put(k string, after P) (before P) {
	before, known := c.objects[k]
	if known {
		for _, x := range c.indexes {
			x.remove(k, before)
		}
	}
	var none P
	if any(after) == any(none) {
		delete(c.objects, k)
		return before
	}
	for _, x := range c.indexes {
		x.add(k, after)
	}
	c.objects[k] = after
	return before
}

func (c *CacheOf[P]) tell(before, after P) {
	for _, f := range c.handlers {
		f(before, after)
	}
}
