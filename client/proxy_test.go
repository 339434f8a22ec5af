package client_test

import (
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"path/filepath"
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
