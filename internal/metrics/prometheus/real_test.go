//go:build providers

package prometheus_test

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/metrics"
	"github.com/rak-n-rok/krake/internal/metrics/prometheus"
	"github.com/rak-n-rok/krake/internal/metrics/provider"
	"github.com/rak-n-rok/krake/internal/prometheustest"
)

// A real Prometheus that scrapes an exporter of ours.
func TestARealPrometheus(t *testing.T) {
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, "heat_demand_zone_1 0.42\nzones{zone=\"1\"} 3\nzones{zone=\"2\"} 4\nnothing NaN\n")
	}))
	defer exporter.Close()
	url, _ := prometheustest.Start(t, exporter.Listener.Addr().String())
	source, err := prometheus.Open(api.MetricsProviderSpec{Prometheus: &api.PrometheusProvider{URL: url}})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		value, err := source.Read(t.Context(), "heat_demand_zone_1")
		if err == nil && value == 0.42 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%v, %v", value, err)
		}
	}
	for query, want := range map[string]float64{"sum(zones)": 7, `zones{zone="2"}`: 4, "scalar(heat_demand_zone_1)": 0.42, "heat_demand_zone_1 * 100": 42} {
		if got, err := source.Read(t.Context(), query); err != nil || got != want {
			t.Errorf("%s is %v, %v", query, got, err)
		}
	}
	var i *provider.InvalidError
	for _, query := range []string{"missing", `zones{zone!="3"}`, "zones[5m]"} {
		if got, err := source.Read(t.Context(), query); !errors.As(err, &i) {
			t.Errorf("%s is %v, %v", query, got, err)
		}
	}
	var u *provider.UnreachableError
	if got, err := source.Read(t.Context(), "sum("); !errors.As(err, &u) {
		t.Errorf("what is no query is %v, %v", got, err)
	}
	value, err := source.Read(t.Context(), "nothing")
	if err != nil {
		t.Errorf("what is no number is %v, %v", value, err)
	} else if _, err := metrics.ValueOf(api.MetricRef{Name: "nothing"}, api.MetricSpec{Max: 1}, value); err == nil {
		t.Error("it is a value")
	}
	results, err := source.(provider.BatchSource).ReadAll(t.Context(), []string{"heat_demand_zone_1", "missing", "nothing", "zones"})
	if err != nil || results["heat_demand_zone_1"].Value != 0.42 || results["heat_demand_zone_1"].Err != nil || !errors.As(results["missing"].Err, &i) ||
		!math.IsNaN(results["nothing"].Value) || results["zones"].Value < 3 || len(results) != 4 {
		t.Errorf("together they are %v, %v", results, err)
	}
}
