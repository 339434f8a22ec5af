package store

import (
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	"testing"

	"golang.org/x/sync/errgroup"
)

func TestConditions(t *testing.T) {
	s := open(t, Options{})
	first := commit(t, s, Put("/there", []byte(`{"v":1}`)))
	now := commit(t, s, Put("/there", []byte(`{"v":2}`)))
	for name, c := range map[string]struct {
		conditions []Condition
		conflict   *ConflictError
	}{
		"no condition":                       {nil, nil},
		"absent, and it is":                  {[]Condition{Absent("/none")}, nil},
		"absent, but it exists":              {[]Condition{Absent("/there")}, &ConflictError{"/there", now}},
		"present, and it is":                 {[]Condition{Present("/there")}, nil},
		"present, but it does not exist":     {[]Condition{Present("/none")}, &ConflictError{"/none", 0}},
		"unchanged, and it is":               {[]Condition{Unchanged("/there", now)}, nil},
		"unchanged, but it was written":      {[]Condition{Unchanged("/there", first)}, &ConflictError{"/there", now}},
		"unchanged, but it does not exist":   {[]Condition{Unchanged("/none", first)}, &ConflictError{"/none", 0}},
		"the second of two conditions fails": {[]Condition{Present("/there"), Present("/none")}, &ConflictError{"/none", 0}},
	} {
		t.Run(name, func(t *testing.T) {
			key := "/written/" + name
			_, err := s.Commit(t.Context(), Txn{If: c.conditions, Do: []Op{Put(key, []byte(`{}`))}})
			_, get := s.Get(t.Context(), key)
			var conflict *ConflictError
			switch {
			case c.conflict == nil && (err != nil || get != nil):
				t.Errorf("commit: %v, get: %v", err, get)
			case c.conflict != nil && (!errors.As(err, &conflict) || *conflict != *c.conflict || !errors.Is(err, ErrConflict)):
				t.Errorf("commit: %v, want %v", err, c.conflict)
			case c.conflict != nil && !errors.Is(get, ErrNotFound):
				t.Errorf("something was written: %v", get)
			}
		})
	}
}

func TestADocumentAndItsPartsAreWrittenTogether(t *testing.T) {
	s := open(t, Options{})
	revision := commit(t, s, Put("/kubernetes/applications/ns/app", []byte(`{}`)), Put("/krake/applications/uid/inventory", []byte(`{}`)))
	for _, key := range []string{"/kubernetes/applications/ns/app", "/krake/applications/uid/inventory"} {
		if r, err := s.Get(t.Context(), key); err != nil || r.Revision != revision {
			t.Errorf("%s: %v %v", key, r, err)
		}
	}
	commit(t, s, Delete("/kubernetes/applications/ns/app"), DeletePrefix("/krake/applications/uid/"))
	if records, _, err := s.List(t.Context(), ""); err != nil || len(records) != 0 {
		t.Errorf("left: %v %v", records, err)
	}
}

func TestConcurrentIncrementsOfACounterAllCount(t *testing.T) {
	const writers, increments = 8, 20
	s := open(t, Options{})
	commit(t, s, Put("/counter", []byte("0")))
	var group errgroup.Group
	for range writers {
		group.Go(func() error {
			for range increments {
				if err := increment(t.Context(), s); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if r, err := s.Get(t.Context(), "/counter"); err != nil || string(r.Value) != strconv.Itoa(writers*increments) {
		t.Errorf("the counter is %s %v", r.Value, err)
	}
}

// increment repeats until no other writer came between.
func increment(ctx context.Context, s *Store) error {
	for {
		r, err := s.Get(ctx, "/counter")
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(r.Value))
		if err != nil {
			return err
		}
		_, err = s.Commit(ctx, Txn{
			If: []Condition{Unchanged(r.Key, r.Revision)},
			Do: []Op{Put(r.Key, []byte(strconv.Itoa(n+1)))},
		})
		if !errors.Is(err, ErrConflict) {
			return err
		}
	}
}

func TestWhatIsTooLargeIsRefusedBeforeEtcdRefusesIt(t *testing.T) {
	s := open(t, Options{})
	noise := make([]byte, maxValue+1) // does not compress
	rand.Read(noise)
	rest := maxRequest - maxValue - 1000
	for name, c := range map[string]struct {
		ops  []Op
		want *TooLargeError
	}{
		"the largest value, and the largest part beside it": {[]Op{Put("/a", noise[:maxValue]), Put("/b", noise[:rest])}, nil},
		"a value over the limit":                            {[]Op{Put("/small", nil), Put("/a", noise)}, &TooLargeError{"/a", maxValue + 1, maxValue}},
		"a transaction over the limit":                      {[]Op{Put("/a", noise[:maxValue]), Put("/b", noise[:maxValue])}, &TooLargeError{"", 0, maxRequest}},
		"the same, compressed, is not":                      {[]Op{Put("/a", make([]byte, maxValue)), Put("/b", make([]byte, maxValue))}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Commit(t.Context(), Txn{Do: c.ops})
			var large *TooLargeError
			switch {
			case c.want == nil && err != nil:
				t.Error(err)
			case c.want == nil:
			case !errors.As(err, &large) || large.Key != c.want.Key || large.Limit != c.want.Limit || !errors.Is(err, ErrTooLarge):
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

func TestMeaninglessTransactionsAreRefused(t *testing.T) {
	s := open(t, Options{})
	kept := commit(t, s, Put("/kept", []byte(`{}`)))
	for name, txn := range map[string]Txn{
		"an operation without a key":              {Do: []Op{Put("", []byte(`{}`))}},
		"a deletion of everything":                {Do: []Op{DeletePrefix("")}},
		"a condition without a key":               {If: []Condition{Absent("")}},
		"a condition on a revision before all":    {If: []Condition{Unchanged("/none", 0)}, Do: []Op{Delete("/kept")}},
		"two writes of one key":                   {Do: []Op{Put("/kept", []byte(`{}`)), Delete("/kept")}},
		"more operations than etcd takes at once": {Do: make([]Op, maxOps+1)},
	} {
		if _, err := s.Commit(t.Context(), txn); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if r, err := s.Get(t.Context(), "/kept"); err != nil || r.Revision != kept {
		t.Errorf("/kept: %v %v", r, err)
	}
}
