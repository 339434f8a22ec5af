package gateway

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/fleet"
)

// Options say what a Gateway works with. Client, Fleet and Log are needed.
type Options struct {
	Client *client.Client
	Fleet  *fleet.Fleet
	Log    *slog.Logger
	// Confined is that of the application controller.
	Confined *fleet.Confinement
	// Idle ends a stream on which nothing has moved for so long; one hour if zero. A log may be quiet for any time: it ends
	// when what there is of it is not taken.
	Idle time.Duration
	// Longest ends every stream; one day if zero.
	Longest time.Duration
}

// Gateway answers requests about where applications run.
type Gateway struct {
	client        *client.Client
	apps          client.Set[api.Application, *api.Application]
	clusters      client.Set[api.Cluster, *api.Cluster]
	fleet         *fleet.Fleet
	confined      *fleet.Confinement
	log           *slog.Logger
	idle, longest time.Duration
	running       sync.WaitGroup // streams that the HTTP server does not know any more
}

// New makes a gateway.
func New(o Options) *Gateway {
	return &Gateway{
		client: o.Client, apps: client.Of[api.Application](o.Client), clusters: client.Of[api.Cluster](o.Client),
		fleet: o.Fleet, confined: o.Confined, log: o.Log, idle: cmp.Or(o.Idle, time.Hour), longest: cmp.Or(o.Longest, 24*time.Hour),
	}
}

// A handler answers a request about an application.
type handler func(w http.ResponseWriter, r *http.Request, app *api.Application, body any) error

// Passages are the handlers by the permissions that they are for. Each answers a request about an object, or returns an
// error when it has not answered anything.
func (g *Gateway) Passages() map[string]func(http.ResponseWriter, *http.Request, api.Resource, any) error {
	out := map[string]func(http.ResponseWriter, *http.Request, api.Resource, any) error{}
	for name, h := range map[string]handler{
		api.LogPassage: g.showLog, api.ExecPassage: g.exec, api.PortForwardPassage: g.portForward, api.DiffPassage: g.diff,
	} {
		out[api.ApplicationKind.Permission(name)] = func(w http.ResponseWriter, r *http.Request, object api.Resource, body any) error {
			g.running.Add(1)
			defer g.running.Done()
			ctx, cancel := context.WithTimeoutCause(r.Context(), g.longest, errLongest)
			defer cancel()
			return h(w, r.WithContext(ctx), object.(*api.Application), body)
		}
	}
	return out
}

// Wait waits until all streams have ended, which they do when the contexts of their requests have, or until ctx ends.
func (g *Gateway) Wait(ctx context.Context) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		g.running.Wait()
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
}
