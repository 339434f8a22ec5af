package conformance

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/internal/apiserver"
	"github.com/rak-n-rok/krake/test/conformance/closed"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// A stream is a watch that a test reads line by line.
type stream struct {
	kind   string
	header http.Header
	lines  chan string // without the line end; closed when the server ended the stream
	close  func()
}

// watch opens a watch; when it returns, the server has answered the header.
func (s *server) watch(t testing.TB, path string) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(resp.Body)
		t.Fatalf("%s answered %d %s", path, resp.StatusCode, body)
	}
	kind, _ := kindOfPath(path)
	w := &stream{kind: kind, header: resp.Header, lines: make(chan string, 1<<12)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(w.lines)
		defer resp.Body.Close()
		for lines := bufio.NewReader(resp.Body); ; {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			w.lines <- strings.TrimSuffix(line, "\n")
		}
	}()
	w.close = func() { cancel(); <-done }
	t.Cleanup(w.close)
	return w
}

// beside serves what a server stores a second time, with options of its own, and tells of every request that has ended.
func (s *server) beside(t *testing.T, o apiserver.Options) (address string, ended chan string) {
	t.Helper()
	o.Store, o.Log = s.data, slog.New(slog.DiscardHandler)
	served, ended := apiserver.New(o), make(chan string, 16)
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served.ServeHTTP(w, r)
		ended <- r.URL.Path
	}))
	t.Cleanup(func() {
		h.CloseClientConnections()
		h.Close()
	})
	return h.Listener.Addr().String(), ended
}

// A dialog is a connection on which a test speaks HTTP by itself: nothing is read that it does not read.
type dialog struct {
	net.Conn
	in *bufio.Reader
}

func dial(t *testing.T, address string) *dialog {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &dialog{conn, bufio.NewReaderSize(conn, 1<<10)}
}

// say sends a request.
func (d *dialog) say(t *testing.T, method, path, body string) {
	t.Helper()
	_, err := fmt.Fprintf(d, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", method, path, d.RemoteAddr(), len(body), body)
	if err != nil {
		t.Fatal(err)
	}
}

// until reads to a line, and returns it.
func (d *dialog) until(t *testing.T, is func(line string) bool) string {
	t.Helper()
	for {
		if err := d.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		line, err := d.in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line = strings.TrimSuffix(line, "\r\n"); is(line) {
			return line
		}
	}
}

// line returns the next line, whatever it is.
func (w *stream) line(t tb) string {
	t.Helper()
	select {
	case line, ok := <-w.lines:
		if !ok {
			t.Fatalf("the watch has ended")
		}
		return line
	case <-time.After(patience):
		t.Fatalf("no line came")
	}
	return ""
}

// An event is a line of a watch that is not empty.
type event struct {
	Type   string
	Cursor string
	Object document
}

// next returns the next event, and checks that an old client can read it.
func (w *stream) next(t tb) event {
	t.Helper()
	for {
		line := w.line(t)
		if line == "" {
			continue
		}
		var e event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if e.Type != "BOOKMARK" && e.Type != "ERROR" && closed.Known(w.kind) {
			if err := closed.Check(w.kind+"Event", []byte(line)); err != nil {
				t.Errorf("an old client cannot read the line %s: %v", line, err)
			}
		}
		return e
	}
}

// change returns the next event that is no bookmark.
func (w *stream) change(t tb) event {
	t.Helper()
	for {
		if e := w.next(t); e.Type != "BOOKMARK" {
			return e
		}
	}
}

// want fails the test unless the next event is of this type and about this object.
func (w *stream) want(t tb, kind, name string) event {
	t.Helper()
	e := w.change(t)
	if e.Type != kind || e.Object.text("metadata.name") != name {
		t.Fatalf("got %s of %q, want %s of %q", e.Type, e.Object.text("metadata.name"), kind, name)
	}
	return e
}
