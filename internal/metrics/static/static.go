package static

import (
	"context"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/metrics/provider"
)

// source has the values by their names.
type source map[string]float64

// Open returns the source that the settings of a provider describe.
func Open(spec api.MetricsProviderSpec) (provider.Source, error) {
	return source(spec.Static.Metrics), nil
}

// Read is a method of provider.Source.
func (s source) Read(_ context.Context, name string) (float64, error) {
	value, ok := s[name]
	if !ok {
		return 0, provider.Invalid("the static provider has no metric %q", name)
	}
	return value, nil
}
