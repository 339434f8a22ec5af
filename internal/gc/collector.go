package gc

import (
	"context"
	"log/slog"
	"slices"
	"sync"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/controller"
)

// Options say what the collector works on.
type Options struct {
	Client *client.Client
	Kinds  []*api.Kind // the whole table when nil
	Log    *slog.Logger
}

// Collector is the garbage collector.
type Collector struct {
	client *client.Client
	log    *slog.Logger
	kinds  map[string]*collected // by group/kind

	mu     sync.Mutex
	graph  *Graph
	warned map[string]bool // of circles, by their members
}

// collected is one kind: a cache of metadata and a queue of its own, so that one kind in trouble holds up no other.
type collected struct {
	kind    *api.Kind
	objects client.Objects[*api.Envelope]
	cache   *client.CacheOf[*api.Envelope]
	ctl     *controller.Controller
}

// New returns a collector with caches of its own: it keeps nothing but metadata, of all kinds.
func New(o Options) *Collector {
	if o.Kinds == nil {
		o.Kinds = api.Kinds
	}
	c := &Collector{client: o.Client, log: o.Log, kinds: map[string]*collected{}, graph: NewGraph(), warned: map[string]bool{}}
	for _, kind := range o.Kinds {
		k := &collected{kind: kind, objects: client.MetadataOfKind(o.Client, kind)}
		k.cache = client.NewCache(k.objects, o.Log)
		k.cache.Handle(func(before, after *api.Envelope) { c.learn(k, before, after) })
		k.ctl = controller.New(controller.Config{Name: "gc " + kind.Plural, Log: o.Log,
			Reconcile: func(ctx context.Context, key controller.Key) (controller.Result, error) {
				return c.reconcile(ctx, k, key)
			}})
		controller.For(k.ctl, k.cache) // after learn: who is woken finds the graph up to date
		c.kinds[kind.Group+"/"+kind.Name] = k
	}
	return c
}

// Run collects until ctx ends. It begins when all kinds are known: until then dependents may be unseen.
func (c *Collector) Run(ctx context.Context) error {
	var components []controller.Component
	for name, k := range c.kinds {
		components = append(components,
			controller.Component{Name: "gc cache of " + name, Run: k.cache.Run},
			controller.Component{Name: "gc of " + name, Run: func(ctx context.Context) error {
				if !c.complete(ctx) {
					return nil
				}
				return k.ctl.Run(ctx)
			}})
	}
	return controller.Supervise(ctx, c.log, components...)
}

// complete waits until all kinds are known; false means that ctx has ended before.
func (c *Collector) complete(ctx context.Context) bool {
	for _, k := range c.kinds {
		select {
		case <-k.cache.Synced():
		case <-ctx.Done():
			return false
		}
	}
	return true
}

func (k *collected) ref(m *api.Metadata) Ref {
	return Ref{Group: k.kind.Group, Kind: k.kind.Name, Namespace: m.NamespaceOrEmpty(), Name: m.Name}
}

// learn follows a change in the graph and wakes whom it may concern: the owners, which may wait for the object, and the
// dependents, whose turn it may be. The object itself is woken with every change.
func (c *Collector) learn(k *collected, before, after *api.Envelope) {
	var was, is Object
	var ref Ref
	if before != nil {
		ref, was = k.ref(&before.Metadata), objectOf(before)
	}
	if after != nil {
		ref, is = k.ref(&after.Metadata), objectOf(after)
	}
	c.mu.Lock()
	if after != nil {
		c.graph.Put(ref, is)
	} else {
		c.graph.Remove(ref)
	}
	dependents := c.graph.Dependents(ref)
	c.mu.Unlock()
	if after == nil {
		c.reportOrphans(ref, dependents)
	}
	if before != nil && after != nil && was.Marked == is.Marked && was.Turn == is.Turn && was.Spares == is.Spares && slices.Equal(was.Owners, is.Owners) {
		return
	}
	c.wake(was.Owners)
	c.wake(is.Owners)
	c.wake(dependents)
}

func objectOf(e *api.Envelope) Object {
	m := &e.Metadata
	o := Object{Version: m.ResourceVersion, Owners: make([]Ref, len(m.Owners)), Marked: m.Deleted != nil}
	o.Turn = o.Marked && m.LastFinalizer() == api.FinalizerCascade
	o.Spares = spares(m)
	for i, owner := range m.Owners {
		o.Owners[i] = RefOf(owner)
	}
	return o
}

// spares says whether what depends on an object is not deleted with it, but asked to leave.
func spares(m *api.Metadata) bool { return m.Deletion == api.Evacuate }

func (c *Collector) wake(refs []Ref) {
	for _, r := range refs {
		if k := c.kinds[r.Group+"/"+r.Kind]; k != nil {
			k.ctl.Enqueue(controller.Key{Namespace: r.Namespace, Name: r.Name})
		}
	}
}

// reportOrphans tells of objects that nobody will delete: their owner was removed before them, which only force can do.
func (c *Collector) reportOrphans(ref Ref, dependents []Ref) {
	c.mu.Lock()
	defer c.mu.Unlock()
	orphans := slices.DeleteFunc(slices.Clone(dependents), func(d Ref) bool { return c.graph.objects[d].Marked })
	if len(orphans) > 0 {
		c.log.Warn("an owner was removed before what depends on it; this stays", "owner", ref.String(), "dependents", names(orphans))
	}
}

func names(refs []Ref) []string {
	out := make([]string, len(refs))
	for i, r := range refs {
		out[i] = r.String()
	}
	return out
}
