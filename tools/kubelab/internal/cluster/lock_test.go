package cluster

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestLockWaitsForTheOtherCommand(t *testing.T) {
	c := newCluster(t, t.TempDir(), "a")
	create(t, c)
	first, err := c.Lock(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}

	impatient, cancel := context.WithTimeoutCause(t.Context(), 3*lockPoll, errors.New("too long"))
	defer cancel()
	if _, err := c.Lock(impatient, false); err == nil || !strings.Contains(err.Error(), "another kubelab command") || !strings.Contains(err.Error(), "too long") {
		t.Errorf("Lock while it is held: %v", err)
	}

	release := time.AfterFunc(3*lockPoll, func() { first.Close() })
	defer release.Stop()
	second, err := c.Lock(t.Context(), false)
	if err != nil {
		t.Fatalf("Lock after it was released: %v", err)
	}
	second.Close()
}

func TestLockNoticesThatTheClusterWasRemoved(t *testing.T) {
	c := newCluster(t, t.TempDir(), "a")
	create(t, c)
	first, err := c.Lock(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	removed := time.AfterFunc(3*lockPoll, func() {
		if err := c.Remove(); err != nil {
			t.Error(err)
		}
		first.Close()
	})
	defer removed.Stop()
	if _, err := c.Lock(t.Context(), false); !errors.Is(err, ErrNotFound) {
		t.Errorf("Lock of a removed cluster: %v", err)
	}
}

func TestAliveFollowsTheLock(t *testing.T) {
	c := newCluster(t, t.TempDir(), "a")
	create(t, c)
	expect := func(want bool) {
		t.Helper()
		if alive, err := c.Alive(); err != nil || alive != want {
			t.Errorf("Alive is %v, %v; should be %v", alive, err, want)
		}
	}
	expect(false)
	lock, err := c.LockAlive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	expect(true)

	impatient, cancel := context.WithTimeout(t.Context(), 3*lockPoll)
	defer cancel()
	if err := c.WaitDead(impatient); err == nil {
		t.Error("WaitDead did not wait for the lock")
	}
	lock.Close()
	if err := c.WaitDead(t.Context()); err != nil {
		t.Errorf("WaitDead after the end: %v", err)
	}
	expect(false)
}
