package store

import (
	"context"
	"errors"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// A replay brings a watch that begins before the window up to it, from the
// history in etcd. It reads the whole keyspace like the hub does, so that the
// indexes of cursors are counted alike, and in chunks of half a queue: etcd's
// client would buffer the rest of the history for a reader that is slow.
type replay struct {
	client *clientv3.Client
	hub    *hub
	watch  *Watch
}

// run adds chunks as the reader makes room, until the watch is live or ended.
func (r *replay) run(ctx context.Context) {
	for !r.hub.join(r.watch) {
		if err := r.waitForRoom(ctx); err != nil {
			r.watch.finish(ErrClosed)
			return
		}
		if err := r.chunk(ctx); err != nil {
			r.watch.finish(err)
			return
		}
	}
}

func (r *replay) waitForRoom(ctx context.Context) error {
	for r.watch.busy() {
		select {
		case <-r.watch.room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ctx.Err()
}

// chunk reads history until the queue is half full or the window is reached.
func (r *replay) chunk(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	from := r.watch.complete()
	for answer := range watchEverything(ctx, r.client, from.next()-1) {
		if answer.CompactRevision != 0 {
			return &CompactedError{From: from, Oldest: answer.CompactRevision}
		}
		if err := answer.Err(); err != nil {
			return err
		}
		if err := r.add(answer.Events); err != nil {
			return &CompactedError{From: r.watch.complete(), Oldest: answer.Header.Revision}
		}
		if r.watch.busy() || r.hub.covers(r.watch.complete()) {
			return nil
		}
	}
	if ctx.Err() != nil {
		return ErrClosed
	}
	return errors.New("the watch of the history ended")
}

func (r *replay) add(events []*clientv3.Event) error {
	if len(events) == 0 {
		return nil
	}
	entries, err := newEntries(events, r.watch.complete())
	if err != nil {
		return err
	}
	r.watch.replayed(entries, events[len(events)-1].Kv.ModRevision)
	return nil
}
