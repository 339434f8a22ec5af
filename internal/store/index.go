package store

import (
	"context"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// A readIndex says how far the keyspace must have come for a read to see every write that was acknowledged before the
// read began, by whichever server.
type readIndex interface {
	read(ctx context.Context) (revision int64, err error)
}

// applied is the read index of a member in this process that is alone: it has applied whatever it acknowledged.
type applied func() int64

func (a applied) read(context.Context) (int64, error) { return a(), nil }

// asked is the read index of an etcd elsewhere: what its leader confirms. All reads that come while a question is under
// way share the next one; the one under way may have been answered before they began.
type asked struct {
	client *clientv3.Client

	mu   sync.Mutex
	busy bool
	next *question
}

type question struct {
	done     chan struct{}
	revision int64
	err      error
}

func (a *asked) read(ctx context.Context) (int64, error) {
	a.mu.Lock()
	if a.next == nil {
		a.next = &question{done: make(chan struct{})}
	}
	q := a.next
	if !a.busy {
		a.busy = true
		go a.ask()
	}
	a.mu.Unlock()
	select {
	case <-q.done:
		return q.revision, q.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// ask asks until nobody wants to know any more.
func (a *asked) ask() {
	for {
		a.mu.Lock()
		q := a.next
		a.next = nil
		a.busy = q != nil
		a.mu.Unlock()
		if q == nil {
			return
		}
		q.revision, q.err = newestRevision(context.Background(), a.client)
		close(q.done)
	}
}

// newestRevision asks etcd for the revision of the newest committed write.
func newestRevision(ctx context.Context, client *clientv3.Client) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	// Any key answers; this one is never written, so nothing is read for it.
	answer, err := client.Get(ctx, "\x00", clientv3.WithCountOnly())
	if err != nil {
		return 0, err
	}
	return answer.Header.Revision, nil
}
