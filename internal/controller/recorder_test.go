package controller

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/apiserver"
	"github.com/rak-n-rok/krake/internal/store"
)

func openAPI(t *testing.T) (*client.Client, *store.Store) {
	t.Helper()
	data, err := store.Open(t.Context(), store.Options{Dir: filepath.Join(t.TempDir(), "data"), UnsafeNoFsync: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(apiserver.New(apiserver.Options{Store: data, Log: slog.New(slog.DiscardHandler)}))
	t.Cleanup(func() {
		h.Close()
		_ = data.Close()
	})
	c, err := client.New(client.Config{URL: h.URL})
	if err != nil {
		t.Fatal(err)
	}
	return c, data
}

// What happens again is counted, and written the less often the longer it goes on. That needs no memory of an earlier
// process, and an event that has gone is told anew.
func TestWhatHappensAgainIsCounted(t *testing.T) {
	c, data := openAPI(t)
	namespace := "testing"
	app := api.New[api.Application]()
	app.Metadata.Name, app.Metadata.Namespace, app.Metadata.UID = "app", &namespace, "the-uid"
	r := NewRecorder(c, "test", slog.New(slog.DiscardHandler))
	events := client.Of[api.Event](c)
	start := time.Now()
	tell := func(r *Recorder, after time.Duration) {
		t.Helper()
		r.Warning(app, "Late", "It is %d late.", 1)
		r.take(t.Context(), <-r.waiting, start.Add(after))
	}
	want := func(count int64) *api.Event {
		t.Helper()
		list, _, err := events.List(t.Context(), namespace)
		if err != nil || len(list) != 1 || list[0].Spec.Count != count {
			t.Fatalf("%d events, %+v, want a count of %d; %v", len(list), list, count, err)
		}
		return list[0]
	}
	tell(r, 0)
	e := want(1)
	if s := e.Spec; s.Type != api.WarningEvent || s.Message != "It is 1 late." || s.Component != "test" || s.Regarding.Name != "app" || s.RegardingUID != "the-uid" {
		t.Errorf("%+v", s)
	}
	tell(r, time.Second)
	tell(r, 2*time.Second)
	want(1)
	r.catchUp(t.Context(), start.Add(firstRepeat))
	if later := want(3); !e.Spec.Last.Before(*later.Spec.Last) || !e.Spec.First.Equal(*later.Spec.First) {
		t.Errorf("from %v to %v", later.Spec.First, later.Spec.Last)
	}
	tell(r, firstRepeat+time.Second)
	r.catchUp(t.Context(), start.Add(2*firstRepeat)) // the pause has doubled
	want(3)
	tell(r, 4*firstRepeat)
	want(5)

	again := NewRecorder(c, "test", slog.New(slog.DiscardHandler))
	tell(again, 0)
	again.catchUp(t.Context(), start.Add(firstRepeat))
	want(6)
	key := api.EventKind.Key(namespace, e.Metadata.Name) // its time is over
	if _, err := data.Commit(t.Context(), store.Txn{Do: []store.Op{store.Delete(key)}}); err != nil {
		t.Fatal(err)
	}
	tell(again, time.Hour) // is not written, because it is found gone
	tell(again, time.Hour)
	want(1)
}

// Who has something to tell never waits, and what is told once is there.
func TestTellingNeverWaits(t *testing.T) {
	c, _ := openAPI(t)
	app := api.New[api.GlobalMetric]()
	app.Metadata.Name, app.Metadata.UID = "m", "u"
	r := NewRecorder(c, "test", slog.New(slog.DiscardHandler))
	for i := range 2 * eventsWaiting {
		r.Normal(app, "Told", "%d", i)
	}
	if got := r.lost.Load(); got != eventsWaiting {
		t.Errorf("%d are lost", got)
	}
	var nobody *Recorder
	nobody.Normal(app, "Told", "to nobody")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	for len(r.waiting) > 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	list, _, err := client.Of[api.Event](c).List(t.Context(), "default")
	if err != nil || len(list) != api.EventKind.Crowd {
		t.Errorf("%d events are kept of one object; %v", len(list), err)
	}
}
