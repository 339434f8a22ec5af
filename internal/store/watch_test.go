package store

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestAWatchSeesEachWriteOfATransactionInItsOrder(t *testing.T) {
	s := open(t, Options{})
	first := commit(t, s, Put("/core/a", []byte(`{"v":1}`)), Put("/core/gone", []byte(`{"last":true}`)))
	w := watch(t, s, "/core/", Cursor{})
	r := commit(t, s, Put("/core/b", []byte(`{}`)), Put("/other/x", []byte(`{}`)), Put("/core/a", []byte(`{"v":2}`)), Delete("/core/gone"))
	for _, want := range []Event{
		{Added, "/core/b", []byte(`{}`), r, r, r, Cursor{r, 1}, nil, nil},
		{Modified, "/core/a", []byte(`{"v":2}`), r, r, first, Cursor{r, 3}, []byte(`{"v":1}`), nil},
		{Deleted, "/core/gone", []byte(`{"last":true}`), r, first, first, Cursor{r, 0}, nil, nil},
	} {
		if diff := cmp.Diff(want, next(t, w), cmp.AllowUnexported(Event{}), cmpopts.IgnoreFields(Event{}, "memo")); diff != "" {
			t.Error(diff)
		}
	}
}

func TestAnIdleWatchMovesOnWithTheRestOfTheKeyspace(t *testing.T) {
	s := open(t, Options{})
	idle, busy := watch(t, s, "/quiet/", Cursor{}), watch(t, s, "/", Cursor{})
	for range 3 {
		revision := commit(t, s, Put("/loud/x", []byte(`{}`)))
		next(t, busy)
		if got := idle.Progress(); got != (Cursor{Revision: revision}) {
			t.Errorf("at revision %d the idle watch is at %s", revision, got)
		}
	}
}

func TestASlowReaderGetsWhatItHasAndCanGoOnFromThere(t *testing.T) {
	s := open(t, Options{limits: tiny})
	slow, fast := watch(t, s, "/a/", Cursor{}), watch(t, s, "/", Cursor{})
	var revisions []int64
	for i := range tiny.queueEntries + 3 {
		revisions = append(revisions, commit(t, s, Put(fmt.Sprintf("/a/%d", i), []byte(`{}`))))
		next(t, fast)
	}
	kept := revisions[:tiny.queueEntries]
	for _, revision := range kept {
		if ev := next(t, slow); ev.Revision != revision {
			t.Errorf("got revision %d, want %d", ev.Revision, revision)
		}
	}
	_, err := slow.Next(t.Context())
	var cut *SlowError
	if !errors.As(err, &cut) || !errors.Is(err, ErrSlow) || cut.Cursor != (Cursor{Revision: kept[len(kept)-1]}) {
		t.Fatalf("the end is %v", err)
	}
	again := watch(t, s, "/a/", cut.Cursor)
	for _, revision := range revisions[len(kept):] {
		if ev := next(t, again); ev.Revision != revision {
			t.Errorf("got revision %d, want %d", ev.Revision, revision)
		}
	}
}

func TestAWaitThatIsGivenUpLeavesTheWatchAsItWas(t *testing.T) {
	s := open(t, Options{})
	w := watch(t, s, "/a", Cursor{})
	given, up := context.WithCancel(t.Context())
	up()
	if _, err := w.Next(given); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	revision := commit(t, s, Put("/a", []byte(`{}`)))
	if ev := next(t, w); ev.Revision != revision {
		t.Errorf("got revision %d, want %d", ev.Revision, revision)
	}
}

func TestAWatchEndsWithItsContextOrByClose(t *testing.T) {
	s := open(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	byContext, err := s.Watch(ctx, "/", Cursor{})
	if err != nil {
		t.Fatal(err)
	}
	byClose := watch(t, s, "/", Cursor{})
	cancel()
	byClose.Close()
	for _, w := range []*Watch{byContext, byClose} {
		if _, err := w.Next(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("it ends with %v", err)
		}
	}
	// Events are not kept for readers that are gone.
	left := watch(t, s, "/", Cursor{})
	commit(t, s, Put("/a", []byte(`{}`)))
	next(t, left)
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if n := len(s.hub.watches); n != 1 {
		t.Errorf("the hub has %d watches", n)
	}
}

func TestWhatAWatchCannotBeginWithIsRefused(t *testing.T) {
	s := open(t, Options{limits: tiny})
	for i := range 3 * tiny.windowEntries {
		commit(t, s, Put(fmt.Sprintf("/%d", i), []byte(`{}`)))
	}
	newest := commit(t, s, Put("/last", []byte(`{}`)))
	next(t, watch(t, s, "/", Cursor{Revision: newest - 1})) // the hub has come so far
	if err := s.Compact(t.Context(), newest-2); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		from Cursor
		want string
	}{
		"a forgotten revision":  {Cursor{Revision: 3}, fmt.Sprintf("cannot resume from 3: the oldest revision to resume from is %d", newest-2)},
		"a revision to come":    {Cursor{Revision: newest + 1}, fmt.Sprintf("cannot resume from %d: the newest revision is %d", newest+1, newest)},
		"an index to come":      {Cursor{Revision: newest + 1, Index: 1}, fmt.Sprintf("cannot resume from %d.1: the newest revision is %d", newest+1, newest)},
		"an index of no event":  {Cursor{Index: 1}, "invalid cursor 0.1"},
		"a revision before all": {Cursor{Revision: -1}, "invalid cursor -1"},
	} {
		_, err := s.Watch(t.Context(), "/", c.from)
		if err == nil || err.Error() != "watch /: "+c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		if compacted := errors.Is(err, ErrCompacted); compacted != (c.from.Revision > 0) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
