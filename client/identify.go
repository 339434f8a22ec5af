package client

import (
	"context"
	"net/http"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"

	"github.com/rak-n-rok/krake/api"
)

type requestIDKey struct{}

// WithRequestID returns a context whose requests carry an ID, under which they are found in the server's log: letters,
// digits, dots, colons, hyphens and underscores, at most 64. Without one, each request gets its own.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID gives the ID that requests with this context carry; empty if each gets its own.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// identify puts the ID of a request into its header, and its place in a trace if the context is part of one.
func identify(ctx context.Context, header http.Header) {
	id := RequestID(ctx)
	if id == "" {
		id = uuid.NewString()
	}
	header.Set(api.RequestIDHeader, id)
	otel.GetTextMapPropagator().Inject(ctx, propagation.HeaderCarrier(header))
}
