package scheduler

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/constraint"
	"github.com/rak-n-rok/krake/client"
)

// metric makes a global metric from 0 to 10 of the static provider.
func (w world) metric(name string) {
	w.Helper()
	m := api.New[api.GlobalMetric]()
	m.Metadata.Name = name
	m.Spec = api.MetricSpec{AllowedValues: []int64{}, Max: 10, Provider: api.MetricProvider{Name: "static", Metric: name},
		Direction: api.HigherIsBetter, OutOfRange: api.RejectOutOfRange}
	must(client.Of[api.GlobalMetric](w.client).Create(w.Context(), m))(w)
}

// values makes or changes the static provider.
func (w world) values(values map[string]float64) {
	w.Helper()
	set := client.Of[api.GlobalMetricsProvider](w.client)
	p, err := set.Get(w.Context(), "", "static")
	settings := api.MetricsProviderSpec{Type: "static", Static: &api.StaticProvider{Metrics: values}}
	if client.NotFound(err) {
		p = api.New[api.GlobalMetricsProvider]()
		p.Metadata.Name, p.Spec = "static", settings
		must(set.Create(w.Context(), p))(w)
		return
	}
	p = must(p, err)(w)
	p.Spec = settings
	must(set.Update(w.Context(), p))(w)
}

// measured registers a cluster with metrics, as pairs of a name and a weight.
func (w world) measured(name string, metrics ...any) *api.Cluster {
	w.Helper()
	c := w.cluster(space, name)
	for i := 0; i < len(metrics); i += 2 {
		c.Spec.Metrics = append(c.Spec.Metrics, api.MetricRef{Name: metrics[i].(string), Weight: metrics[i+1].(float64)})
	}
	return must(w.clusters.Update(w.Context(), c))(w)
}

// untilCluster waits for a cluster to come into a state.
func (w world) untilCluster(name string, state api.ClusterState) *api.Cluster {
	w.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		c := must(w.clusters.Get(w.Context(), space, name))(w)
		if c.Status.State == state {
			return c
		}
		if time.Now().After(deadline) {
			w.Fatalf("%s is %s, not %s: %v", name, c.Status.State, state, c.Status.MetricsReasons)
		}
	}
}

// limited has a constraint of metrics.
func limited(t *testing.T, text string) func(*api.Application) {
	return func(a *api.Application) {
		m, err := constraint.ParseMetric(text)
		if err != nil {
			t.Fatal(err)
		}
		a.Spec.Constraints.Cluster.Metrics = []constraint.Metric{m}
	}
}

func TestAnApplicationGoesWhereTheMetricsAreBest(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"green", "cheap", "greener"} {
		w.metric(name)
	}
	w.values(map[string]float64{"green": 2, "cheap": 9, "greener": 8})
	w.cluster(space, "plain")
	w.measured("coal", "green", 1.0, "cheap", 0.1)
	w.measured("wind", "greener", 1.0)
	w.schedule()
	a := w.untilOn(w.app("echo"), "wind")
	d := w.placement(a).Decisions[0]
	if !strings.Contains(d.Reason, "wind the best score, 0.8, and coal the next, 0.264") || d.Candidates[0].Score != 0.8 ||
		d.RunnerUp != "coal" || d.MoveAbove != nil {
		t.Errorf("%+v", d)
	}
	if terms := d.Candidates[1].Terms; len(terms) != 2 || terms[0].Metric != "green" || terms[0].Value != 2 || terms[0].Weight != 1 || terms[0].Read == nil ||
		terms[1].Metric != "cheap" || terms[1].Normalised != 0.9 || terms[1].Held {
		t.Errorf("the terms of coal are %+v", terms)
	}
	// A constraint compares the weighted value, as in the reference.
	w.untilOn(w.app("limited", limited(t, "cheap > 0.05")), "coal")
	// One that no cluster is good enough for is placed when a value changes.
	waits := w.app("waits", limited(t, "green > 0.5"))
	w.until(waits, "refused", func(a *api.Application) bool { return a.Status.Conditions.Get(api.Scheduled).Status == api.False })
	w.values(map[string]float64{"green": 7, "cheap": 9, "greener": 8})
	w.untilOn(waits, "coal")
}

//
func TestAClusterSaysThatItsMetricsCannotBeRead(t *testing.T) {
	w := newWorld(t)
	w.metric("heat")
	w.values(map[string]float64{"heat": 5})
	w.measured("a", "heat", 1.0, "missing", 1.0)
	w.measured("b", "heat", 1.0)
	w.cluster(space, "plain")
	w.schedule()
	c := w.untilCluster("a", api.ClusterFailingMetrics)
	if r := c.Status.MetricsReasons; len(r) != 1 || r["missing"].Code != api.UnknownMetric || !strings.Contains(r["missing"].Message, "'missing' was not found") {
		t.Errorf("%v", r)
	}
	w.untilOn(w.app("echo"), "b")
	// A value that is out of range is as good as none.
	w.values(map[string]float64{"heat": 50})
	c = w.untilCluster("b", api.ClusterFailingMetrics)
	if r := c.Status.MetricsReasons["heat"]; r.Code != api.InvalidMetric || !strings.Contains(r.Message, "50.0 out of range") {
		t.Errorf("%v", r)
	}
	w.untilOn(w.app("other"), "plain")
	w.metric("missing")
	w.values(map[string]float64{"heat": 5, "missing": 5})
	for _, name := range []string{"a", "b"} {
		if c := w.untilCluster(name, api.ClusterOnline); len(c.Status.MetricsReasons) > 0 {
			t.Errorf("%s still has reasons: %v", name, c.Status.MetricsReasons)
		}
	}
	// While nothing changes, nothing is written.
	version := func() string {
		data, err := w.client.Do(t.Context(), client.Request{Method: http.MethodGet, Path: "/kubernetes/namespaces/" + space + "/clusters"})
		if err != nil {
			t.Fatal(err)
		}
		var list struct {
			Items []struct {
				Metadata struct {
					Version string `json:"resource_version"`
				}
			}
		}
		if err := json.Unmarshal(data, &list); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(list.Items)
	}
	before := version()
	time.Sleep(500 * time.Millisecond) // many rounds
	if after := version(); after != before {
		t.Errorf("clusters are written: %s, then %s", before, after)
	}
}
