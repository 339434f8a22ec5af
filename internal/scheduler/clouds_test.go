package scheduler

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/constraint"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// offer says what a cloud or project has beside its name: labels as K=V, metrics as NAME*WEIGHT, both with a space between.
type offer string

func (o offer) labels() api.Labels {
	out := api.Labels{}
	for _, word := range strings.Fields(string(o)) {
		if key, value, ok := strings.Cut(word, "="); ok {
			out[key] = value
		}
	}
	return out
}

func (o offer) metrics() []api.MetricRef {
	out := []api.MetricRef{}
	for _, word := range strings.Fields(string(o)) {
		if name, weight, ok := strings.Cut(word, "*"); ok {
			var f float64
			_, _ = fmt.Sscan(weight, &f)
			name, namespaced := strings.CutPrefix(name, "own:")
			out = append(out, api.MetricRef{Name: name, Weight: f, Namespaced: namespaced})
		}
	}
	return out
}

func (o offer) cloud() api.CloudSpec {
	return api.CloudSpec{Type: "openstack", OpenStack: &api.OpenStackCloud{
		URL: "http://ks", Metrics: o.metrics(), InfrastructureProvider: api.InfrastructureProviderRef{Name: "im"},
		Auth: api.CloudAuth{Type: "password", Password: &api.CloudPassword{User: api.CloudUser{Username: "u", Password: "p"}, Project: api.CloudProject{Name: "p"}}},
	}}
}

// cloud registers a cloud: of the namespace, or for everybody if its name begins with global.
func (w world) cloud(name string, o offer) {
	w.Helper()
	if strings.HasPrefix(name, "global") {
		c := api.New[api.GlobalCloud]()
		c.Metadata.Name, c.Metadata.Labels, c.Spec = name, o.labels(), o.cloud()
		must(client.Of[api.GlobalCloud](w.client).Create(w.Context(), c))(w)
		return
	}
	namespace := space
	c := api.New[api.Cloud]()
	c.Metadata.Name, c.Metadata.Namespace, c.Metadata.Labels, c.Spec = name, &namespace, o.labels(), o.cloud()
	must(client.Of[api.Cloud](w.client).Create(w.Context(), c))(w)
}

var template = map[string]any{"tosca_definitions_version": "tosca_simple_yaml_1_0", "topology_template": map[string]any{
	"outputs": map[string]any{"kubeconfig": map[string]any{"value": "x"}}}}

// wanted hands in a cluster that is to be made, with constraints on its cloud: those of metrics have a number.
func (w world) wanted(name string, constraints ...string) *api.Cluster {
	w.Helper()
	namespace := space
	c := api.New[api.Cluster]()
	c.Metadata.Name, c.Metadata.Namespace, c.Spec.Tosca = name, &namespace, template
	for _, text := range constraints {
		if strings.ContainsAny(text, "<>") {
			m, err := constraint.ParseMetric(text)
			c.Spec.Constraints.Cloud.Metrics = append(c.Spec.Constraints.Cloud.Metrics, must(m, err)(w))
			continue
		}
		l, err := constraint.ParseLabel(text)
		c.Spec.Constraints.Cloud.Labels = append(c.Spec.Constraints.Cloud.Labels, must(l, err)(w))
	}
	return must(w.clusters.Create(w.Context(), c))(w)
}

// untilDecided waits until a cluster has a cloud, or is told that there is none.
func (w world) untilDecided(name string) *api.Cluster {
	w.Helper()
	return untilObject(w, w.clusters, name, func(c *api.Cluster) bool {
		return c.Status.Conditions.Get(api.Scheduled).Status != api.Unknown
	})
}

// untilObject waits for an object of the namespace, or a global one, to be as it should.
func untilObject[T any, P client.Pointer[T]](w world, set client.Set[T, P], name string, holds func(P) bool) P {
	w.Helper()
	namespace := space
	if !set.Kind().Namespaced {
		namespace = ""
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		o := must(set.Get(w.Context(), namespace, name))(w)
		if holds(o) {
			return o
		}
		if time.Now().After(deadline) {
			w.Fatalf("%s does not become what it should: %+v", name, o)
		}
	}
}

// become sets the state of a cluster that the scheduler writes to as well.
func (w world) become(c *api.Cluster, state api.ClusterState) {
	w.Helper()
	for {
		_, err := w.clusters.PatchStatus(w.Context(), w.fresh(c), object{"status": object{"state": state}})
		if err == nil {
			return
		}
		if !client.Conflict(err) {
			w.Fatal(err)
		}
	}
}

func cloudOf(c *api.Cluster) string {
	if c.Status.ScheduledTo == nil {
		return ""
	}
	return c.Status.ScheduledTo.Name
}

// sources makes the providers and metrics of the tests, global and of the namespace: those that the static provider has,
// missing, which it has not, lost of a provider that does not exist, and silent of one that answers 503.
func (w world) sources(values map[string]float64) {
	w.Helper()
	w.values(values)
	down := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusServiceUnavailable) }))
	w.Cleanup(down.Close)
	prom := api.New[api.GlobalMetricsProvider]()
	prom.Metadata.Name, prom.Spec = "down", api.MetricsProviderSpec{Type: "prometheus", Prometheus: &api.PrometheusProvider{URL: down.URL}}
	must(client.Of[api.GlobalMetricsProvider](w.client).Create(w.Context(), prom))(w)
	namespace := space
	static := api.New[api.MetricsProvider]()
	static.Metadata.Name, static.Metadata.Namespace = "static", &namespace
	static.Spec = api.MetricsProviderSpec{Type: "static", Static: &api.StaticProvider{Metrics: values}}
	must(client.Of[api.MetricsProvider](w.client).Create(w.Context(), static))(w)
	spec := func(provider, metric string) api.MetricSpec {
		return api.MetricSpec{AllowedValues: []int64{}, Max: 1, Provider: api.MetricProvider{Name: provider, Metric: metric},
			Direction: api.HigherIsBetter, OutOfRange: api.RejectOutOfRange}
	}
	for name, s := range map[string]api.MetricSpec{"missing": spec("static", "missing"), "lost": spec("nobody", "x"), "silent": spec("down", "x")} {
		m := api.New[api.GlobalMetric]()
		m.Metadata.Name, m.Spec = name, s
		must(client.Of[api.GlobalMetric](w.client).Create(w.Context(), m))(w)
	}
	for name := range values {
		global, own := api.New[api.GlobalMetric](), api.New[api.Metric]()
		global.Metadata.Name, global.Spec = name, spec("static", name)
		own.Metadata.Name, own.Metadata.Namespace, own.Spec = name, &namespace, spec("static", name)
		must(client.Of[api.GlobalMetric](w.client).Create(w.Context(), global))(w)
		must(client.Of[api.Metric](w.client).Create(w.Context(), own))(w)
	}
}

// hundred are as many clouds without labels, and it, which is in Italy.
func hundred() map[string]offer {
	out := map[string]offer{"it": "location=IT"}
	for i := range 99 {
		out[fmt.Sprint("c", i)] = ""
	}
	return out
}

// Rows K-1 to K-20 of the acceptance tests: on which cloud a cluster is made.
func TestTheCloudOfACluster(t *testing.T) {
	values := map[string]float64{"low": 0.1, "mid": 0.4, "high": 0.9, "load": 1}
	for name, c := range map[string]struct {
		clouds      map[string]offer
		constraints []string
		want        string // names, of which one is chosen; empty for none
	}{
		"K-1 a label that matches":                    {map[string]offer{"a": "location=IT", "b": ""}, []string{"location is IT"}, "a"},
		"K-1 of a global cloud":                       {map[string]offer{"global-a": "location=IT", "global-b": ""}, []string{"location is IT"}, "global-a"},
		"K-1 no label":                                {map[string]offer{"a": "", "global-a": ""}, []string{"location is IT"}, ""},
		"K-2 a metric that is high enough":            {map[string]offer{"a": "load*6"}, []string{"load > 5"}, "a"},
		"K-2 of a global cloud":                       {map[string]offer{"global-a": "load*6"}, []string{"load > 5"}, "global-a"},
		"K-2 a metric that is not":                    {map[string]offer{"a": "load*5", "global-a": "load*5"}, []string{"load > 5"}, ""},
		"K-2 a cloud without the metric":              {map[string]offer{"a": "", "global-a": "mid*9"}, []string{"load > 5"}, ""},
		"K-3 no constraints":                          {map[string]offer{"a": "location=IT"}, nil, "a"},
		"K-4 metrics of both kinds":                   {map[string]offer{"a": "mid*1 own:low*1", "b": "own:mid*1", "c": "low*1"}, nil, "b"},
		"K-4 of global clouds":                        {map[string]offer{"global-a": "mid*1", "global-b": "low*1"}, nil, "global-a"},
		"K-10 with a metric before without":           {map[string]offer{"a": "", "b": "mid*1"}, nil, "b"},
		"K-10 with one of the namespace":              {map[string]offer{"a": "own:mid*1", "b": ""}, nil, "a"},
		"K-11 none with metrics":                      {map[string]offer{"a": "", "b": ""}, nil, "a b"},
		"K-13 one of a hundred":                       {hundred(), []string{"location is IT"}, "it"},
		"K-14 no metric can be read":                  {map[string]offer{"a": "silent*1", "b": "silent*1"}, nil, "a b"},
		"K-14 of global clouds":                       {map[string]offer{"global-a": "silent*1"}, nil, "global-a"},
		"K-15 the one that can be read":               {map[string]offer{"a": "silent*1", "b": "", "c": "mid*1"}, nil, "c"},
		"K-18 a namespaced cloud before a global one": {map[string]offer{"a": "low*1", "global-a": "high*1"}, nil, "a"},
		"K-19 a global cloud if no other matches":     {map[string]offer{"a": "", "global-a": "location=IT"}, []string{"location is IT"}, "global-a"},
		"K-20 unread or plain":                        {map[string]offer{"a": "silent*1", "b": ""}, nil, "a b"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.sources(values)
			for name, o := range c.clouds {
				w.cloud(name, o)
			}
			w.schedule()
			w.wanted("new", c.constraints...)
			got := w.untilDecided("new")
			if c.want == "" {
				if cloudOf(got) != "" || got.Status.State != api.ClusterFailed || got.Status.Reason == nil || got.Status.Reason.Code != api.NoSuitableResource {
					t.Errorf("on %q, %s: %+v", cloudOf(got), got.Status.State, got.Status.Reason)
				}
				return
			}
			if !slices.Contains(strings.Fields(c.want), cloudOf(got)) || got.Status.Scheduled == nil || got.Status.State != api.ClusterPending {
				t.Errorf("on %q, %+v, want %s", cloudOf(got), got.Status, c.want)
			}
			if !slices.ContainsFunc(got.Metadata.Owners, got.Status.ScheduledTo.Equal) {
				t.Errorf("its owners are %v", got.Metadata.Owners)
			}
		})
	}
}

// K-12
func TestACloudThatIsBeingDeletedIsPassed(t *testing.T) {
	w := newWorld(t)
	for i := range 10 {
		name := fmt.Sprint("c", i)
		w.cloud(name, "")
		if i != 4 {
			must(client.Of[api.Cloud](w.client).Delete(t.Context(), space, name, client.DeleteOptions{}))(w)
		}
	}
	w.schedule()
	w.wanted("new")
	if c := w.untilDecided("new"); cloudOf(c) != "c4" {
		t.Errorf("on %q", cloudOf(c))
	}
}

// K-6 to K-9: a cloud says which metrics cannot be read and why, and that they can be again; nothing else is written.
func TestACloudSaysThatItsMetricsCannotBeRead(t *testing.T) {
	for _, prefix := range []string{"", "global-"} {
		t.Run(prefix+"cloud", func(t *testing.T) {
			w := newWorld(t)
			w.sources(map[string]float64{"mid": 0.5})
			for name, o := range map[string]offer{"unknown": "mid*1 nothing*1", "lost": "lost*1", "silent": "silent*1", "several": "nothing*1 silent*1 missing*1", "fine": "mid*1"} {
				w.cloud(prefix+name, o)
			}
			w.schedule()
			for name, want := range map[string]map[string]api.ReasonCode{
				"unknown": {"nothing": api.UnknownMetric},
				"lost":    {"lost": api.UnknownMetricsProvider},
				"silent":  {"silent": api.UnreachableMetricsProvider},
				"several": {"nothing": api.UnknownMetric, "silent": api.UnreachableMetricsProvider, "missing": api.InvalidMetric},
				"fine":    {},
			} {
				status := w.untilJudged(prefix+name, want)
				if failing := status.State == api.MetricsFailing; failing != (len(want) > 0) {
					t.Errorf("%s is %s with %v", name, status.State, status.MetricsReasons)
				}
			}
			m := api.New[api.GlobalMetric]()
			m.Metadata.Name = "nothing"
			m.Spec = api.MetricSpec{AllowedValues: []int64{}, Max: 1, Provider: api.MetricProvider{Name: "static", Metric: "mid"},
				Direction: api.HigherIsBetter, OutOfRange: api.RejectOutOfRange}
			must(client.Of[api.GlobalMetric](w.client).Create(t.Context(), m))(w)
			if s := w.untilJudged(prefix+"unknown", map[string]api.ReasonCode{}); s.State != api.MetricsOnline {
				t.Errorf("it is %s again", s.State)
			}
		})
	}
}

// untilJudged waits until a cloud has exactly these reasons, and said so.
func (w world) untilJudged(name string, want map[string]api.ReasonCode) (status api.MetricsStatus) {
	w.Helper()
	same := func(s api.MetricsStatus) bool {
		status = s
		return judgedAs(s.Conditions, s.MetricsReasons, want)
	}
	if strings.HasPrefix(name, "global") {
		untilObject(w, client.Of[api.GlobalCloud](w.client), name, func(c *api.GlobalCloud) bool { return same(c.Status) })
	} else {
		untilObject(w, client.Of[api.Cloud](w.client), name, func(c *api.Cloud) bool { return same(c.Status) })
	}
	return status
}

// judgedAs says whether something was said of metrics, and these are exactly the reasons.
func judgedAs(conditions api.Conditions, reasons map[string]api.Reason, want map[string]api.ReasonCode) bool {
	codes := map[string]api.ReasonCode{}
	for name, reason := range reasons {
		codes[name] = reason.Code
	}
	return conditions.Get(api.MetricsReadable).Reason != "" && maps.Equal(codes, want)
}

// K-16, and the record of the decision.
func TestAClusterIsBoundOnceAndSaysWhy(t *testing.T) {
	w := newWorld(t)
	w.sources(map[string]float64{"mid": 0.5, "high": 0.9})
	w.cloud("a", "mid*1 tier=gold")
	w.schedule()
	w.wanted("new", "tier is gold")
	c := w.untilDecided("new")
	if ref := api.CloudKind.Ref(space, "a"); !api.SameRef(c.Status.ScheduledTo, &ref) || c.Status.Scheduled == nil {
		t.Fatalf("%+v", c.Status)
	}
	var p api.Placement
	must(w.clusters.GetPart(t.Context(), c, api.PlacementPart, &p))(w)
	if len(p.Decisions) != 1 || p.Decisions[0].Outcome != core.Placed || p.Decisions[0].Chosen != "a" || p.Decisions[0].Candidates[0].Score != 0.5 {
		t.Errorf("the record is %+v", p)
	}
	// A better cloud comes too late: a cluster does not move.
	w.cloud("b", "high*1 tier=gold")
	w.wanted("other", "tier is gold")
	if other := w.untilDecided("other"); cloudOf(other) != "b" {
		t.Errorf("the other is on %q", cloudOf(other))
	}
	if now := must(w.clusters.Get(t.Context(), space, "new"))(w); now.Metadata.ResourceVersion != c.Metadata.ResourceVersion {
		t.Errorf("it was written: %+v", now.Status)
	}
}

// K-17, and what the reference has no way out of: by default a cluster gets a cloud when one comes that matches.
func TestAClusterWithoutACloudSaysSoAndGetsOneThatComes(t *testing.T) {
	w := newWorld(t)
	w.schedule()
	w.wanted("new", "tier is gold")
	c := w.untilDecided("new")
	if r := c.Status.Reason; c.Status.State != api.ClusterFailed || r == nil || r.Code != api.NoSuitableResource || r.Message != "No matching cloud found: there are no clouds" {
		t.Fatalf("%s: %+v", c.Status.State, r)
	}
	w.cloud("global-silver", "tier=silver")
	untilObject(w, w.clusters, "new", func(c *api.Cluster) bool {
		return c.Status.Reason != nil && c.Status.Reason.Message == "No matching cloud found: 1 excluded by a label constraint"
	})
	w.cloud("gold", "tier=gold")
	c = untilObject(w, w.clusters, "new", func(c *api.Cluster) bool { return cloudOf(c) == "gold" })
	if c.Status.State != api.ClusterPending || c.Status.Reason != nil {
		t.Errorf("%s: %+v", c.Status.State, c.Status.Reason)
	}
}

func TestAClusterThatGetsAKubeconfigNeedsNoCloudAnyMore(t *testing.T) {
	w := newWorld(t)
	w.schedule()
	w.wanted("new")
	c := w.untilDecided("new")
	c.Spec.Kubeconfig = kubeconfig
	must(w.clusters.Update(t.Context(), c))(w)
	untilObject(w, w.clusters, "new", func(c *api.Cluster) bool { return c.Status.Conditions.Get(api.Scheduled).Reason == "" })
}

// K-17 with compat: that is the end.
func TestCompatAClusterWithoutACloudHasFailed(t *testing.T) {
	w := newWorld(t)
	w.scheduleBy(asReference)
	w.wanted("new")
	c := w.untilDecided("new")
	w.cloud("late", "")
	w.wanted("probe")
	w.untilDecided("probe")
	if now := must(w.clusters.Get(t.Context(), space, "new"))(w); c.Status.State != api.ClusterFailed || now.Metadata.ResourceVersion != c.Metadata.ResourceVersion {
		t.Errorf("it was written: %+v", now.Status)
	}
}

// which clusters are given a cloud at all.
func TestWhichClustersAreGivenACloud(t *testing.T) {
	w := newWorld(t)
	online := w.report(w.wanted("online"), api.ClusterOnline)
	elsewhere := api.CloudKind.Ref(space, "elsewhere")
	bound := must(w.clusters.PatchStatus(t.Context(), w.wanted("bound"), object{"status": object{"scheduled_to": elsewhere}}))(w)
	failed := w.report(w.wanted("failed"), api.ClusterFailed)
	registered := w.cluster(space, "registered")
	deleted := must(w.clusters.Delete(t.Context(), space, w.wanted("deleted").Metadata.Name, client.DeleteOptions{}))(w)
	w.wanted("pending")
	w.cloud("a", "")
	w.schedule()
	for _, name := range []string{"pending", online.Metadata.Name} {
		if c := w.untilDecided(name); cloudOf(c) != "a" {
			t.Errorf("%s is on %q", name, cloudOf(c))
		}
	}
	if c := w.untilDecided("online"); c.Status.State != api.ClusterOnline {
		t.Errorf("what was ONLINE is %s", c.Status.State)
	}
	w.caughtUp(1)
	for _, c := range []*api.Cluster{bound, failed, registered, deleted} {
		if now := must(w.clusters.Get(t.Context(), space, c.Metadata.Name))(w); now.Metadata.ResourceVersion != c.Metadata.ResourceVersion {
			t.Errorf("%s was written: %+v", c.Metadata.Name, now.Status)
		}
	}
}

// and the rules about constraints that name a label or a metric.
func TestApplicationsSeeWhatAClusterTakesOverFromItsCloud(t *testing.T) {
	inherit := func(c *api.Cluster) { c.Metadata.InheritLabels, c.Spec.InheritMetrics = true, true }
	for name, c := range map[string]struct {
		cloud   string
		has     offer
		cluster func(*api.Cluster)
		app     func(t *testing.T) func(*api.Application)
		want    bool
	}{
		"A-10 a label of a cloud":          {"a", "location=IT", inherit, of(demanding("location is IT")), true},
		"A-11 a label of a global cloud":   {"global-a", "location=IT", inherit, of(demanding("location is IT")), true},
		"A-12, A-25 a metric":              {"a", "load*6", inherit, func(t *testing.T) func(*api.Application) { return limited(t, "load > 5") }, true},
		"A-25 a metric of a global cloud":  {"global-a", "load*6", inherit, func(t *testing.T) func(*api.Application) { return limited(t, "load > 5") }, true},
		"nothing that is not asked for":    {"a", "location=IT", func(*api.Cluster) {}, of(demanding("location is IT")), false},
		"a label that a constraint names":  {"a", "location=IT", cloudLabel("location is IT"), of(demanding("location is IT")), true},
		"but no other one":                 {"a", "location=IT tier=gold", cloudLabel("location is IT"), of(demanding("tier is gold")), false},
		"a metric that a constraint names": {"a", "load*6", cloudMetric("load > 1"), func(t *testing.T) func(*api.Application) { return limited(t, "load > 5") }, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.sources(map[string]float64{"load": 1})
			w.cloud(c.cloud, c.has)
			w.schedule()
			namespace := space
			made := api.New[api.Cluster]()
			made.Metadata.Name, made.Metadata.Namespace, made.Spec.Tosca = "made", &namespace, template
			c.cluster(made)
			must(w.clusters.Create(t.Context(), made))(w)
			w.become(w.untilDecided("made"), api.ClusterOnline)
			a := w.app("echo", c.app(t))
			a = w.until(a, "decided on", func(a *api.Application) bool { return a.Status.Conditions.Get(api.Scheduled).Reason != "" })
			if c.want {
				w.untilOn(a, "made") // it may have been too early for the first time
			} else if place(a) != "" {
				t.Errorf("it is on %s", place(a))
			}
		})
	}
}

func of(edit func(*api.Application)) func(*testing.T) func(*api.Application) {
	return func(*testing.T) func(*api.Application) { return edit }
}

func cloudLabel(text string) func(*api.Cluster) {
	return func(c *api.Cluster) {
		l, err := constraint.ParseLabel(text)
		if err != nil {
			panic(err)
		}
		c.Spec.Constraints.Cloud.Labels = []constraint.Label{l}
	}
}

func cloudMetric(text string) func(*api.Cluster) {
	return func(c *api.Cluster) {
		m, err := constraint.ParseMetric(text)
		if err != nil {
			panic(err)
		}
		c.Spec.Constraints.Cloud.Metrics = []constraint.Metric{m}
	}
}

func TestAChangeOfACloudReachesTheApplicationsOnItsClusters(t *testing.T) {
	w := newWorld(t)
	w.cloud("a", "tier=gold")
	w.schedule()
	namespace := space
	made := api.New[api.Cluster]()
	made.Metadata.Name, made.Metadata.Namespace, made.Metadata.InheritLabels, made.Spec.Tosca = "made", &namespace, true, template
	must(w.clusters.Create(t.Context(), made))(w)
	w.become(w.untilDecided("made"), api.ClusterOnline)
	a := w.untilOn(w.app("echo", demanding("tier is gold")), "made")
	w.cluster(space, "other", "tier", "gold")
	clouds := client.Of[api.Cloud](w.client)
	c := must(clouds.Get(t.Context(), space, "a"))(w)
	c.Metadata.Labels = api.Labels{"tier": "lead"}
	must(clouds.Update(t.Context(), c))(w)
	w.untilOn(a, "other")
	// A cloud that goes takes its labels along, and nothing else happens.
	must(clouds.Delete(t.Context(), space, "a", client.DeleteOptions{}))(w)
	w.caughtUp(1)
	w.untilOn(w.app("next", demanding("tier is gold")), "other")
}
