package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sync/errgroup"
)

// TestClientsThatListAndWatchSeeEveryChange has writers, a compaction and
// readers at work at the same time. Each reader mirrors a prefix as a client
// does: list, watch, resume, list again when its cursor is refused. An event
// that does not fit the mirror was preceded by one that is missing.
func TestClientsThatListAndWatchSeeEveryChange(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	s := open(t, Options{limits: limits{windowEntries: 40, windowSize: 1 << 20, queueEntries: 30, queueSize: 1 << 20}})

	var readers, writers errgroup.Group
	for prefix, ends := range map[string]int{"/": 2, "/a/": 1, "/a/1": 1, "/b/": 1} {
		m := &mirror{store: s, prefix: prefix, ends: ends, random: rand.New(rand.NewPCG(seed, uint64(len(prefix))))}
		readers.Go(func() error { return m.run(ctx) })
	}
	var commits atomic.Int64
	for i := range 3 {
		random := rand.New(rand.NewPCG(seed, uint64(100+i)))
		writers.Go(func() error { return scribble(ctx, s, random, &commits) })
	}
	if err := writers.Wait(); err != nil {
		t.Fatal(err)
	}
	commit(t, s, Put("/a/1-end", nil), Put("/b/end", nil))
	if err := readers.Wait(); err != nil {
		t.Error(err)
	}
}

// scribble writes transactions of a few keys, and forgets history now and then.
func scribble(ctx context.Context, s *Store, random *rand.Rand, commits *atomic.Int64) error {
	for range 200 {
		var ops []Op
		for _, k := range random.Perm(8)[:1+random.IntN(3)] {
			key := fmt.Sprintf("/%c/%d", "ab"[k%2], k/2)
			if random.IntN(3) == 0 {
				ops = append(ops, Delete(key))
			} else {
				ops = append(ops, Put(key, fmt.Appendf(nil, `{"n":%d}`, random.Int())))
			}
		}
		revision, err := s.Commit(ctx, Txn{Do: ops})
		if err != nil {
			return err
		}
		if commits.Add(1)%50 == 0 && revision > 60 {
			if err := s.Compact(ctx, revision-60); err != nil {
				return err
			}
		}
	}
	return nil
}

// A mirror is a client's copy of what is under a prefix.
type mirror struct {
	store  *Store
	prefix string
	ends   int // how many last writes there will be under the prefix
	random *rand.Rand

	records map[string]Record
	at      Cursor
}

func (m *mirror) run(ctx context.Context) error {
	for {
		if m.records == nil {
			if err := m.list(ctx); err != nil {
				return err
			}
		}
		done, err := m.follow(ctx)
		switch {
		case errors.Is(err, ErrCompacted):
			m.records = nil
		case err != nil && !errors.Is(err, ErrSlow):
			return fmt.Errorf("mirror of %s at %s: %w", m.prefix, m.at, err)
		case done:
			return m.compare(ctx)
		}
	}
}

func (m *mirror) list(ctx context.Context) error {
	records, revision, err := m.store.List(ctx, m.prefix)
	m.records, m.at = map[string]Record{}, Cursor{Revision: revision}
	for _, r := range records {
		m.records[r.Key] = r
	}
	return err
}

// follow watches for a while, or until the last write of the test.
func (m *mirror) follow(ctx context.Context) (done bool, err error) {
	if m.ended() {
		return true, nil
	}
	w, err := m.store.Watch(ctx, m.prefix, m.at)
	if err != nil {
		return false, err
	}
	defer w.Close()
	for range 1 + m.random.IntN(60) {
		ev, err := w.Next(ctx)
		if err != nil {
			return false, err
		}
		if err := m.apply(ev); err != nil {
			return false, err
		}
		if m.ended() {
			return true, nil
		}
		if w.Progress().Compare(m.at) < 0 {
			return false, fmt.Errorf("progress %s", w.Progress())
		}
	}
	m.at = w.Progress()
	return false, nil
}

func (m *mirror) ended() bool {
	ends := 0
	for key := range m.records {
		if strings.HasSuffix(key, "end") {
			ends++
		}
	}
	return ends == m.ends
}

func (m *mirror) apply(ev Event) error {
	old, known := m.records[ev.Key]
	fits := ev.Cursor.Compare(m.at) > 0
	switch ev.Type {
	case Added:
		fits = fits && !known && ev.Created == ev.Revision
	case Modified:
		fits = fits && known && ev.Created == old.Created && ev.Revision > old.Revision
	case Deleted:
		fits = fits && known && ev.ValueRevision == old.Revision && bytes.Equal(ev.Value, old.Value)
	}
	if !fits {
		return fmt.Errorf("%s does not follow %v", describe(ev), old)
	}
	m.at = ev.Cursor
	if ev.Type == Deleted {
		delete(m.records, ev.Key)
	} else {
		m.records[ev.Key] = Record{Key: ev.Key, Value: ev.Value, Revision: ev.Revision, Created: ev.Created}
	}
	return nil
}

func (m *mirror) compare(ctx context.Context) error {
	records, _, err := m.store.List(ctx, m.prefix)
	if err != nil {
		return err
	}
	stored := map[string]Record{}
	for _, r := range records {
		stored[r.Key] = r
	}
	if diff := cmp.Diff(stored, m.records, cmpopts.EquateEmpty()); diff != "" {
		return fmt.Errorf("mirror of %s at %s (-stored +mirror):\n%s", m.prefix, m.at, diff)
	}
	return nil
}
