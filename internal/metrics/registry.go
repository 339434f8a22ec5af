package metrics

import (
	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/metrics/influx"
	"github.com/rak-n-rok/krake/internal/metrics/ksql"
	"github.com/rak-n-rok/krake/internal/metrics/prometheus"
	"github.com/rak-n-rok/krake/internal/metrics/provider"
	"github.com/rak-n-rok/krake/internal/metrics/static"
)

// types are all types of providers, by their names on the wire. What they return may be kept as long as the settings are the
// same; an error is a *provider.InvalidError.
var types = map[string]func(spec api.MetricsProviderSpec) (provider.Source, error){
	"static":     static.Open,
	"prometheus": prometheus.Open,
	"kafka":      ksql.Open,
	"influx":     influx.Open,
}

// open returns the source that a provider's settings describe.
func open(spec api.MetricsProviderSpec) (provider.Source, error) {
	of, known := types[spec.Type]
	if !known {
		return nil, provider.Invalid("Krake does not read from providers of the type %s", spec.Type)
	}
	return of(spec)
}
