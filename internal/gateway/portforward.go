package gateway

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/channel"
)

// portForward connects a client to a port of a pod. A connection that fails on the pod's node fails after the upgrade, with
// a text on the channel for errors.
func (g *Gateway) portForward(w http.ResponseWriter, r *http.Request, app *api.Application, _ any) error {
	q := query{Values: r.URL.Query()}
	if len(q.Values["ports"]) != 1 {
		q.fail("ports", "Exactly one port is needed.")
	}
	port := uint16(q.number("ports", 0, 1, 65535))
	if q.err != nil {
		return q.err
	}
	at, pod, err := g.reach(w, r, app, true)
	if err != nil {
		return err
	}
	way, err := at.member.Forward(r.Context(), pod, port)
	if err != nil {
		return problem(at.name(), err)
	}
	conn, err := channel.Accept(w, r)
	if err != nil {
		way.Drop()
		return nil // it was answered
	}
	relay := newRelay(conn, g.idle)
	relay.run(r.Context(), way.Drop, func(ctx context.Context) error {
		for {
			to, content, err := relay.receive(ctx)
			switch {
			case err != nil:
				return err
			case to == channel.Data:
				_, err = way.Write(content)
			case to == channel.Close && len(content) == 1 && content[0] == channel.Data:
				err = way.Close()
			}
			if err != nil {
				<-ctx.Done() // the other direction says what is the matter
				return errGone
			}
		}
	}, func(ctx context.Context) error {
		for _, c := range []byte{channel.Data, channel.Error} {
			if err := relay.send(ctx, channel.Of(c, channel.Port(port))); err != nil {
				return err
			}
		}
		buffer := make([]byte, chunk)
		for {
			n, err := way.Read(buffer)
			if n > 0 {
				if err := relay.send(ctx, channel.Of(channel.Data, buffer[:n])); err != nil {
					return err
				}
			}
			if err != nil {
				break
			}
		}
		ending, cancel := context.WithTimeout(ctx, lastWords)
		defer cancel()
		if err := way.Ended(ending); err != nil && !errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			_ = relay.send(ctx, channel.Of(channel.Error, []byte(err.Error())))
			return err
		}
		return errOver
	})
	return nil
}

const (
	// chunk is how much is passed on at once, in bytes.
	chunk = 32 << 10
	// lastWords is how long a node may take to say why a connection has ended.
	lastWords = 2 * time.Second
)
