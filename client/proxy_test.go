package client_test

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/apiserver"
	"github.com/rak-n-rok/krake/internal/store"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

var quiet = slog.New(slog.DiscardHandler)

// serve runs a real API with a store of its own and returns its address.
func serve(t testing.TB) (address string, data *store.Store) {
	t.Helper()
	data, err := store.Open(t.Context(), store.Options{Dir: filepath.Join(t.TempDir(), "data"), UnsafeNoFsync: true, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(apiserver.New(apiserver.Options{Store: data, Log: quiet}))
	t.Cleanup(func() {
		h.CloseClientConnections()
		if err := data.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		h.Close()
	})
	return h.Listener.Addr().String(), data
}

// connect returns a client of what is at an address.
func connect(t testing.TB, address string) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{URL: "http://" + address, UserAgent: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A proxy carries connections to a server and can break them.
type proxy struct {
	listener net.Listener
	mu       sync.Mutex
	target   string // empty: connections are closed at once
	conns    map[net.Conn]bool
	carried  int // connections so far
	refused  int // and those that led nowhere
}

// between runs a proxy in front of an address until the test ends.
func between(t testing.TB, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: target, conns: map[net.Conn]bool{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go p.carry(conn)
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
		p.lead("")
	})
	return p
}

func (p *proxy) address() string { return p.listener.Addr().String() }

func (p *proxy) carry(in net.Conn) {
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	out, err := net.Dial("tcp", target)
	if err != nil {
		p.mu.Lock()
		p.refused++
		p.mu.Unlock()
		_ = in.Close()
		return
	}
	p.mu.Lock()
	p.conns[in], p.conns[out] = true, true
	p.carried++
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(out, in); _ = out.Close(); _ = in.Close() })
	both.Go(func() { _, _ = io.Copy(in, out); _ = out.Close(); _ = in.Close() })
	both.Wait()
	p.mu.Lock()
	delete(p.conns, in)
	delete(p.conns, out)
	p.mu.Unlock()
}

// cut breaks all connections there are; new ones are carried.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close()
	}
}

// lead carries new connections to another address, none if it is empty, and breaks the others.
func (p *proxy) lead(target string) {
	p.mu.Lock()
	p.target = target
	p.mu.Unlock()
	p.cut()
}

func (p *proxy) connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.carried
}

func (p *proxy) refusals() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refused
}

// newer stands in front of a server like one of a newer version: what is stored as "new" has a type there that the client
// does not know.
func newer(t testing.TB, target string) (address string) {
	t.Helper()
	h := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: target})
			r.Out.Host = target
		},
		FlushInterval: -1,
		ModifyResponse: func(resp *http.Response) error {
			resp.Header.Del("Content-Length")
			resp.ContentLength = -1
			resp.Body = struct {
				io.Reader
				io.Closer
			}{&rewriter{in: bufio.NewReader(resp.Body)}, resp.Body}
			return nil
		},
	})
	t.Cleanup(func() {
		h.CloseClientConnections()
		h.Close()
	})
	return h.Listener.Addr().String()
}

// A rewriter reads line by line, and changes what is "new".
type rewriter struct {
	in   *bufio.Reader
	rest []byte
}

func (r *rewriter) Read(p []byte) (int, error) {
	var err error
	if len(r.rest) == 0 {
		r.rest, err = r.in.ReadBytes('\n')
		r.rest = bytes.ReplaceAll(r.rest, []byte(`"storage_migration":"new"`), []byte(`"storage_migration":{"mode":7}`))
	}
	n := copy(p, r.rest)
	if r.rest = r.rest[n:]; len(r.rest) > 0 {
		err = nil
	}
	return n, err
}

// A journal is a log that several goroutines write.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// count is how often a text was logged.
func (j *journal) count(text string) int { return strings.Count(j.String(), text) }

// application returns a small application to create.
func application(name string) *api.Application {
	a := api.New[api.Application]()
	namespace := "solar"
	a.Metadata.Name, a.Metadata.Namespace = name, &namespace
	a.Spec.Manifest = api.Manifest{{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "panel"}}}
	return a
}

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come to pass", what)
		}
	}
}
