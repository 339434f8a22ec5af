package store

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestAgesKnowWhichRevisionIsOldEnough(t *testing.T) {
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
	var a ages
	for i, revision := range []int64{10, 20, 20, 50} {
		a.add(at(i), revision)
	}
	for _, c := range []struct {
		minutes int
		want    int64
	}{{-1, 0}, {0, 10}, {1, 20}, {2, 20}, {9, 50}} {
		if got := a.at(at(c.minutes)); got != c.want {
			t.Errorf("after %d minutes: %d, want %d", c.minutes, got, c.want)
		}
	}
	if len(a.marks) != 1 {
		t.Errorf("%d marks are left", len(a.marks))
	}
}

func TestOnlyWhatIsBothOldAndFarBackIsForgotten(t *testing.T) {
	s := open(t, Options{limits: tiny})
	c := &compactor{store: s, keepFor: time.Minute, keepRevisions: 20}
	now := time.Now()
	var newest int64
	step := func(writes int, later time.Duration) {
		t.Helper()
		for i := range writes {
			newest = commit(t, s, Put(fmt.Sprintf("/a/%d", i), []byte(`{}`)))
		}
		w := watch(t, s, "", Cursor{Revision: newest - 1})
		next(t, w) // the hub has come so far
		now = now.Add(later)
		if err := c.step(t.Context(), now); err != nil {
			t.Fatal(err)
		}
	}
	resumable := func(from int64) bool {
		t.Helper()
		w, err := s.Watch(t.Context(), "/none", Cursor{Revision: from})
		if err != nil && !errors.Is(err, ErrCompacted) {
			t.Fatal(err)
		}
		if err == nil {
			w.Close()
		}
		return err == nil
	}

	step(40, 0)
	if !resumable(2) {
		t.Error("forgotten although it is young")
	}
	old := newest
	step(1, 2*time.Minute)
	if resumable(newest-21) || !resumable(newest-20) {
		t.Error("20 revisions before the newest is not the border")
	}
	step(40, 0)
	if resumable(old-1) || !resumable(old) {
		t.Error("what was the newest a minute ago is not the border")
	}
}
