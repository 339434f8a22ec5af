package client

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/rak-n-rok/krake/api/channel"
)

// Stream sends a request and returns the body of the answer as it comes, until ctx ends or the reader closes it. The time
// for a request bounds only the wait for the beginning. Errors are those of Do; nothing is tried again.
func (c *Client) Stream(ctx context.Context, r Request) (io.ReadCloser, error) {
	ctx, begun, cancel := c.untilBegun(ctx)
	resp, err := c.send(ctx, r)
	begun()
	if err != nil {
		cancel()
		return nil, err
	}
	return &stream{resp.Body, cancel}, nil
}

type stream struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (s *stream) Close() error {
	s.cancel()
	return s.ReadCloser.Close()
}

// untilBegun returns a context that ends when the time for a request is over and begun has not been called.
func (c *Client) untilBegun(ctx context.Context) (_ context.Context, begun func() bool, cancel context.CancelFunc) {
	ctx, cause := context.WithCancelCause(ctx)
	timer := time.AfterFunc(c.timeout, func() { cause(context.DeadlineExceeded) })
	return ctx, timer.Stop, func() { cause(nil) }
}

// Connect opens a WebSocket of messages in which exec and portforward go. The client's transport must speak HTTP/1.1.
// Errors are those of Do; nothing is tried again.
func (c *Client) Connect(ctx context.Context, r Request) (conn *channel.Conn, err error) {
	r.Method = http.MethodGet
	for range c.servers {
		server := c.at()
		conn, err = c.connectTo(ctx, c.servers[server], r)
		if !failing(err) {
			break
		}
		c.leave(server)
		if ctx.Err() != nil {
			break
		}
	}
	return conn, err
}

func (c *Client) connectTo(ctx context.Context, address string, r Request) (*channel.Conn, error) {
	req, err := c.request(ctx, address, r)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	conn, resp, err := channel.Dial(ctx, req.URL.String(), req.Header, c.http, channel.V5, channel.V4)
	switch {
	case err == nil:
		return conn, nil
	case resp == nil || resp.StatusCode == http.StatusSwitchingProtocols:
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, &UnreachableError{URL: address, Err: err}
	case resp.StatusCode < 400:
		return nil, &RedirectError{URL: address, Status: resp.StatusCode, Location: resp.Header.Get("Location")}
	}
	return nil, problem(resp)
}
