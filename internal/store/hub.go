package store

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/metadata"
)

// limits bound the memory of the hub and of each watch.
type limits struct {
	// The window, in events and bytes; it is filled from etcd at the start
	// too, so that readers find it there after a restart.
	windowEntries, windowSize int
	// The queue of one watch. Larger than the window, so that a watch that
	// was resumed with a whole window to read has room for as much again.
	queueEntries, queueSize int
}

var defaultLimits = limits{
	windowEntries: 4096, windowSize: 32 << 20,
	queueEntries: 8192, queueSize: 64 << 20,
}

// retryWatch is how long the hub waits before it watches again after etcd ended
// its watch for a reason of its own, which a member in this process never does.
const retryWatch = 200 * time.Millisecond

// A hub has the one etcd watch and hands every event to the watches whose
// prefix it has.
//
// The watch covers the whole keyspace, because then every revision shows up in
// it: the hub's position is the position of every watch, however quiet its
// prefix is, without asking etcd for progress.
//
// Nothing in the hub waits for a reader: etcd's client buffers without bound
// whatever is not taken from it.
type hub struct {
	client  *clientv3.Client
	log     *slog.Logger
	limits  limits
	records *keyspace

	mu sync.Mutex
	// position is the newest revision handed to the watches; all up to it were.
	position int64
	window   window
	watches  map[*Watch]struct{}
	ended    bool

	slow atomic.Int64 // watches that were cut off
}

// newHub makes a hub that begins with the events after the given revision.
func newHub(client *clientv3.Client, log *slog.Logger, l limits, after int64) *hub {
	return &hub{
		client:   client,
		log:      log,
		limits:   l,
		records:  newKeyspace(),
		position: after,
		window:   window{floor: after, maxEntries: l.windowEntries, maxSize: l.windowSize},
		watches:  map[*Watch]struct{}{},
	}
}

// run follows etcd until the context ends, then ends every watch.
func (h *hub) run(ctx context.Context) {
	defer h.end()
	for {
		err := h.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, errGap) {
			err = h.records.load(ctx, h.client)
		}
		if err == nil {
			continue
		}
		h.log.WarnContext(ctx, "watching etcd again", "after", h.reached(), "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(retryWatch):
		}
	}
}

// errGap says that events were lost to a compaction. What they changed is to be read anew; then the hub may follow again.
var errGap = errors.New("events were lost to a compaction")

// follow dispatches what one etcd watch brings until that ends.
func (h *hub) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for answer := range watchEverything(ctx, h.client, h.reached()) {
		if answer.CompactRevision != 0 {
			h.skip(answer.CompactRevision)
			return errGap
		}
		if err := answer.Err(); err != nil {
			return err
		}
		if err := h.dispatch(ctx, answer.Events); err != nil {
			return err
		}
	}
	return errors.New("the watch ended")
}

// watchEverything watches the whole keyspace for what comes after a revision.
// It begins one revision early, and the reader leaves out what it has seen:
// etcd accepts the very revision of a compaction as a start, although it has the
// values before it no longer, and before 3.6 not even that revision's deletions.
func watchEverything(ctx context.Context, client *clientv3.Client, after int64) clientv3.WatchChan {
	// Etcd's client puts watches with equal metadata on one stream, where the
	// slowest would hold up the others.
	// A member that has lost the others must end the watch, which then goes on with another one.
	ctx = metadata.AppendToOutgoingContext(clientv3.WithRequireLeader(ctx), "krake-watch", strconv.FormatUint(streams.Add(1), 10))
	return client.Watch(ctx, "\x00", clientv3.WithFromKey(), clientv3.WithRev(max(after, 1)), clientv3.WithPrevKV())
}

var streams atomic.Uint64

// dispatch hands events to the keyspace, to the window and to the watches.
func (h *hub) dispatch(ctx context.Context, events []*clientv3.Event) error {
	if len(events) == 0 {
		return nil
	}
	newest := events[len(events)-1].Kv.ModRevision
	entries, err := newEntries(events, Cursor{Revision: h.reached()})
	if err != nil {
		h.log.WarnContext(ctx, "events lost to a compaction", "revision", newest, "error", err)
		h.skip(newest)
		return errGap
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.records.apply(events, newest)
	h.window.add(entries)
	for w := range h.watches {
		if !w.offer(entries) {
			delete(h.watches, w)
		}
	}
	h.position = max(h.position, newest)
	return nil
}

// skip gives up the events up to a revision, which etcd no longer has: the
// watches that needed them end.
func (h *hub) skip(revision int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.watches {
		seen := w.complete()
		if all := (Cursor{Revision: h.position}); all.Compare(seen) > 0 {
			seen = all
		}
		if seen.next() <= revision {
			w.finish(&CompactedError{From: seen, Oldest: revision})
			delete(h.watches, w)
		}
	}
	h.window.reset(revision)
	h.position = max(h.position, revision)
}

// join lets a watch go on with live events if the window has everything since
// its position; otherwise it returns false. No event comes between the two. A
// watch that is over meanwhile has nothing more to join for.
func (h *hub) join(w *Watch) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		w.finish(ErrClosed)
	}
	if w.over() {
		return true
	}
	if !h.window.covers(w.complete()) {
		return false
	}
	w.goLive(&h.window)
	h.watches[w] = struct{}{}
	return true
}

func (h *hub) leave(w *Watch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.watches, w)
}

// reached is the newest revision that was handed to the watches.
func (h *hub) reached() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.position
}

func (h *hub) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	for w := range h.watches {
		w.finish(ErrClosed)
	}
	clear(h.watches)
}

// covers says whether a watch at the cursor can join.
func (h *hub) covers(from Cursor) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.window.covers(from)
}
