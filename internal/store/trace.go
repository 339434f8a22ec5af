package store

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

var tracer = otel.Tracer("github.com/rak-n-rok/krake/internal/store")

// traced begins the span of what is waited for etcd with. The function ends it; a conflict is an answer and no failure.
func traced(ctx context.Context, operation string) (context.Context, func(error)) {
	ctx, span := tracer.Start(ctx, "store "+operation, trace.WithSpanKind(trace.SpanKindClient))
	return ctx, func(err error) {
		if span.IsRecording() {
			span.SetAttributes(attribute.String("db.system.name", "etcd"))
			if err != nil && !errors.Is(err, ErrConflict) {
				span.SetStatus(codes.Error, err.Error())
			}
		}
		span.End()
	}
}
