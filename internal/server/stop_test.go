package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/rak-n-rok/krake/internal/server"
)

// begin serves in a directory; end stops it and says how that went.
func begin(t *testing.T, dir string) (url string, end func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ready := make(chan string, 1)
	var running errgroup.Group
	running.Go(func() error {
		defer close(ready)
		return server.Run(ctx, server.Config{Listen: "127.0.0.1:0", DataDir: dir, UnsafeNoFsync: true,
			Log: slog.New(slog.DiscardHandler)}, func(address string) { ready <- "http://" + address })
	})
	return <-ready, func() error { cancel(); return running.Wait() }
}

const providers = "/core/globalmetricsproviders"

func provider(name string) *strings.Reader {
	return strings.NewReader(`{"metadata": {"name": "` + name + `"}, "spec": {"type": "prometheus", "prometheus": {"url": "http://127.0.0.1:1"}}}`)
}

// While many write, the server stops and starts again. What was acknowledged is there afterwards, and no request that was
// begun is answered by an error.
func TestAStopLosesNoWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	url, end := begin(t, dir)
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	enough := make(chan struct{})
	var writers errgroup.Group
	for w := range 16 {
		writers.Go(func() error {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			for i := 0; ; i++ {
				name := fmt.Sprintf("w%d-%d", w, i)
				resp, err := (&http.Client{Transport: transport}).Post(url+providers, "application/json", provider(name))
				if err != nil {
					return nil // there is no server any more
				}
				answer, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if err != nil || resp.StatusCode != http.StatusOK {
					return fmt.Errorf("%s: %s %s %v", name, resp.Status, answer, err)
				}
				mu.Lock()
				acknowledged[name] = true
				if len(acknowledged) == 500 {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	<-enough
	if err := end(); err != nil {
		t.Error(err)
	}
	if err := writers.Wait(); err != nil {
		t.Error(err)
	}
	url, end = begin(t, dir)
	var list struct {
		Items []struct{ Metadata struct{ Name string } }
	}
	if err := json.NewDecoder(bytes.NewReader(get(t, url+providers))).Decode(&list); err != nil {
		t.Fatal(err)
	}
	for _, item := range list.Items {
		delete(acknowledged, item.Metadata.Name)
	}
	if len(acknowledged) > 0 {
		t.Errorf("%d acknowledged writes are lost", len(acknowledged))
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

// A watch that can be resumed ends with a cursor that is behind everything else that was written, and a request that waits
// for a state is answered.
func TestAStopEndsWhatWaits(t *testing.T) {
	url, end := begin(t, filepath.Join(t.TempDir(), "data"))
	watch, err := http.Get(url + providers + "?watch&heartbeat=0&resource_version=")
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Body.Close()
	const apps = "/kubernetes/namespaces/testing/applications"
	post := func(path string, body io.Reader) []byte {
		t.Helper()
		resp, err := http.Post(url+path, "application/json", body)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		data, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s %s %v", resp.Status, data, err)
		}
		return data
	}
	post(providers, provider("p"))
	lines := bufio.NewScanner(watch.Body)
	if !lines.Scan() || !strings.Contains(lines.Text(), "ADDED") {
		t.Fatalf("%s %v", lines.Text(), lines.Err())
	}
	var app struct {
		Metadata struct {
			Version string `json:"resource_version"`
		}
		Status struct{ State string }
	}
	manifest, err := json.Marshal(settings())
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(post(apps, bytes.NewReader(manifest)), &app); err != nil {
		t.Fatal(err)
	}
	waiting := make(chan error, 1)
	begun := make(chan struct{})
	go func() {
		close(begun)
		resp, err := http.Post(url+apps+"?blocking=running", "application/json", strings.NewReader(strings.Replace(string(manifest), `"settings"`, `"others"`, 1)))
		if err == nil {
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				err = fmt.Errorf("the request that waits is answered %s", resp.Status)
			}
		}
		waiting <- err
	}()
	<-begun
	for !bytes.Contains(get(t, url+apps), []byte(`"others"`)) { // it is stored, so it waits for its state now
	}
	if err := end(); err != nil {
		t.Error(err)
	}
	if err := <-waiting; err != nil {
		t.Error(err)
	}
	last := ""
	for lines.Scan() {
		last = lines.Text()
	}
	var bookmark struct{ Type, Cursor string }
	if err := json.Unmarshal([]byte(last), &bookmark); err != nil || bookmark.Type != "BOOKMARK" {
		t.Fatalf("the watch ends with %q: %v", last, err)
	}
	if bookmark.Cursor <= app.Metadata.Version && len(bookmark.Cursor) <= len(app.Metadata.Version) {
		t.Errorf("the cursor %s is before the write %s", bookmark.Cursor, app.Metadata.Version)
	}
}
