package scheduler

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
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

// offering registers a cluster with metrics.
func (w world) offering(name string, o offer) {
	w.Helper()
	c := w.cluster(space, name)
	c.Spec.Metrics = o.metrics()
	must(w.clusters.Update(w.Context(), c))(w)
}

//
func TestEveryKindOfMetricsCounts(t *testing.T) {
	w := newWorld(t)
	w.sources(map[string]float64{"low": 0.1, "mid": 0.4})
	prom := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		fmt.Fprint(rw, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"sun"},"value":[1,"0.8"]}]}}`)
	}))
	t.Cleanup(prom.Close)
	namespace := space
	settings := api.MetricsProviderSpec{Type: "prometheus", Prometheus: &api.PrometheusProvider{URL: prom.URL}}
	spec := func(most float64) api.MetricSpec {
		return api.MetricSpec{AllowedValues: []int64{}, Max: most, Provider: api.MetricProvider{Name: "prom", Metric: "sun"},
			Direction: api.HigherIsBetter, OutOfRange: api.RejectOutOfRange}
	}
	globalProvider, provider := api.New[api.GlobalMetricsProvider](), api.New[api.MetricsProvider]()
	globalProvider.Metadata.Name, globalProvider.Spec = "prom", settings
	provider.Metadata.Name, provider.Metadata.Namespace, provider.Spec = "prom", &namespace, settings
	global, own := api.New[api.GlobalMetric](), api.New[api.Metric]()
	global.Metadata.Name, global.Spec = "sun", spec(1)
	own.Metadata.Name, own.Metadata.Namespace, own.Spec = "sun", &namespace, spec(4)
	must(client.Of[api.GlobalMetricsProvider](w.client).Create(t.Context(), globalProvider))(w)
	must(client.Of[api.MetricsProvider](w.client).Create(t.Context(), provider))(w)
	must(client.Of[api.GlobalMetric](w.client).Create(t.Context(), global))(w)
	must(client.Of[api.Metric](w.client).Create(t.Context(), own))(w)
	for name, o := range map[string]offer{"global-prometheus": "sun*1", "global-static": "mid*1", "own-prometheus": "own:sun*1", "own-static": "own:low*1"} {
		w.offering(name, o)
	}
	w.schedule()
	var got []string
	for _, c := range w.placement(w.untilOn(w.app("echo"), "global-prometheus")).Decisions[0].Candidates {
		got = append(got, fmt.Sprintf("%s %g", c.Name, c.Score))
	}
	if want := "[global-prometheus 0.8 global-static 0.4 own-prometheus 0.2 own-static 0.1]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

//
func TestAClusterSaysWhyItsMetricsCannotBeRead(t *testing.T) {
	w := newWorld(t)
	w.sources(map[string]float64{"mid": 0.5})
	cases := map[string]struct {
		has  offer
		want map[string]api.ReasonCode
	}{
		"a-27": {"lost*1", map[string]api.ReasonCode{"lost": api.UnknownMetricsProvider}},
		"a-28": {"nothing*1 silent*1", map[string]api.ReasonCode{"nothing": api.UnknownMetric, "silent": api.UnreachableMetricsProvider}},
		"both": {"lost*1 nothing*1", map[string]api.ReasonCode{"lost": api.UnknownMetricsProvider, "nothing": api.UnknownMetric}},
		"a-29": {"silent*1 mid*1", map[string]api.ReasonCode{"silent": api.UnreachableMetricsProvider}},
		"own":  {"own:nothing*1 own:mid*1", map[string]api.ReasonCode{"nothing": api.UnknownMetric}},
	}
	for name, c := range cases {
		w.offering(name, c.has)
	}
	w.schedule()
	for name, c := range cases {
		untilObject(w, w.clusters, name, func(o *api.Cluster) bool {
			return o.Status.State == api.ClusterFailingMetrics && judgedAs(o.Status.Conditions, o.Status.MetricsReasons, c.want)
		})
	}
	w.until(w.app("echo"), "refused", func(a *api.Application) bool {
		return a.Status.Reason != nil && strings.Contains(a.Status.Reason.Message, "No matching Kubernetes cluster found: 5 not online")
	})
}

// the value could be read once.
func TestAValueThatWasReadOnceCountsForAWhile(t *testing.T) {
	w := newWorld(t)
	w.metric("heat")
	w.values(map[string]float64{"heat": 5})
	w.measured("a", "heat", 1.0)
	w.schedule()
	untilObject(w, w.clusters, "a", func(c *api.Cluster) bool { return c.Status.Conditions.Get(api.MetricsReadable).Reason == "Read" })
	p := must(client.Of[api.GlobalMetricsProvider](w.client).Get(t.Context(), "", "static"))(w)
	p.Spec = api.MetricsProviderSpec{Type: "prometheus", Prometheus: &api.PrometheusProvider{URL: "http://127.0.0.1:1"}}
	must(client.Of[api.GlobalMetricsProvider](w.client).Update(t.Context(), p))(w)
	untilObject(w, w.clusters, "a", func(c *api.Cluster) bool { return c.Status.Conditions.Get(api.MetricsReadable).Reason == "Held" })
	a := w.untilOn(w.app("echo"), "a")
	if d := w.placement(a).Decisions[0]; !d.Candidates[0].Terms[0].Held || a.Status.Scheduled == nil || a.Status.KubeControllerTriggered == nil {
		t.Errorf("%+v of %+v", d, a.Status)
	}
}
