//go:build crash

package crash

import (
	"io"
	"net"
	"sync"
)

// link is the way from the server to the API of a cluster. It can be cut, as networks are.
type link struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	isCut bool
	open  map[net.Conn]bool
}

// newLink opens a way to target, which ends with close.
func newLink(target string) (*link, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &link{listener: listener, target: target, open: map[net.Conn]bool{}}
	go l.serve()
	return l, nil
}

func (l *link) address() string { return l.listener.Addr().String() }

func (l *link) serve() {
	for {
		in, err := l.listener.Accept()
		if err != nil {
			return // closed
		}
		go l.carry(in)
	}
}

// carry copies in both directions until one side ends or the link is cut.
func (l *link) carry(in net.Conn) {
	out, err := net.Dial("tcp", l.target)
	if err != nil {
		in.Close()
		return
	}
	if !l.add(in, out) {
		return
	}
	var both sync.WaitGroup
	for _, c := range []struct{ to, from net.Conn }{{in, out}, {out, in}} {
		both.Go(func() {
			_, _ = io.Copy(c.to, c.from)
			l.drop(in, out)
		})
	}
	both.Wait()
}

func (l *link) add(conns ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range conns {
		if l.isCut {
			c.Close()
		} else {
			l.open[c] = true
		}
	}
	return !l.isCut
}

func (l *link) drop(conns ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range conns {
		c.Close()
		delete(l.open, c)
	}
}

// cut ends all connections and lets no new ones through.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isCut = true
	for c := range l.open {
		c.Close()
	}
	clear(l.open)
}

// mend lets connections through again.
func (l *link) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isCut = false
}

func (l *link) close() {
	l.listener.Close()
	l.cut()
}
