//go:build providers

package e2e

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/prometheustest"
)

// The same with a real Prometheus that scrapes an exporter of ours: it moves when a value flips, and not when Prometheus
// ends.
func TestARealPrometheusMovesAnApplication(t *testing.T) {
	coal, wind := twoSites(t)
	s := newScene(t)
	var green atomic.Uint64 // the wind
	green.Store(math.Float64bits(0.1))
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, "coal 0.5\nwind %g\n", math.Float64frombits(green.Load()))
	}))
	t.Cleanup(exporter.Close)
	url, stop := prometheustest.Start(t, exporter.Listener.Addr().String(), "")
	s.provider(api.MetricsProviderSpec{Type: "prometheus", Prometheus: &api.PrometheusProvider{URL: url}})
	s.joinMeasured("coal", coal)
	s.joinMeasured("wind", wind)
	s.create("web", "", web)
	s.awaitApp("web", running("coal"), healthy)
	green.Store(math.Float64bits(0.9))
	s.awaitApp("web", running("wind"), healthy, reachable(wind, s.space))
	stop()
	s.await("the cluster to say that its metric is held", func() error {
		if c := s.cluster("wind").Status.Conditions.Get(api.MetricsReadable); c.Status != api.True || c.Reason != "Held" {
			return fmt.Errorf("it says %+v", c)
		}
		return nil
	})
	s.awaitApp("web", running("wind"), healthy)
}
