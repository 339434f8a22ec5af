package controller

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"

	"github.com/rak-n-rok/krake/api"
)

// Key names an object of the kind that a controller works on. The namespace of global objects is empty.
type Key struct{ Namespace, Name string }

// KeyOf returns the key of an object.
func KeyOf(r api.Resource) Key {
	m := api.Meta(r)
	return Key{Namespace: m.NamespaceOrEmpty(), Name: m.Name}
}

// KeysOf returns the keys of objects.
func KeysOf[P api.Resource](objects []P) []Key {
	keys := make([]Key, len(objects))
	for i, o := range objects {
		keys[i] = KeyOf(o)
	}
	return keys
}

// String gives the key as NAMESPACE/NAME, the name alone for global objects.
func (k Key) String() string {
	if k.Namespace == "" {
		return k.Name
	}
	return k.Namespace + "/" + k.Name
}

// Result says what comes after an attempt that succeeded.
type Result struct {
	// After is when to look at the object again at the latest, even if nothing changes; zero for not at all. An earlier
	// time that was asked for before stands, so a controller may be asked sooner than it said.
	After time.Duration
}

// Config describes a controller.
type Config struct {
	Name string // in the log
	// Reconcile brings one object in line with what is wanted of it; the object may be gone. An error means that it is
	// called again, later with every failure; a conflict means that something newer is on its way. It is never called
	// for one key twice at the same time.
	Reconcile func(ctx context.Context, key Key) (Result, error)
	Workers   int // how many objects are worked on at the same time; 5 when zero
	Log       *slog.Logger
}

// stopWithin is how long Run waits for work that was told to stop. Requests end with their context, so only work that
// does not listen to it takes longer.
const stopWithin = 10 * time.Second

// Controller works through a queue of keys. It is connected to its caches with For and OnChange, then run.
type Controller struct {
	cfg     Config
	log     *slog.Logger
	sources []source

	mu    sync.Mutex
	queue workqueue.TypedRateLimitingInterface[Key] // nil while not running
}

// source is a cache whose objects are to be looked at when the controller starts.
type source struct {
	synced <-chan struct{}
	keys   func() []Key
}

// New returns a controller that is not connected to anything yet.
func New(cfg Config) *Controller {
	if cfg.Workers == 0 {
		cfg.Workers = 5
	}
	return &Controller{cfg: cfg, log: cfg.Log.With("controller", cfg.Name)}
}

// Enqueue asks for objects to be looked at soon. It does not block. While the controller is not running it does
// nothing, because everything is looked at when it starts.
func (c *Controller) Enqueue(keys ...Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.queue == nil {
		return
	}
	for _, k := range keys {
		c.queue.Add(k)
	}
}

// Run waits until the caches are complete, looks at every object, and then at what changes, until ctx ends, which is
// no error. An error after ctx has ended says that work is still going on that did not stop in time. Run may be called
// again after it has returned nil.
func (c *Controller) Run(ctx context.Context) error {
	for _, s := range c.sources {
		select {
		case <-s.synced:
		case <-ctx.Done():
			return nil
		}
	}
	queue := workqueue.NewTypedRateLimitingQueueWithConfig[Key](newBackoff(),
		workqueue.TypedRateLimitingQueueConfig[Key]{Name: c.cfg.Name, MetricsProvider: queues})
	c.use(queue)
	for _, s := range c.sources {
		c.Enqueue(s.keys()...)
	}
	var workers sync.WaitGroup
	for range c.cfg.Workers {
		workers.Go(func() { c.work(ctx, queue) })
	}
	c.log.Debug("started", "workers", c.cfg.Workers)
	<-ctx.Done()
	c.use(nil)
	queue.ShutDown()
	if !within(stopWithin, workers.Wait) {
		return fmt.Errorf("controller %s: work did not stop within %s", c.cfg.Name, stopWithin)
	}
	c.log.Debug("stopped")
	return nil
}

func (c *Controller) use(queue workqueue.TypedRateLimitingInterface[Key]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = queue
}

// within says whether wait returned in time. A wait that never returns keeps its goroutine.
func within(limit time.Duration, wait func()) bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		wait()
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
