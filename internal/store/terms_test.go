package store

import (
	"errors"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// A value that lasts for a time goes by itself, and a watch is told of it as of a deletion. What is written again meanwhile
// begins its time anew.
func TestAValueGoesWhenItsTimeIsOver(t *testing.T) {
	s := open(t, Options{})
	w := watch(t, s, "/e/", Cursor{})
	commit(t, s, Put("/e/ever", []byte(`{}`)))
	commit(t, s, Put("/e/short", []byte(`{"v":1}`)).Lasting(time.Second))
	again := commit(t, s, Put("/e/long", []byte(`{}`)).Lasting(time.Second), Put("/e/longer", []byte(`{}`)).Lasting(time.Hour))
	commit(t, s, Put("/e/long", []byte(`{}`)).Lasting(time.Hour))
	for {
		e, err := w.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if e.Type != Deleted {
			continue
		}
		if e.Key != "/e/short" || e.Revision <= again || string(e.Value) != `{"v":1}` {
			t.Errorf("gone is %s at %d, as %s", e.Key, e.Revision, e.Value)
		}
		break
	}
	if _, err := s.Get(t.Context(), "/e/short"); !errors.Is(err, ErrNotFound) {
		t.Errorf("%v", err)
	}
	records, _, err := s.List(t.Context(), "/e/")
	if err != nil || len(records) != 3 {
		t.Errorf("%d are there, %v", len(records), err)
	}
}

func TestLeasesAreSharedByWhatIsWrittenTogether(t *testing.T) {
	s := open(t, Options{})
	for range 3 {
		commit(t, s, Put("/a", []byte(`{}`)).Lasting(time.Hour), Put("/b", []byte(`{}`)).Lasting(2*time.Hour), Put("/c", []byte(`{}`)))
	}
	leases, err := s.client.Leases(t.Context())
	if err != nil || len(leases.Leases) != 2 {
		t.Fatalf("%v %v", leases, err)
	}
	// A lease that is gone is replaced; the write that met it is to be tried again.
	for _, l := range leases.Leases {
		if _, err := s.client.Revoke(t.Context(), clientv3.LeaseID(l.ID)); err != nil {
			t.Fatal(err)
		}
	}
	again := Txn{Do: []Op{Put("/d", []byte(`{}`)).Lasting(time.Hour)}}
	if _, err := s.Commit(t.Context(), again); !errors.Is(err, ErrUnavailable) {
		t.Errorf("%v", err)
	}
	if _, err := s.Commit(t.Context(), again); err != nil {
		t.Error(err)
	}
}
