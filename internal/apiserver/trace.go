package apiserver

import (
	"context"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

var tracer = otel.Tracer("github.com/rak-n-rok/krake/internal/apiserver")

// beginTrace begins the span of a request, which continues the client's trace if there is one.
func beginTrace(r *http.Request) (context.Context, trace.Span) {
	ctx := otel.GetTextMapPropagator().Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	return tracer.Start(ctx, r.Method, trace.WithSpanKind(trace.SpanKindServer))
}

// endTrace tells what the request turned out to be.
func endTrace(span trace.Span, known *request, user string, status int) {
	if span.IsRecording() {
		span.SetName(strings.Join(strings.Fields(known.verb+" "+known.kind+" "+known.sub), " "))
		span.SetAttributes(attribute.String("request_id", known.id), attribute.String("enduser.id", user),
			attribute.String("krake.kind", known.kind), attribute.String("krake.verb", known.verb),
			attribute.String("krake.subresource", known.sub), attribute.Int("http.response.status_code", status))
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, http.StatusText(status))
		}
	}
	span.End()
}
