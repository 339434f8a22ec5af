package controller_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/apiserver"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/store"
)

// swift are times for tests: a lease that is lost goes to another process within two seconds.
var swift = controller.LeaseTimes{Duration: 2 * time.Second, Give: time.Second, Retry: 100 * time.Millisecond}

// An office is an API whose leases processes contend for.
type office struct {
	url string
	mu  sync.Mutex
	at  map[string]bool // who is at work
	log []string        // who began, in order
}

func openOffice(t *testing.T) *office {
	t.Helper()
	data, err := store.Open(t.Context(), store.Options{Dir: filepath.Join(t.TempDir(), "data"), UnsafeNoFsync: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(apiserver.New(apiserver.Options{Store: data, Log: slog.New(slog.DiscardHandler)}))
	t.Cleanup(func() {
		h.CloseClientConnections()
		_ = data.Close()
		h.Close()
	})
	return &office{url: h.URL, at: map[string]bool{}}
}

// A worker is a process that does the work when it has the lease.
type worker struct {
	leave func()
	cut   atomic.Bool // from the API
	ended chan error
}

func (w *worker) RoundTrip(r *http.Request) (*http.Response, error) {
	if w.cut.Load() {
		return nil, errors.New("cut off")
	}
	return http.DefaultTransport.RoundTrip(r)
}

func (o *office) hire(t *testing.T, holder string) *worker {
	t.Helper()
	w := &worker{ended: make(chan error, 1)}
	c, err := client.New(client.Config{URL: o.url, Transport: w})
	if err != nil {
		t.Fatal(err)
	}
	lease := controller.Lease{Client: c, Name: "work", Holder: holder, Log: slog.New(slog.DiscardHandler), Times: swift}
	ctx, leave := context.WithCancel(t.Context())
	w.leave = leave
	go func() {
		w.ended <- lease.Run(ctx, func(ctx context.Context) error { o.work(t, ctx, holder); return nil })
	}()
	t.Cleanup(func() {
		leave()
		<-w.ended
		w.ended <- nil
	})
	return w
}

// work lasts as long as its context. Nobody else may be at it who may still write.
func (o *office) work(t *testing.T, ctx context.Context, holder string) {
	o.mu.Lock()
	for other := range o.at {
		t.Errorf("%s began while %s was at work", holder, other)
	}
	o.at[holder] = true
	o.log = append(o.log, holder)
	o.mu.Unlock()
	for ctx.Err() == nil && controller.Held(ctx) == nil {
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
	o.mu.Lock()
	delete(o.at, holder)
	o.mu.Unlock()
	<-ctx.Done()
}

func (o *office) await(t *testing.T, holder string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		o.mu.Lock()
		there := o.at[holder]
		o.mu.Unlock()
		if there {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is not at work", holder)
		}
	}
}

func TestAWorkGoesToTheNextProcess(t *testing.T) {
	for name, end := range map[string]func(w *worker){
		"when one stops":                   func(w *worker) { w.leave() },
		"when one is cut off from the API": func(w *worker) { w.cut.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := openOffice(t)
			first := o.hire(t, "first")
			o.await(t, "first")
			second := o.hire(t, "second")
			end(first)
			o.await(t, "second")
			first.cut.Store(false) // it stands ready again
			o.hire(t, "third")
			second.leave()
			o.mu.Lock()
			defer o.mu.Unlock()
			if o.log[0] != "first" || o.log[1] != "second" {
				t.Errorf("at work were %v", o.log)
			}
		})
	}
}

// Who was killed and comes back under the same name need not wait for itself; others wait for the lease to run out.
func TestAProcessThatFollowsItselfBeginsAtOnce(t *testing.T) {
	o := openOffice(t)
	killed := o.hire(t, "server")
	o.await(t, "server")
	killed.cut.Store(true) // it says nothing any more
	o.mu.Lock()
	delete(o.at, "server") // and does nothing
	o.mu.Unlock()
	c, err := client.New(client.Config{URL: o.url})
	if err != nil {
		t.Fatal(err)
	}
	leases := client.Of[api.Lease](c)
	before, err := leases.Get(t.Context(), "", "work")
	if err != nil {
		t.Fatal(err)
	}
	o.hire(t, "server")
	o.await(t, "server")
	after, err := leases.Get(t.Context(), "", "work")
	if err != nil || after.Spec.Holder != "server" || after.Spec.Transitions != before.Spec.Transitions {
		t.Errorf("%+v, then %+v, %v", before.Spec, after.Spec, err)
	}
}

func TestWithoutALeaseNothingIsHeldBack(t *testing.T) {
	if err := controller.Held(t.Context()); err != nil {
		t.Error(err)
	}
}
