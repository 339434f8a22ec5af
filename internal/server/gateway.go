package server

import (
	"context"
	"errors"
	"log/slog"

	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/apiserver"
	"github.com/rak-n-rok/krake/internal/fleet"
	"github.com/rak-n-rok/krake/internal/gateway"
)

// errReadsOnly keeps people's requests from writing objects to clusters, whatever they make of the gateway.
var errReadsOnly = errors.New("the gateway writes nothing to clusters")

// mountGateway gives the API its ways to clusters. They have connections of their own: what people do there holds up no
// controller, and what they may is not what holders of leases may.
func mountGateway(to *apiserver.Server, connect func(user string) (*client.Client, error), settings Settings, log *slog.Logger) (*gateway.Gateway, func(), error) {
	c, err := connect("system:gateway")
	if err != nil {
		return nil, nil, err
	}
	clusters := fleet.New(fleet.Options{Logger: log, MayWrite: func(context.Context) error { return errReadsOnly }})
	g := gateway.New(gateway.Options{Client: c, Fleet: clusters, Confined: settings.confinement(), Log: log})
	passages := map[string]apiserver.Passage{}
	for permission, handler := range g.Passages() {
		passages[permission] = handler
	}
	to.Mount(passages)
	return g, clusters.Close, nil
}
