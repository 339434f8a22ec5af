package metrics

import (
	"context"
	"fmt"
	"net/http"

	"github.com/rak-n-rok/krake/api"
)

// A Source is a provider of metric values.
type Source interface {
	// Read returns the value of a metric as it is now, by the provider's own name for it. Errors are *UnreachableError,
	// and *InvalidError when there is an answer without a number.
	Read(ctx context.Context, name string) (float64, error)
}

// UnreachableError says that a provider gives no answer.
type UnreachableError struct {
	Provider string // what it is, such as Prometheus
	Cause    error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("no answer from %s: %v", e.Provider, e.Cause)
}
func (e *UnreachableError) Unwrap() error { return e.Cause }

// InvalidError says that a provider has no usable value of a metric.
type InvalidError struct{ Message string }

func (e *InvalidError) Error() string { return e.Message }

func invalid(format string, args ...any) error { return &InvalidError{fmt.Sprintf(format, args...)} }

// open returns the source that a provider's settings describe.
func open(spec api.MetricsProviderSpec, client *http.Client) (Source, error) {
	switch {
	case spec.Static != nil:
		return static(spec.Static.Metrics), nil
	case spec.Prometheus != nil:
		return &prometheus{url: spec.Prometheus.URL, client: client}, nil
	default:
		return nil, invalid("Krake does not read from providers of the type %s yet", spec.Type)
	}
}

// static are values that are written down in the provider itself.
type static map[string]float64

// Read is a method of Source.
func (s static) Read(_ context.Context, name string) (float64, error) {
	value, ok := s[name]
	if !ok {
		return 0, invalid("the static provider has no metric %q", name)
	}
	return value, nil
}
