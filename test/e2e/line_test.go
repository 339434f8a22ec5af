package e2e

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/rak-n-rok/krake/api"
)

// line is a way to a cluster that can be cut: a port on this machine that leads to the cluster's API server.
type line struct {
	target  string // HOST:PORT of the API server
	address string

	mu       sync.Mutex
	listener net.Listener // nil while the line is cut
	open     map[net.Conn]bool

	flow sync.RWMutex // locked while nothing passes
}

// lineTo makes a way to a cluster, and the kubeconfig that leads over it.
func lineTo(t testing.TB, s *site) (*line, api.Kubeconfig) {
	t.Helper()
	kubeconfig := s.Kubeconfig(t)
	cluster := kubeconfig["clusters"].([]any)[0].(map[string]any)["cluster"].(map[string]any)
	server, err := url.Parse(cluster["server"].(string))
	if err != nil {
		t.Fatal(err)
	}
	l := &line{target: server.Host, address: "127.0.0.1:0", open: map[net.Conn]bool{}}
	l.mend(t)
	t.Cleanup(l.cut)
	server.Host = l.address
	cluster["server"] = server.String()
	return l, kubeconfig
}

// mend lets connections through.
func (l *line) mend(t testing.TB) {
	t.Helper()
	listener, err := net.Listen("tcp", l.address)
	if err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.listener, l.address = listener, listener.Addr().String()
	go l.serve(listener)
}

// cut ends all connections and refuses new ones.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.listener == nil {
		return
	}
	_ = l.listener.Close()
	l.listener = nil
	for c := range l.open {
		_ = c.Close()
	}
}

// freeze lets nothing pass until the returned function is called. Connections stay, and new ones are made: this is a
// cluster that does not answer, without saying so.
func (l *line) freeze() (thaw func()) {
	l.flow.Lock()
	return sync.OnceFunc(l.flow.Unlock)
}

// from reads what one side says, once it may pass.
func (l *line) from(conn net.Conn) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		n, err := conn.Read(p)
		l.flow.RLock()
		defer l.flow.RUnlock()
		return n, err
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func (l *line) serve(listener net.Listener) {
	for {
		near, err := listener.Accept()
		if err != nil {
			return
		}
		go l.join(near)
	}
}

// join passes on what either side says until one of them ends.
func (l *line) join(near net.Conn) {
	far, err := net.Dial("tcp", l.target)
	if err != nil {
		_ = near.Close()
		return
	}
	if !l.hold(near, far) {
		return
	}
	defer l.drop(near, far)
	done := make(chan struct{}, 2)
	pass := func(to, from net.Conn) {
		_, _ = io.Copy(to, l.from(from))
		done <- struct{}{}
	}
	go pass(far, near)
	go pass(near, far)
	<-done
}

func (l *line) hold(conns ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range conns {
		if l.listener == nil {
			_ = c.Close()
			continue
		}
		l.open[c] = true
	}
	return l.listener != nil
}

func (l *line) drop(conns ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
		delete(l.open, c)
	}
}
