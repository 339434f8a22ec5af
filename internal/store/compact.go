package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

// Compact forgets the history before a revision: watches can be resumed from
// there on, no longer from before. What is stored stays. It is no error when
// that was done already.
func (s *Store) Compact(ctx context.Context, revision int64) error {
	if err := s.inFlight.enter(); err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	defer s.inFlight.leave()
	_, err := s.client.Compact(ctx, revision)
	if err != nil && !errors.Is(err, rpctypes.ErrCompacted) {
		return fmt.Errorf("compact to revision %d: %w", revision, err)
	}
	return nil
}

// A compactor forgets what is both older than keepFor and more than
// keepRevisions ago. Etcd's own compaction knows only the one or the other, and
// looks every five minutes.
type compactor struct {
	store         *Store
	keepFor       time.Duration
	keepRevisions int64
	seen          ages
}

// run compacts until the context ends. A tenth of keepFor between two looks
// means that at most a tenth more is kept than asked for.
func (c *compactor) run(ctx context.Context) {
	ticker := time.NewTicker(max(c.keepFor/10, time.Second))
	defer ticker.Stop()
	for {
		if err := c.step(ctx, time.Now()); err != nil && ctx.Err() == nil {
			c.store.log.WarnContext(ctx, "compaction failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (c *compactor) step(ctx context.Context, now time.Time) error {
	revision, err := c.store.Revision(ctx)
	if err != nil {
		return err
	}
	c.seen.add(now, revision)
	target := min(c.seen.at(now.Add(-c.keepFor)), revision-c.keepRevisions, c.store.hub.reached())
	if target <= 0 {
		return nil
	}
	return c.store.Compact(ctx, target)
}

// ages remembers which revision was the newest at which time.
type ages struct {
	marks []mark
}

type mark struct {
	at       time.Time
	revision int64
}

func (a *ages) add(now time.Time, revision int64) {
	a.marks = append(a.marks, mark{now, revision})
}

// at gives the newest revision known to be as old as the given time, 0 for
// none, and forgets what is older. After a restart nothing is known to be old,
// so more is kept, never less.
func (a *ages) at(t time.Time) int64 {
	old := 0
	for old < len(a.marks) && !a.marks[old].at.After(t) {
		old++
	}
	if old == 0 {
		return 0
	}
	a.marks = a.marks[old-1:]
	return a.marks[0].revision
}
