package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/apiserver"
)

// two runs two servers of one API, each behind a proxy that can cut it off.
func two(t *testing.T) (a, b *proxy, c *client.Client) {
	t.Helper()
	first, data := serve(t)
	second := httptest.NewServer(apiserver.New(apiserver.Options{Store: data, Log: quiet}))
	t.Cleanup(func() {
		second.CloseClientConnections()
		second.Close()
	})
	a, b = between(t, first), between(t, second.Listener.Addr().String())
	c, err := client.New(client.Config{URL: "http://" + a.address() + ", http://" + b.address(), UserAgent: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return a, b, c
}

func TestAWatchGoesOnWithAnotherServer(t *testing.T) {
	a, b, c := two(t)
	apps := client.Of[api.Application](c)
	_, version, err := apps.List(t.Context(), "solar")
	if err != nil {
		t.Fatal(err)
	}
	targets := map[*proxy]string{a: a.target, b: b.target}
	var events []seen
	watching := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	go func() { watching <- apps.Watch(ctx, "solar", version, until("a29", &events)) }()
	for i := range 30 {
		if i%10 == 5 { // the one in use goes, and the other one is there again
			gone, back := a, b
			if i == 15 {
				gone, back = b, a
			}
			back.lead(targets[back])
			gone.lead("")
			gone.cut()
		}
		create(t, apps, fmt.Sprint("a", i))
	}
	if err := <-watching; err == nil || ctx.Err() != nil {
		t.Fatal(err)
	}
	for i, e := range events {
		if want := fmt.Sprint("a", i); e.name != want || e.kind != client.Added {
			t.Errorf("event %d is %v, want %s", i, e, want)
		}
	}
	if len(events) != 29 { // the last one ends the watch
		t.Errorf("%d events", len(events))
	}
}

// create creates an application once. A connection that was cut may have carried the request; then it is there.
func create(t *testing.T, apps client.Set[api.Application, *api.Application], name string) {
	t.Helper()
	for range 10 {
		_, err := apps.Create(t.Context(), application(name))
		var u *client.UnreachableError
		switch {
		case err == nil, client.Exists(err):
			return
		case !errors.As(err, &u) || !u.Sent:
			t.Fatal(err)
		}
	}
	t.Fatalf("%s could not be created", name)
}

func TestReadsAreAnsweredByWhoeverIsThere(t *testing.T) {
	a, b, c := two(t)
	apps := client.Of[api.Application](c)
	create(t, apps, "x")
	first := c.URL()
	for _, gone := range []*proxy{a, b} {
		target := gone.target
		gone.lead("")
		gone.cut()
		for range 3 {
			if _, err := apps.Get(t.Context(), "solar", "x"); err != nil {
				t.Errorf("%s is gone: %v", gone.address(), err)
			}
		}
		gone.lead(target)
	}
	if c.URL() != first {
		t.Errorf("%s was left for %s, and not the other way round", first, c.URL())
	}
}

// A write is never sent twice: the first server may have carried it out.
func TestAWriteThatLeftIsNotSentAgain(t *testing.T) {
	var sent atomic.Int64
	dead := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		sent.Add(1)
		panic(http.ErrAbortHandler)
	}))
	defer dead.Close()
	address, data := serve(t)
	c, err := client.New(client.Config{URL: dead.URL + ",http://" + address})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Of[api.Application](c).Create(t.Context(), application("x"))
	var u *client.UnreachableError
	if !errors.As(err, &u) || !u.Sent || sent.Load() != 1 {
		t.Errorf("sent %d times: %v", sent.Load(), err)
	}
	if records, _, err := data.List(t.Context(), "/kubernetes/"); err != nil || len(records) > 0 {
		t.Errorf("%d records, %v", len(records), err)
	}
	dead.Close()
	if _, err := client.Of[api.Application](c).Create(t.Context(), application("x")); err != nil {
		t.Errorf("a request that could not leave was not sent elsewhere: %v", err)
	}
}
