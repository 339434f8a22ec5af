package store

import (
	"context"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(holdVariable); dir != "" {
		hold(dir)
	}
	// Each check of the model runs an etcd. A soak asks for more on the command
	// line, which is read after this. A failure prints its seed.
	flag.Set("rapid.checks", "8")
	flag.Set("rapid.nofailfile", "true")
	os.Exit(m.Run())
}

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

// commit writes and fails the test if it cannot.
func commit(t testing.TB, s *Store, ops ...Op) int64 {
	t.Helper()
	revision, err := s.Commit(t.Context(), Txn{Do: ops})
	if err != nil {
		t.Fatal(err)
	}
	return revision
}

// watch opens a watch that is closed with the test.
func watch(t testing.TB, s *Store, prefix string, from Cursor) *Watch {
	t.Helper()
	w, err := s.Watch(t.Context(), prefix, from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// eventually waits until a condition holds.
func eventually(t testing.TB, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not come about")
		}
	}
}

// next takes an event that must come.
func next(t testing.TB, w *Watch) Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ev, err := w.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return ev
}
