package store

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var quiet = slog.New(slog.DiscardHandler)

// open gives a store in a directory of its own, closed with the test.
func open(t testing.TB, o Options) *Store {
	t.Helper()
	if o.Dir == "" {
		o.Dir = filepath.Join(t.TempDir(), "data")
	}
	if o.Logger == nil {
		o.Logger = quiet
	}
	o.UnsafeNoFsync = true
	s, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func TestAWatchSeesEachWriteOfATransactionInItsOrder(t *testing.T) {
	ctx := t.Context()
	s := open(t, Options{})
	w, err := s.Watch(ctx, "/core/", Cursor{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	revision, err := s.Commit(ctx, Txn{
		If: []Condition{Absent("/core/b")},
		Do: []Op{Put("/core/b", []byte(`{"b":1}`)), Put("/other/x", []byte(`{}`)), Put("/core/a", []byte(`{"a":1}`))},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []Event{
		{Added, "/core/b", []byte(`{"b":1}`), revision, revision, revision, Cursor{revision, 1}},
		{Added, "/core/a", []byte(`{"a":1}`), revision, revision, revision, Cursor{revision, 0}},
	} {
		got, err := w.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	if got, want := w.Progress(), (Cursor{Revision: revision}); got != want {
		t.Errorf("progress is %s, want %s", got, want)
	}
}
