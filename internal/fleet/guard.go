package fleet

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// guardAttempts bounds how often a request starts again because it got a connection of which nothing was known yet.
const guardAttempts = 5

// guard makes sure that every request is answered by the cluster that is meant. An address may lead to another cluster
// each time a connection is made, so what is known of the cluster at the other end is known of connections: the first
// request over a new one is always for the identity. What was read over an unknown connection is read again, and of
// what would be written nothing but headers leaves this process, with which no server can do anything.
type guard struct {
	next http.RoundTripper
	// identify reads the identity over whatever connection it gets and vouches for that one. It fails if the cluster is
	// another one than before.
	identify func(context.Context) error
	// round is the number of the trust in force. Connections that were vouched for in an earlier one are unknown.
	round atomic.Int64
}

// conn is a connection that remembers in which round it was vouched for.
type conn struct {
	net.Conn
	vouched atomic.Int64
}

// distrust makes all connections unknown again.
func (g *guard) distrust() { g.round.Add(1) }

func (g *guard) knows(c *conn) bool { return c != nil && c.vouched.Load() == g.round.Load() }

// RoundTrip sends a request over a connection that is known to lead to the right cluster.
func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close() // attempts have copies
	}
	if r.Method != http.MethodGet && r.GetBody == nil {
		return nil, errUnguarded
	}
	for range guardAttempts {
		attempt := &attempt{guard: g}
		response, err := g.next.RoundTrip(attempt.of(r))
		c := attempt.conn.Load()
		if c == nil || g.knows(c) && !attempt.withheld.Load() {
			return response, err
		}
		if response != nil {
			_ = response.Body.Close()
		}
		if err := g.identify(r.Context()); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("the connections to the cluster do not last")
}

// errUnguarded is a mistake of this package: only a body can be withheld.
var errUnguarded = errors.New("a request that may change something needs a body that can be read again")

// isAnswer recognises the guard's errors that come from an answer of a cluster.
func isAnswer(err error) bool {
	var (
		wrong *IdentityError
		known *TransientError
	)
	return errors.As(err, &wrong) || errors.As(err, &known)
}

// attempt is one try to send a request.
type attempt struct {
	guard    *guard
	conn     atomic.Pointer[conn]
	withheld atomic.Bool
}

// of returns a copy of the request that tells which connection it got, and whose body is for known connections only.
func (a *attempt) of(r *http.Request) *http.Request {
	out := r.Clone(traced(r.Context(), &a.conn))
	if r.GetBody == nil {
		return out
	}
	out.GetBody = func() (io.ReadCloser, error) {
		body, err := r.GetBody()
		return &guardedBody{body, a}, err
	}
	out.Body, _ = out.GetBody() // fails no more than http.NewRequest did
	return out
}

// guardedBody is a body that is not read for a connection of which nothing is known.
type guardedBody struct {
	io.ReadCloser
	attempt *attempt
}

var errWithheld = errors.New("the connection leads to a cluster of which nothing is known yet")

func (b *guardedBody) Read(p []byte) (int, error) {
	if !b.attempt.guard.knows(b.attempt.conn.Load()) {
		b.attempt.withheld.Store(true)
		return 0, errWithheld
	}
	return b.ReadCloser.Read(p)
}

// traced returns a context under which a request notes the connection that it got.
func traced(ctx context.Context, got *atomic.Pointer[conn]) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { got.Store(innermost(info.Conn)) },
	})
}

// innermost finds our connection below the layers of TLS.
func innermost(c net.Conn) *conn {
	for {
		switch layer := c.(type) {
		case *conn:
			return layer
		case interface{ NetConn() net.Conn }:
			c = layer.NetConn()
		default:
			return nil
		}
	}
}
