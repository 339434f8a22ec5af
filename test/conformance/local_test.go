package conformance

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/apiserver"
	"github.com/rak-n-rok/krake/internal/store"
)

// local gives an API without a listener.
func local(t *testing.T) *apiserver.Server {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	st, err := store.Open(t.Context(), store.Options{Dir: filepath.Join(t.TempDir(), "data"), UnsafeNoFsync: true, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return apiserver.New(apiserver.Options{Store: st, Log: quiet})
}

func TestComponentsInTheProcessHaveNamesOfTheirOwn(t *testing.T) {
	s := local(t)
	me := func(transport http.RoundTripper, header string) string {
		req, err := http.NewRequest(http.MethodGet, "http://krake.internal/me", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", header)
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %v", resp.Status, err)
		}
		return parse(t, body).text("user")
	}
	for _, name := range []string{"system:scheduler", "system:gc"} {
		if got := me(s.Local(name), "system:admin"); got != name {
			t.Errorf("%s is taken for %s", name, got)
		}
	}
}

// What works over the network works in the process, by the same client.
func TestAClientInTheProcess(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s := local(t)
	c, err := client.New(client.Config{URL: "http://krake.internal", Transport: s.Local("system:scheduler")})
	if err != nil {
		t.Fatal(err)
	}
	objects := client.Of[api.Application](c)
	_, from, err := objects.List(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	var seen []client.EventType
	var watching errgroup.Group
	watching.Go(func() error {
		return objects.Watch(ctx, "", from, func(e client.Event[*api.Application]) error {
			if seen = append(seen, e.Type); len(seen) == 3 {
				return enough
			}
			return nil
		})
	})
	namespace := "solar"
	a := api.New[api.Application]()
	a.Metadata.Name, a.Metadata.Namespace = "x", &namespace
	a.Spec.Manifest = api.Manifest{{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": strings.Repeat("n", 100_000)}}}
	created, err := objects.Create(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := objects.Create(ctx, a); !client.Exists(err) {
		t.Errorf("created twice: %v", err)
	}
	if _, err := objects.PatchStatus(ctx, created, map[string]any{"status": map[string]any{"retries": 1}}); err != nil {
		t.Fatal(err)
	}
	if _, err := objects.Delete(ctx, "solar", "x", client.DeleteOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	if err := watching.Wait(); !errors.Is(err, enough) {
		t.Fatal(err)
	}
	if len(seen) != 3 || seen[0] != client.Added || seen[1] != client.Modified || seen[2] != client.Deleted {
		t.Errorf("%v", seen)
	}
}

// A watch in the process ends with its caller; nothing of it stays behind.
func TestAWatchInTheProcessEndsWithItsCaller(t *testing.T) {
	s := local(t)
	for _, path := range []string{"/kubernetes/applications?watch&heartbeat=0", "/kubernetes/applications?watch&heartbeat=1&resource_version="} {
		ctx, cancel := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://krake.internal"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := s.Local("system:gc").RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = io.Copy(io.Discard, resp.Body)
		}()
		cancel()
		select {
		case <-ended:
		case <-time.After(patience):
			t.Errorf("%s goes on", path)
		}
		_ = resp.Body.Close()
	}
}
