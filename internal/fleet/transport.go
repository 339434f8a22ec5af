package fleet

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/client-go/rest"
)

const (
	dialTimeout = 5 * time.Second
	// pingAfter and pingTimeout bound how long a connection may be dead unnoticed, and so how stale an informer may be
	// without saying so.
	pingAfter   = 15 * time.Second
	pingTimeout = 10 * time.Second
	// patience is how long a request must have waited in vain for its deadline to speak against the cluster, not
	// against the caller.
	patience = 2 * time.Second
)

// gate stands before every request to one cluster, those of discovery and informers included: it keeps the rate, and
// keeps silent towards a cluster that does not answer.
type gate struct {
	next    http.RoundTripper
	breaker *breaker
	limiter atomic.Pointer[rate.Limiter] // shared by all connections to one identity once that is known
}

// RoundTrip sends a request when breaker and limiter allow it.
func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	p, err := g.breaker.enter()
	if err != nil {
		return nil, err
	}
	if err := g.limiter.Load().Wait(r.Context()); err != nil {
		g.breaker.abandoned(p)
		return nil, &limitError{err}
	}
	started := time.Now()
	response, err := g.next.RoundTrip(r)
	givenUp := r.Context().Err()
	switch {
	case err == nil || isAnswer(err):
		g.breaker.answered(p)
	case errors.Is(givenUp, context.Canceled) || givenUp != nil && time.Since(started) < patience:
		g.breaker.abandoned(p)
	default:
		g.breaker.failed(p, err)
	}
	return response, err
}

// limitError says that a request waited for its turn for too long.
type limitError struct{ cause error }

func (e *limitError) Error() string {
	return "too many requests to this cluster at once: " + e.cause.Error()
}
func (e *limitError) Unwrap() error { return e.cause }

// dialer makes connections that can be vouched for, and counts them.
type dialer struct {
	net.Dialer
	made atomic.Int64
}

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.made.Add(1)
	return &conn{Conn: c}, nil
}

// newTransport makes a transport of our own for a configuration. client-go would share one for all configurations with
// the same certificates, and keep it for ever.
func newTransport(config *rest.Config, d *dialer, timeout time.Duration) (*http.Transport, error) {
	tls, err := rest.TLSConfigFor(config)
	if err != nil {
		return nil, &KubeconfigError{"the certificates do not fit together"}
	}
	d.Timeout = dialTimeout
	return &http.Transport{
		Proxy:                 config.Proxy,
		DialContext:           d.dial,
		TLSClientConfig:       tls,
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: timeout,
		MaxIdleConnsPerHost:   32, // where HTTP/2 is not spoken
		IdleConnTimeout:       90 * time.Second,
		DisableCompression:    config.DisableCompression,
		ForceAttemptHTTP2:     true,
		HTTP2:                 &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
	}, nil
}
