package controller

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"k8s.io/client-go/util/workqueue"

	"github.com/rak-n-rok/krake/client"
)

// The first retry comes at once for human eyes, which is right for conflicts; the delay doubles with every further
// failure of the same object. The cap is how long an object may sleep on after whatever ailed it is over.
const (
	firstRetry = 5 * time.Millisecond
	lastRetry  = 30 * time.Second
)

// backoff takes off a random part of each delay, up to half, so that objects that failed together do not come back
// together.
type backoff struct {
	workqueue.TypedRateLimiter[Key]
}

func newBackoff() backoff {
	return backoff{workqueue.NewTypedItemExponentialFailureRateLimiter[Key](firstRetry, lastRetry)}
}

// When returns the delay after one more failure.
func (b backoff) When(key Key) time.Duration {
	d := b.TypedRateLimiter.When(key)
	return d - rand.N(d/2)
}

func (c *Controller) work(ctx context.Context, queue workqueue.TypedRateLimitingInterface[Key]) {
	for {
		key, closed := queue.Get()
		if closed {
			return
		}
		c.handle(ctx, queue, key)
	}
}

func (c *Controller) handle(ctx context.Context, queue workqueue.TypedRateLimitingInterface[Key], key Key) {
	defer queue.Done(key)
	if ctx.Err() != nil {
		return // a closed queue hands out what is left in it; the next Run looks at everything
	}
	id := uuid.NewString()
	result, err := c.attempt(client.WithRequestID(ctx, id), key)
	c.count(err)
	if err == nil {
		queue.Forget(key)
		if result.After > 0 {
			queue.AddAfter(key, result.After)
		}
		return
	}
	if ctx.Err() != nil {
		return
	}
	log := c.log.With("key", key.String(), "failures", queue.NumRequeues(key)+1, "request_id", id, "error", err)
	switch {
	case client.Conflict(err):
		log.Debug("changed meanwhile, looking again")
	case client.Unreachable(err):
		log.Debug("the API does not answer, trying again") // the caches say so once for all objects
	default:
		log.Warn("failed, trying again")
	}
	queue.AddRateLimited(key)
}

// tracer makes the spans of attempts, which the requests to the API continue.
var tracer = otel.Tracer("github.com/rak-n-rok/krake/internal/controller")

// attempt calls Reconcile. A panic concerns one object only and is treated as its failure.
func (c *Controller) attempt(ctx context.Context, key Key) (result Result, err error) {
	ctx, span := tracer.Start(ctx, "reconcile "+c.cfg.Name)
	defer func() {
		if p := recover(); p != nil {
			c.log.Error("panic", "key", key.String(), "panic", p, "stack", string(debug.Stack()))
			result, err = Result{}, fmt.Errorf("panic: %v", p)
		}
		if span.IsRecording() {
			span.SetAttributes(attribute.String("krake.key", key.String()), attribute.String("request_id", client.RequestID(ctx)))
			if err != nil && !client.Conflict(err) {
				span.SetStatus(codes.Error, err.Error())
			}
		}
		span.End()
	}()
	return c.cfg.Reconcile(ctx, key)
}

// count notes how an attempt ended.
func (c *Controller) count(err error) {
	result := "error"
	switch {
	case err == nil:
		result = "ok"
	case client.Conflict(err):
		result = "conflict"
	case client.Unreachable(err):
		result = "unreachable"
	}
	queues.looks.WithLabelValues(c.cfg.Name, result).Inc()
}
