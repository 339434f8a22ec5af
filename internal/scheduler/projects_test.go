package scheduler

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/constraint"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

func (w world) magnums() client.Set[api.MagnumCluster, *api.MagnumCluster] {
	return client.Of[api.MagnumCluster](w.client)
}

// project registers a project of the namespace, whose template has its name.
func (w world) project(name string, o offer) *api.Project {
	w.Helper()
	return w.projectIn(space, name, o)
}

func (w world) projectIn(namespace, name string, o offer) *api.Project {
	w.Helper()
	p := api.New[api.Project]()
	p.Metadata.Name, p.Metadata.Namespace, p.Metadata.Labels = name, &namespace, o.labels()
	p.Spec = api.ProjectSpec{URL: "http://ks", Template: "template of " + name, Metrics: o.metrics(), Auth: api.ProjectAuth{
		Type: "password", Password: &api.ProjectPassword{User: api.ProjectUser{ID: "u", Password: "p"}, Project: api.ProjectRef{ID: "p"}}}}
	return must(client.Of[api.Project](w.client).Create(w.Context(), p))(w)
}

// magnum hands in a Magnum cluster, with labels and metrics of its own, and constraints on its project.
func (w world) magnum(name string, has offer, constraints ...string) *api.MagnumCluster {
	w.Helper()
	namespace := space
	c := api.New[api.MagnumCluster]()
	c.Metadata.Name, c.Metadata.Namespace, c.Metadata.Labels, c.Spec.Metrics = name, &namespace, has.labels(), has.metrics()
	for _, text := range constraints {
		l := must(constraint.ParseLabel(text))(w)
		if c.Spec.Constraints == nil {
			c.Spec.Constraints = &api.ProjectConstraints{Project: &api.ProjectLabels{}}
		}
		c.Spec.Constraints.Project.Labels = append(c.Spec.Constraints.Project.Labels, l)
	}
	return must(w.magnums().Create(w.Context(), c))(w)
}

func (w world) untilMagnum(name string) *api.MagnumCluster {
	w.Helper()
	return untilObject(w, w.magnums(), name, func(c *api.MagnumCluster) bool {
		return c.Status.Conditions.Get(api.Scheduled).Status != api.Unknown
	})
}

func projectOf(c *api.MagnumCluster) string {
	if c.Status.Project == nil {
		return ""
	}
	return c.Status.Project.Name
}

// Rows M-1 to M-11 of the acceptance tests: in which project Magnum makes a cluster.
func TestTheProjectOfAMagnumCluster(t *testing.T) {
	values := map[string]float64{"low": 0.1, "mid": 0.4}
	for name, c := range map[string]struct {
		projects    map[string]offer
		constraints []string
		want        string // names, of which one is chosen; or the beginning of a reason
	}{
		"M-1 a label that matches":            {map[string]offer{"a": "location=IT", "b": ""}, []string{"location is IT"}, "a"},
		"M-1 no label":                        {map[string]offer{"a": ""}, []string{"location is IT"}, "No matching OpenStack project found: 1 excluded by a label"},
		"M-1 no constraints":                  {map[string]offer{"a": "location=IT"}, nil, "a"},
		"M-2 metrics of both kinds":           {map[string]offer{"a": "low*1", "b": "own:mid*1"}, nil, "b"},
		"M-5 with a metric before without":    {map[string]offer{"a": "", "b": "low*1"}, nil, "b"},
		"M-6 none with metrics":               {map[string]offer{"a": "", "b": ""}, nil, "a b"},
		"M-7 one of a hundred":                {hundred(), []string{"location is IT"}, "it"},
		"M-8 the only one cannot be read":     {map[string]offer{"a": "silent*1"}, nil, "No OpenStack project available: 1 whose metrics cannot be read"},
		"M-9 there is no falling back":        {map[string]offer{"a": "silent*1", "b": ""}, nil, "No OpenStack project available: 1 whose metrics cannot be read, 1 without metrics"},
		"M-9 of those that match":             {map[string]offer{"a": "silent*1", "b": "location=IT"}, []string{"location is IT"}, "b"},
		"M-10 without labels and metrics":     {map[string]offer{"a": ""}, nil, "a"},
		"M-11 no project at all":              {nil, nil, "No matching OpenStack project found: there are no projects"},
		"one that can be read before another": {map[string]offer{"a": "silent*1", "b": "low*1"}, nil, "b"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.sources(values)
			for name, o := range c.projects {
				w.project(name, o)
			}
			w.schedule()
			w.magnum("new", "", c.constraints...)
			got := w.untilMagnum("new")
			if strings.HasPrefix(c.want, "No ") {
				if r := got.Status.Reason; projectOf(got) != "" || got.Status.State != api.MagnumFailed || r == nil ||
					r.Code != api.NoSuitableResource || !strings.HasPrefix(r.Message, c.want) {
					t.Errorf("in %q, %s: %+v", projectOf(got), got.Status.State, r)
				}
				return
			}
			if !slices.Contains(strings.Fields(c.want), projectOf(got)) || got.Status.State != api.MagnumPending {
				t.Errorf("in %q, %+v, want %s", projectOf(got), got.Status, c.want)
			}
		})
	}
}

// M-7
func TestAProjectThatIsBeingDeletedIsPassed(t *testing.T) {
	w := newWorld(t)
	for i := range 10 {
		p := w.project(fmt.Sprint("p", i), "")
		if i != 7 {
			must(client.Of[api.Project](w.client).Delete(t.Context(), space, p.Metadata.Name, client.DeleteOptions{}))(w)
		}
	}
	w.schedule()
	w.magnum("new", "")
	if c := w.untilMagnum("new"); projectOf(c) != "p7" {
		t.Errorf("in %q", projectOf(c))
	}
}

// M-4, and that it says so when they can be read again.
func TestAProjectSaysThatItsMetricsCannotBeRead(t *testing.T) {
	w := newWorld(t)
	w.sources(map[string]float64{"mid": 0.5})
	w.project("a", "nothing*1 silent*1 lost*1 missing*1 mid*1")
	w.schedule()
	projects := client.Of[api.Project](w.client)
	p := untilObject(w, projects, "a", func(p *api.Project) bool { return len(p.Status.MetricsReasons) == 4 })
	want := map[string]api.ReasonCode{"nothing": api.UnknownMetric, "silent": api.UnreachableMetricsProvider,
		"lost": api.UnknownMetricsProvider, "missing": api.InvalidMetric}
	for name, code := range want {
		if p.Status.State != api.MetricsFailing || p.Status.MetricsReasons[name].Code != code {
			t.Errorf("%s: %s is %+v", p.Status.State, name, p.Status.MetricsReasons[name])
		}
	}
	p.Spec.Metrics = p.Spec.Metrics[4:]
	must(projects.Update(t.Context(), p))(w)
	untilObject(w, projects, "a", func(p *api.Project) bool {
		return p.Status.State == api.MetricsOnline && len(p.Status.MetricsReasons) == 0
	})
}

// M-10: what the cluster that Magnum makes will have is on the Magnum cluster when it is bound.
func TestAMagnumClusterTakesOverWhatItsProjectHas(t *testing.T) {
	w := newWorld(t)
	w.sources(map[string]float64{"mid": 0.5, "low": 0.1})
	w.project("a", "tier=gold location=IT mid*1 low*2")
	w.schedule()
	w.magnum("new", "tier=lead low*7")
	c := w.untilMagnum("new")
	ref := api.ProjectKind.Ref(space, "a")
	if !api.SameRef(c.Status.Project, &ref) || c.Status.Template == nil || *c.Status.Template != "template of a" || !slices.ContainsFunc(c.Metadata.Owners, ref.Equal) {
		t.Errorf("%+v, owned by %v", c.Status, c.Metadata.Owners)
	}
	if want := (api.Labels{"tier": "lead", "location": "IT"}); !maps.Equal(c.Metadata.Labels, want) {
		t.Errorf("its labels are %v", c.Metadata.Labels)
	}
	if want := []api.MetricRef{{Name: "low", Weight: 7}, {Name: "mid", Weight: 1}}; !slices.Equal(c.Spec.Metrics, want) {
		t.Errorf("its metrics are %v", c.Spec.Metrics)
	}
	var p api.Placement
	must(w.magnums().GetPart(t.Context(), c, api.PlacementPart, &p))(w)
	if len(p.Decisions) != 1 || p.Decisions[0].Outcome != core.Placed || p.Decisions[0].Chosen != "a" {
		t.Errorf("the record is %+v", p)
	}
}

// What changes nothing is not even asked for: the reference's server refuses that.
func TestAProjectThatHasNothingToTakeOverLeavesTheMagnumClusterAsItIs(t *testing.T) {
	var patched atomic.Int64
	w := newWorldThrough(t, func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/magnumclusters/new") {
				patched.Add(1)
			}
			return next.RoundTrip(r)
		})
	})
	w.project("a", "")
	w.schedule()
	before := w.magnum("new", "tier=gold")
	c := w.untilMagnum("new")
	if patched.Load() > 0 || c.Metadata.Generation != before.Metadata.Generation || c.Metadata.Modified != before.Metadata.Modified || projectOf(c) != "a" {
		t.Errorf("in %q, %+v", projectOf(c), c.Metadata)
	}
}

//
func TestWhichMagnumClustersAreGivenAProject(t *testing.T) {
	w := newWorld(t)
	set := w.magnums()
	elsewhere := object{"status": object{"project": api.ProjectKind.Ref(space, "elsewhere")}}
	bound := must(set.PatchStatus(t.Context(), w.magnum("bound", ""), elsewhere))(w)
	running := must(set.PatchStatus(t.Context(), w.magnum("running", ""), elsewhere))(w)
	running = must(set.PatchStatus(t.Context(), running, object{"status": object{"state": api.MagnumRunning}}))(w)
	failed := must(set.PatchStatus(t.Context(), w.magnum("failed", ""), object{"status": object{"state": api.MagnumFailed}}))(w)
	deleted := must(set.Delete(t.Context(), space, w.magnum("deleted", "").Metadata.Name, client.DeleteOptions{}))(w)
	w.magnum("pending", "")
	w.projectIn("other", "not-here", "")
	w.project("here", "")
	w.schedule()
	if c := w.untilMagnum("pending"); projectOf(c) != "here" {
		t.Errorf("it is in %q", projectOf(c))
	}
	w.magnum("probe", "")
	w.untilMagnum("probe")
	for _, c := range []*api.MagnumCluster{bound, running, failed, deleted} {
		if now := must(set.Get(t.Context(), space, c.Metadata.Name))(w); now.Metadata.ResourceVersion != c.Metadata.ResourceVersion {
			t.Errorf("%s was written: %+v", c.Metadata.Name, now.Status)
		}
	}
}

// M-11, without the end: a project that comes is taken, and while none comes nothing is written again and again.
func TestAMagnumClusterWithoutAProjectGetsOneThatComes(t *testing.T) {
	var writes atomic.Int64
	w := newWorldThrough(t, func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/magnumclusters/new/status") {
				writes.Add(1)
			}
			return next.RoundTrip(r)
		})
	})
	w.schedule()
	w.magnum("new", "", "tier is gold")
	w.untilMagnum("new")
	w.project("silver", "tier=silver")
	w.magnum("probe", "", "tier is silver")
	w.untilMagnum("probe")
	untilObject(w, w.magnums(), "new", func(c *api.MagnumCluster) bool {
		return strings.HasSuffix(c.Status.Reason.Message, "1 excluded by a label constraint")
	})
	if n := writes.Load(); n > 3 {
		t.Errorf("it was refused %d times", n)
	}
	w.project("gold", "tier=gold")
	c := untilObject(w, w.magnums(), "new", func(c *api.MagnumCluster) bool { return projectOf(c) == "gold" })
	if c.Status.State != api.MagnumPending || c.Status.Reason != nil {
		t.Errorf("%s: %+v", c.Status.State, c.Status.Reason)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// One object that cannot be written stops no other, however often it fails.
func TestABadMagnumClusterStopsNoOther(t *testing.T) {
	var refused atomic.Int64
	w := newWorldThrough(t, func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodPost && r.Method != http.MethodGet && strings.Contains(r.URL.Path, "/magnumclusters/bad") {
				refused.Add(1)
				return &http.Response{StatusCode: http.StatusInternalServerError, Header: http.Header{"Content-Type": {"application/problem+json"}},
					Body: io.NopCloser(strings.NewReader(`{"title":"INTERNAL","detail":"no"}`)), Request: r}, nil
			}
			return next.RoundTrip(r)
		})
	})
	w.project("a", "tier=gold")
	for i := range 10 {
		w.magnum(fmt.Sprint("bad", i), "")
	}
	w.schedule()
	for deadline := time.Now().Add(patience); refused.Load() < 20; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody tries the bad ones")
		}
	}
	for i := range 10 {
		w.magnum(fmt.Sprint("good", i), "")
	}
	for i := range 10 {
		if c := w.untilMagnum(fmt.Sprint("good", i)); projectOf(c) != "a" {
			t.Errorf("good%d is in %q", i, projectOf(c))
		}
	}
}
