package e2e

import (
	"fmt"
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// An application that runs moves when the value of a metric makes another cluster better, and says why.
func TestAnApplicationMovesToABetterCluster(t *testing.T) {
	coal, wind := twoSites(t)
	s := newScene(t)
	s.provider(api.MetricsProviderSpec{Type: "static", Static: &api.StaticProvider{Metrics: map[string]float64{"coal": 0.5, "wind": 0.1}}})
	s.joinMeasured("coal", coal)
	s.joinMeasured("wind", wind)
	s.create("web", "", web)
	s.awaitApp("web", running("coal"), healthy)
	s.provider(api.MetricsProviderSpec{Type: "static", Static: &api.StaticProvider{Metrics: map[string]float64{"coal": 0.5, "wind": 0.9}}})
	s.awaitApp("web", running("wind"), healthy, reachable(wind, s.space))
	s.await("the end of the copy on coal", func() error {
		if o, err := coal.look(deployments, s.space, "web"); err != nil || o != nil {
			return fmt.Errorf("%v, %v", o, err)
		}
		return nil
	})
	s.awaitEvent("Application", "web", "Rescheduled", "It moves from coal to wind, which is better: 0.9 against 0.5")
	var p api.Placement
	if _, err := s.apps.GetPart(t.Context(), s.app("web"), api.PlacementPart, &p); err != nil {
		t.Fatal(err)
	}
	if d := p.Decisions[0]; d.Outcome != core.Moved || d.Code != core.Better || len(p.Moves) != 1 {
		t.Errorf("the record is %+v", p)
	}
}

func twoSites(t *testing.T) (one, other *site) {
	t.Helper()
	both := sites(t, "berlin", "bratislava")
	return both[0], both[1]
}

// provider makes or changes the scene's provider of metrics.
func (s *scene) provider(spec api.MetricsProviderSpec) {
	s.Helper()
	set := client.Of[api.MetricsProvider](s.client)
	for {
		p, err := set.Get(s.Context(), s.space, "values")
		if client.NotFound(err) {
			p = api.New[api.MetricsProvider]()
			p.Metadata.Name, p.Metadata.Namespace, p.Spec = "values", &s.space, spec
			_, err = set.Create(s.Context(), p)
		} else if err == nil {
			p.Spec = spec
			_, err = set.Update(s.Context(), p)
		}
		if err == nil {
			return
		}
		if !client.Conflict(err) {
			s.Fatal(err)
		}
	}
}

// joinMeasured registers a cluster with a metric of its own name, from 0 to 1, that the scene's provider has.
func (s *scene) joinMeasured(name string, on *site) {
	s.Helper()
	m := api.New[api.Metric]()
	m.Metadata.Name, m.Metadata.Namespace = name, &s.space
	m.Spec = api.MetricSpec{AllowedValues: []int64{}, Max: 1, Provider: api.MetricProvider{Name: "values", Metric: name},
		Direction: api.HigherIsBetter, OutOfRange: api.RejectOutOfRange}
	if _, err := client.Of[api.Metric](s.client).Create(s.Context(), m); err != nil {
		s.Fatal(err)
	}
	s.place(on)
	c := api.New[api.Cluster]()
	c.Metadata.Name, c.Metadata.Namespace = name, &s.space
	c.Metadata.Labels = api.Labels{"site": name}
	c.Spec.Kubeconfig = on.Kubeconfig(s)
	c.Spec.Metrics = []api.MetricRef{{Name: name, Weight: 1, Namespaced: true}}
	if _, err := s.clusters.Create(s.Context(), c); err != nil {
		s.Fatal(err)
	}
	s.awaitCluster(name, api.ClusterOnline)
}
