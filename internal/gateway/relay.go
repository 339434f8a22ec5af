package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rak-n-rok/krake/api/channel"
)

// Why a stream ends although both of its ends would go on.
var (
	errLongest = errors.New("a stream may not last longer than this")
	errGone    = errors.New("the client is gone")
	errOver    = errors.New("nothing more comes")
)

// upgrades makes sure that a request asks for a WebSocket, before anything is begun for it.
func upgrades(w http.ResponseWriter, r *http.Request) error {
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") && r.Header.Get("Sec-WebSocket-Version") == "13" &&
		r.Header.Get("Sec-WebSocket-Key") != "" && r.ProtoMajor == 1 {
		return nil
	}
	w.Header().Set("Upgrade", "websocket")
	return told(http.StatusUpgradeRequired, "this is a WebSocket with the protocol %s", channel.V5)
}

// A relay passes messages on between a client and something on a cluster, until one of them ends.
type relay struct {
	conn  *channel.Conn
	idle  time.Duration
	moved atomic.Int64 // when something was last passed on, in nanoseconds of the clock
}

func newRelay(conn *channel.Conn, idle time.Duration) *relay {
	r := &relay{conn: conn, idle: idle}
	r.touch()
	return r
}

func (r *relay) touch() { r.moved.Store(time.Now().UnixNano()) }

// run passes on until up or down ends, ctx ends, or nothing has moved for too long, and closes the connection to the
// client. up reads from it and ends with errGone; down writes to it and ends with errOver. Both end with their contexts,
// and when drop has been called.
func (r *relay) run(ctx context.Context, drop func(), up, down func(context.Context) error) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx)) // the client is to be told why it ends
	defer cancel()
	ended := make(chan error, 2)
	var working errgroup.Group
	for _, pass := range []func(context.Context) error{up, down} {
		working.Go(func() error { ended <- pass(work); return nil })
	}
	working.Go(func() error { r.conn.KeepAlive(work); return nil })
	err := r.await(ctx, ended)
	drop()
	switch {
	case errors.Is(err, errGone):
		r.conn.Drop()
	case errors.Is(err, errOver):
		r.conn.End("")
	default:
		r.conn.End(err.Error())
	}
	cancel()
	_ = working.Wait()
}

func (r *relay) await(ctx context.Context, ended <-chan error) error {
	for {
		rest := time.Until(time.Unix(0, r.moved.Load()).Add(r.idle))
		if rest <= 0 {
			return fmt.Errorf("nothing has moved for %s", r.idle)
		}
		timer := time.NewTimer(rest)
		select {
		case err := <-ended:
			timer.Stop()
			return err
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			if context.Cause(ctx) == errLongest {
				return errLongest
			}
			return errors.New("the server is stopping")
		}
	}
}

// receive reads a message of the client.
func (r *relay) receive(ctx context.Context) (to byte, content []byte, err error) {
	message, err := r.conn.Receive(ctx)
	if err != nil {
		return 0, nil, errGone
	}
	r.touch()
	return channel.Split(message)
}

// send passes a message on to the client.
func (r *relay) send(ctx context.Context, message []byte) error {
	if err := r.conn.Send(ctx, message); err != nil {
		return errGone
	}
	r.touch()
	return nil
}
