package static_test

import (
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/metrics/provider"
	"github.com/rak-n-rok/krake/internal/metrics/providertest"
	"github.com/rak-n-rok/krake/internal/metrics/static"
)

func open(t *testing.T, values map[string]float64) provider.Source {
	t.Helper()
	s, err := static.Open(api.MetricsProviderSpec{Type: "static", Static: &api.StaticProvider{Metrics: values}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestP4ValuesThatAreWrittenDown(t *testing.T) {
	providertest.Known(t, open(t, map[string]float64{providertest.Metric: 0.42}))
	s := open(t, map[string]float64{"cost": 0.9})
	if got, err := s.Read(t.Context(), "cost"); got != 0.9 || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	_, err := s.Read(t.Context(), "price")
	providertest.Invalid(t, err, `"price"`)
	_, err = open(t, nil).Read(t.Context(), "cost")
	providertest.Invalid(t, err, `"cost"`)
}
