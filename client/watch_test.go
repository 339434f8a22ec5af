package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

// seen is one event, as far as a test compares it.
type seen struct {
	kind    client.EventType
	name    string
	version string
}

func of(e client.Event[*api.Application]) seen {
	return seen{e.Type, e.Object.Metadata.Name, e.Object.Metadata.ResourceVersion}
}

var errEnough = errors.New("enough")

// until returns a handler that collects events until one of this name.
func until(name string, events *[]seen) func(client.Event[*api.Application]) error {
	return func(e client.Event[*api.Application]) error {
		if e.Object.Metadata.Name == name {
			return errEnough
		}
		*events = append(*events, of(e))
		return nil
	}
}

func TestAWatchSurvivesItsConnections(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	address, _ := serve(t)
	direct := client.Of[api.Application](connect(t, address))
	p := between(t, address)
	_, from, err := direct.List(ctx, "")
	if err != nil {
		t.Fatal(err)
	}

	var got, want []seen
	var watching errgroup.Group
	watching.Go(func() error {
		return client.Of[api.Application](connect(t, p.address())).Watch(ctx, "", from, until("end", &got))
	})
	for i := range 60 {
		name := fmt.Sprint("a", i)
		created, err := direct.Create(ctx, application(name))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, seen{client.Added, name, created.Metadata.ResourceVersion})
		changed, err := direct.Patch(ctx, created, map[string]any{"spec": map[string]any{"backoff": i + 2}})
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, seen{client.Modified, name, changed.Metadata.ResourceVersion})
		if i%5 == 0 {
			p.cut()
		}
		if i%20 == 0 { // while nobody is connected, too
			carried := p.connections()
			eventually(t, "a new connection", func() bool { return p.connections() > carried })
		}
	}
	if _, err := direct.Create(ctx, application("end")); err != nil {
		t.Fatal(err)
	}
	if err := watching.Wait(); !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	for i := range max(len(want), len(got)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("event %d differs: %d events came, %d were expected", i, len(got), len(want))
		}
	}
	if p.connections() < 3 {
		t.Errorf("there were only %d connections", p.connections())
	}
}

func TestAWatchIsLimitedToItsNamespace(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	address, _ := serve(t)
	apps := client.Of[api.Application](connect(t, address))
	_, from, err := apps.List(ctx, "solar")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"elsewhere", "here", "end"} {
		a := application(name)
		if name == "elsewhere" {
			namespace := "wind"
			a.Metadata.Namespace = &namespace
		}
		if _, err := apps.Create(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	var got []seen
	if err := apps.Watch(ctx, "solar", from, until("end", &got)); !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].name != "here" {
		t.Errorf("%v", got)
	}
}

// TestAWatchOfDocuments gives the objects as they are on the wire, and only those that are selected.
func TestAWatchOfDocuments(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	address, _ := serve(t)
	c := connect(t, address)
	apps := client.Of[api.Application](c)
	_, from, err := apps.List(ctx, "solar")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"other", "here"} {
		if _, err := apps.Create(ctx, application(name)); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	err = client.OfKind(c, api.ApplicationKind).WatchDocuments(ctx, client.DocumentWatch{
		Namespace: "solar", From: from, Select: url.Values{"field_selector": {"metadata.name=here"}}, Lost: func(error) {},
		Handle: func(e client.Event[json.RawMessage]) error {
			got = append(got, string(e.Type)+" "+string(e.Object))
			return errEnough
		},
	})
	if !errors.Is(err, errEnough) || len(got) != 1 || !strings.HasPrefix(got[0], `ADDED {"api":"kubernetes"`) || !strings.Contains(got[0], `"name":"here"`) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestWhatEndsAWatch(t *testing.T) {
	address, _ := serve(t)
	apps := client.Of[api.Application](connect(t, address))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	nothing := func(client.Event[*api.Application]) error { return nil }

	if err := apps.Watch(ctx, "", "999999", nothing); !client.Expired(err) {
		t.Errorf("a version that the server does not know: %v", err)
	}
	var p *api.Problem
	if err := apps.Watch(ctx, "", "soon", nothing); !errors.As(err, &p) || p.Status != 422 {
		t.Errorf("a version that is none: %v", err)
	}
	ended, end := context.WithCancel(ctx)
	end()
	if err := apps.Watch(ended, "", "", nothing); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
}

// Servers fail while they start and stop; a watch outlives that, and asks no more often than it makes sense.
func TestAWatchOutlivesFailuresOfTheServer(t *testing.T) {
	address, _ := serve(t)
	var asked atomic.Int64
	failing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) <= 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		r2, _ := http.NewRequestWithContext(r.Context(), r.Method, "http://"+address+r.URL.String(), nil)
		resp, err := http.DefaultClient.Do(r2)
		if err != nil {
			return
		}
		defer resp.Body.Close()
		w.WriteHeader(resp.StatusCode)
		line := make([]byte, 1<<16)
		for {
			n, err := resp.Body.Read(line)
			_, _ = w.Write(line[:n])
			_ = http.NewResponseController(w).Flush()
			if err != nil {
				return
			}
		}
	}))
	t.Cleanup(failing.Close)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	direct := client.Of[api.Application](connect(t, address))
	_, from, err := direct.List(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	var got []seen
	var watching errgroup.Group
	watching.Go(func() error {
		return client.Of[api.Application](connect(t, strings.TrimPrefix(failing.URL, "http://"))).Watch(ctx, "", from, until("end", &got))
	})
	if _, err := direct.Create(ctx, application("end")); err != nil {
		t.Fatal(err)
	}
	if err := watching.Wait(); !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 175*time.Millisecond { // 50, 100 and 200 ms, of which up to half is left to chance
		t.Errorf("three failures were got over in %s", took)
	}
}

// A server may have nothing to tell but that time went by, and may have to end a watch that it cannot go on with.
func TestAWatchFollowsBookmarksAndErrors(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Query().Get("resource_version"))
		lines := []string{
			"\n" + `{"type":"BOOKMARK","cursor":"8","object":null}`,
			`{"type":"BOOKMARK","cursor":"9.1","object":null}` + "\n",
			`{"type":"ERROR","object":{"type":"about:blank","status":410,"detail":"410: Gone"}}`,
		}
		_, _ = fmt.Fprintln(w, lines[len(asked)-1])
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := client.Of[api.Application](connect(t, strings.TrimPrefix(server.URL, "http://"))).Watch(ctx, "", "7", func(e client.Event[*api.Application]) error {
		return fmt.Errorf("got %v", e)
	})
	if !client.Expired(err) {
		t.Errorf("%v", err)
	}
	if !slices.Equal(asked, []string{"7", "8", "9.1"}) {
		t.Errorf("resumed from %v", asked)
	}
}

// strange is an application that only newer clients can read, on a server that newer stands in front of.
func strange(name string) *api.Application {
	a := application(name)
	a.Spec.StorageMigration = "new"
	return a
}

// What a newer server says in its own way must not hide what it says of everything else.
func TestWhatCannotBeReadIsLeftOut(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	address, _ := serve(t)
	direct := client.Of[api.Application](connect(t, address))
	apps := client.Of[api.Application](connect(t, newer(t, address)))
	_, from, err := direct.List(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []*api.Application{application("a"), strange("b"), application("c"), strange("d")} {
		if _, err := direct.Create(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	list, version, err := apps.List(ctx, "")
	if err != nil || len(list) != 2 || list[0].Metadata.Name != "a" || list[1].Metadata.Name != "c" || version == "" {
		t.Errorf("%d objects at %q, %v", len(list), version, err)
	}
	if _, err := apps.Get(ctx, "solar", "b"); err == nil || !strings.Contains(err.Error(), "Application solar/b cannot be read") {
		t.Errorf("%v", err)
	}
	if _, err := direct.Create(ctx, application("end")); err != nil {
		t.Fatal(err)
	}
	var got []seen
	if err := apps.Watch(ctx, "", from, until("end", &got)); !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].name != "a" || got[1].name != "c" {
		t.Errorf("%v", got)
	}
}

// storm writes objects of few names at random until it has done so many writes.
func storm(ctx context.Context, apps client.Set[api.Application, *api.Application], number int, random *rand.Rand) error {
	for range number {
		name := fmt.Sprint("a", random.IntN(8))
		var err error
		switch random.IntN(5) {
		case 0, 1:
			_, err = apps.Create(ctx, application(name))
		case 2:
			_, err = apps.Delete(ctx, "solar", name, client.DeleteOptions{Force: true})
		default:
			a, getErr := apps.Get(ctx, "solar", name)
			if err = getErr; err == nil {
				_, err = apps.PatchStatus(ctx, a, map[string]any{"status": map[string]any{"retries": random.IntN(1000)}})
			}
		}
		if err != nil && !client.NotFound(err) && !client.Exists(err) && !client.Conflict(err) {
			return err
		}
	}
	return nil
}
