package store

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Options say where the data is and how much history is kept.
type Options struct {
	// Dir is the data directory; it is created with mode 0700.
	Dir string
	// Owner is written into the lock file beside the process id and shown to
	// whoever finds the directory locked: the listen address.
	Owner string
	// UnsafeNoFsync loses the last writes when the machine, not only the
	// process, dies. For tests.
	UnsafeNoFsync bool
	// KeepFor and KeepRevisions say from how long ago a watch can be resumed,
	// whichever is more; 10 minutes and 10,000 revisions if zero.
	KeepFor       time.Duration
	KeepRevisions int64
	// Logger is slog.Default() if nil.
	Logger *slog.Logger

	quota  int64  // of the embedded database, the constant if zero; tests make it small
	limits limits // defaultLimits if zero; tests make them small
}

const (
	defaultKeepFor       = 10 * time.Minute
	defaultKeepRevisions = 10_000
)

func (o Options) withDefaults() Options {
	if o.KeepFor <= 0 {
		o.KeepFor = defaultKeepFor
	}
	if o.KeepRevisions <= 0 {
		o.KeepRevisions = defaultKeepRevisions
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.limits == (limits{}) {
		o.limits = defaultLimits
	}
	return o
}

// A Store keeps records in etcd. Its methods may be used by any goroutine.
type Store struct {
	backend
	log *slog.Logger
	hub *hub

	ctx    context.Context // ends with Close; every watch hangs on it
	cancel context.CancelFunc
	group  sync.WaitGroup // hub, compactor, replays

	counted  counters
	terms    terms
	inFlight gate // every operation, so that Close waits for them
}

// Open starts an embedded etcd on the data directory, without any socket, and
// returns when it serves. It gives a *LockedError when another process works in
// the directory.
func Open(ctx context.Context, o Options) (*Store, error) {
	o = o.withDefaults()
	b, err := openEmbedded(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("open the store in %s: %w", o.Dir, err)
	}
	s, err := newStore(ctx, b, o)
	if err != nil {
		b.close()
		return nil, fmt.Errorf("open the store in %s: %w", o.Dir, err)
	}
	return s, nil
}

// newStore runs a store on any etcd.
func newStore(ctx context.Context, b backend, o Options) (*Store, error) {
	s := &Store{backend: b, log: o.Logger, terms: terms{client: b.client, current: map[time.Duration]*term{}}}
	newest, err := newestRevision(ctx, b.client)
	if err != nil {
		return nil, fmt.Errorf("read the revision: %w", err)
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.hub = newHub(b.client, s.log, o.limits, max(1, newest-int64(o.limits.windowEntries)))
	if err := s.hub.records.load(ctx, b.client); err != nil {
		return nil, err
	}
	compaction := &compactor{store: s, keepFor: o.KeepFor, keepRevisions: o.KeepRevisions}
	s.group.Go(func() { s.hub.run(s.ctx) })
	s.group.Go(func() { compaction.run(s.ctx) })
	if s.reclaim != nil {
		keeper := &spaceKeeper{store: s}
		s.group.Go(func() { keeper.run(s.ctx) })
	}
	return s, nil
}

// Close ends every watch with ErrClosed and stops etcd. Operations after it
// give ErrClosed. It may be called more than once.
func (s *Store) Close() error {
	s.cancel()
	if !s.inFlight.close() {
		return nil
	}
	s.group.Wait()
	return s.backend.close()
}
