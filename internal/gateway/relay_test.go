package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api/channel"
)

// relayed runs a relay between a client and something that says nothing, under a context. It returns the client's end, and
// what is closed when the relay has ended, with everything that it started.
func relayed(t *testing.T, ctx context.Context, idle time.Duration, down func(context.Context, *relay) error) (*channel.Conn, <-chan struct{}) {
	t.Helper()
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(over)
		conn, err := channel.Accept(w, r)
		if err != nil {
			t.Error(err)
			return
		}
		relay, dropped := newRelay(conn, idle), make(chan struct{})
		relay.run(ctx, func() { close(dropped) }, func(ctx context.Context) error {
			for {
				if _, _, err := relay.receive(ctx); err != nil {
					return err
				}
			}
		}, func(ctx context.Context) error {
			if down != nil {
				return down(ctx, relay)
			}
			<-dropped
			return errors.New("dropped")
		})
		<-dropped // a second close would have panicked
	}))
	t.Cleanup(server.Close)
	conn, _, err := channel.Dial(t.Context(), server.URL, nil, server.Client(), channel.V5)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Drop)
	return conn, over
}

func TestARelayTellsWhyItEnds(t *testing.T) {
	stopped, stop := context.WithCancel(t.Context())
	stop()
	late, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, errLongest)
	defer cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		idle time.Duration
		down func(context.Context, *relay) error
		want string // empty for the regular end
	}{
		"nothing moves":           {t.Context(), 10 * time.Millisecond, nil, "nothing has moved for 10ms"},
		"the server stops":        {stopped, time.Hour, nil, "the server is stopping"},
		"it has lasted too long":  {late, time.Hour, nil, errLongest.Error()},
		"the other side has done": {t.Context(), time.Hour, func(context.Context, *relay) error { return errOver }, ""},
		"the other side is lost":  {t.Context(), time.Hour, func(context.Context, *relay) error { return errors.New("lost") }, "lost"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, over := relayed(t, c.ctx, c.idle, c.down)
			_, err := conn.Receive(t.Context())
			var closed *channel.ClosedError
			switch {
			case c.want == "" && !errors.Is(err, io.EOF):
				t.Error(err)
			case c.want != "" && (!errors.As(err, &closed) || closed.Reason != c.want):
				t.Errorf("%v, want %q", err, c.want)
			}
			<-over
		})
	}
}

// A client that goes away takes what was done for it along.
func TestARelayEndsWithItsClient(t *testing.T) {
	conn, over := relayed(t, t.Context(), time.Hour, nil)
	conn.Drop()
	<-over
}
