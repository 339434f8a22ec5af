package core

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
)

func TestAFirstPlace(t *testing.T) {
	italy, germany := labels{"location": "IT"}, labels{"location": "DE"}
	two := []Cluster{on("de", with(germany)), on("it", with(italy))}
	const crontabs = "crontabs.stable.example.com"
	hundred := []Cluster{on("c000", with(italy))}
	for i := 1; i < 100; i++ {
		hundred = append(hundred, on(fmt.Sprintf("c%03d", i)))
	}
	tests := map[string]struct {
		clusters []Cluster
		app      *api.Application
		want     string // cluster, or the code that most clusters are refused for
	}{
		"A-1 a label that is demanded is there":     {two[1:], application(demanding(t, "location is IT")), "it"},
		"A-2 a label that is demanded is missing":   {[]Cluster{on("a")}, application(demanding(t, "location is IT")), "!label"},
		"A-3 a custom resource is listed":           {[]Cluster{on("a", offering(crontabs))}, application(asking(crontabs)), "a"},
		"A-4 a custom resource is not listed":       {[]Cluster{on("a", offering("x.y"))}, application(asking(crontabs)), "!custom-resource"},
		"A-5 a metric is large enough":              {[]Cluster{on("a", measured(map[string]float64{"load": 6}))}, application(limitedTo(t, "load > 5")), "a"},
		"A-6 a metric is not large enough":          {[]Cluster{on("a", measured(map[string]float64{"load": 5}))}, application(limitedTo(t, "load > 5")), "!metric"},
		"A-7 one of a hundred has the label":        {hundred, application(demanding(t, "location is IT")), "c000"},
		"A-8 all but one are being deleted":         {[]Cluster{on("a", deleted), on("b"), on("c", deleted)}, application(), "b"},
		"A-9 all but one are offline":               {[]Cluster{on("a", in(api.ClusterOffline)), on("b", in(api.ClusterConnecting)), on("c")}, application(), "c"},
		"A-14 the only cluster is elsewhere":        {[]Cluster{on("a", elsewhere)}, application(), "!"},
		"A-15 is":                                   {two, application(demanding(t, "location is DE")), "de"},
		"A-15 in":                                   {two, application(demanding(t, "location in (DE,)")), "de"},
		"A-16 is not":                               {two, application(demanding(t, "location is not DE")), "it"},
		"A-16 not in":                               {two, application(demanding(t, "location not in (DE,)")), "it"},
		"A-20 a cluster without metrics is passed":  {[]Cluster{on("a"), on("b", measured(map[string]float64{"load": 6}))}, application(limitedTo(t, "load > 5")), "b"},
		"A-21 is not, of a label that is missing":   {[]Cluster{on("a")}, application(demanding(t, "location is not DE")), "!label"},
		"is not, of a metric that is missing":       {[]Cluster{on("a")}, application(limitedTo(t, "load is not 5")), "!metric-unknown"},
		"A-17 a constraint decides, not the score":  {[]Cluster{on("de", with(germany), values(1, 0.1)), on("it", with(italy), values(1, 0.9))}, application(demanding(t, "location is DE")), "de"},
		"A-33 two without metrics, one not online":  {[]Cluster{on("a", in(api.ClusterUnhealthy)), on("b")}, application(), "b"},
		"A-35 the metrics of all cannot be read":    {[]Cluster{on("a", func(c *Cluster) { c.Unread = "no answer" })}, application(), "!metrics-unread"},
		"all constraints must hold":                 {two, application(demanding(t, "location is DE", "location is IT")), "!label"},
		"a cordoned cluster takes none":             {[]Cluster{on("a", cordoned)}, application(), "!cordoned"},
		"nor does one that is being drained":        {[]Cluster{on("a", drained)}, application(), "!draining"},
		"nor one that is being evacuated":           {[]Cluster{on("a", evacuated)}, application(), "!deleting"},
		"a cordoned cluster is passed":              {[]Cluster{on("a", cordoned), on("b")}, application(), "b"},
		"there are no clusters":                     {nil, application(), "!"},
		"A-18 a label that looks like a number":     {[]Cluster{on("a", with(labels{"load": "5"})), on("b", with(labels{"load": "15"}))}, application(demanding(t, "load=5")), "a"},
		"A-18 and is not that":                      {[]Cluster{on("a", with(labels{"load": "5"})), on("b", with(labels{"load": "15"}))}, application(demanding(t, "load!=5")), "b"},
		"A-13 no constraints at all":                {two[:1], application(), "de"},
		"A-19 the only cluster is offline":          {[]Cluster{on("a", in(api.ClusterOffline))}, application(), "!not-online"},
		"A-50 no clusters at all":                   {nil, application(), "!"},
		"migration off does not hinder a first one": {two[:1], application(fixed), "de"},
		"nor does a failed move":                    {two[:1], application(heldUntil(noon.Add(time.Hour))), "de"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := Decide(NewSnapshot(test.clusters), test.app, noon)
			if code, refused := strings.CutPrefix(test.want, "!"); refused {
				if d.Outcome != Refused || d.Chosen != "" || code != "" && d.Refused[code] != int64(len(test.clusters)) {
					t.Errorf("want a refusal for %q, got %+v", code, d)
				}
				return
			}
			if d.Outcome != Placed || d.Chosen != test.want {
				t.Errorf("want %s, got %+v", test.want, d)
			}
		})
	}
}

func TestAnApplicationThatHasAPlace(t *testing.T) {
	italy, germany := labels{"location": "IT"}, labels{"location": "DE"}
	spare := on("spare", with(italy))
	here := func(edits ...func(*Cluster)) []Cluster { return []Cluster{on("here", edits...), spare} }
	app := func(edits ...func(*api.Application)) *api.Application {
		return application(append([]func(*api.Application){bound("here")}, edits...)...)
	}
	project := api.ResourceRef{API: "openstack", Kind: "Project", Name: "p"}
	tests := map[string]struct {
		clusters        []Cluster
		app             *api.Application
		outcome, chosen string
		says            string // part of the reason
	}{
		"stays where it matches":                      {here(), app(), Kept, "here", "still matches"},
		"stays on a cluster that does not answer":     {here(in(api.ClusterOffline)), app(), Kept, "here", "still matches"},
		"stays on a cluster that is connecting":       {here(in(api.ClusterConnecting)), app(), Kept, "here", "still matches"},
		"stays on a cluster whose nodes are not well": {here(in(api.ClusterUnhealthy)), app(), Kept, "here", "still matches"},
		"stays when its metric cannot be read":        {here(), app(limitedTo(t, "load > 5")), Kept, "here", "still matches"},
		"leaves when its metric is known and wrong": {
			append(here(measured(map[string]float64{"load": 1})), on("calm", measured(map[string]float64{"load": 6}))),
			app(limitedTo(t, "load > 5")), Moved, "calm", "weighted value is 1"},
		"leaves when the label is gone":                                 {here(), app(demanding(t, "location is IT")), Moved, "spare", "lacks the label"},
		"A-59 A-65 A-66 leaves at once when its constraint was changed": {here(), app(demanding(t, "location is IT"), edited), Moved, "spare", "lacks the label"},
		"A-59 but not while its migration is off":                       {here(), app(fixed, edited, demanding(t, "location is IT")), Kept, "here", "switched off"},
		"leaves when the label differs":                                 {here(with(germany)), app(demanding(t, "location is IT")), Moved, "spare", "the label is DE"},
		"leaves a silent cluster that no longer matches": {here(in(api.ClusterOffline)), app(demanding(t, "location is IT")),
			Moved, "spare", "lacks the label"},
		"leaves when the custom resource is no longer offered": {
			append(here(), on("other", offering("x.y"))), app(asking("x.y")), Moved, "other", "x.y"},
		"leaves when the record of the cluster is gone": {[]Cluster{spare}, app(), Moved, "spare", "no such cluster"},
		"is deleted together with its cluster":          {here(deleted), app(), Kept, "here", "still matches"},
		"leaves a cluster that goes when somebody else owns it, too": {here(deleted), app(ownedBy(project)), Moved, "spare",
			"being deleted"},
		"stays on a cordoned cluster":         {here(cordoned), app(), Kept, "here", "still matches"},
		"leaves a cluster that is drained":    {here(drained), app(), Moved, "spare", "the cluster is being drained"},
		"leaves a cluster that is evacuated":  {here(evacuated), app(), Moved, "spare", "the cluster is being drained"},
		"is drained from a silent cluster":    {here(drained, in(api.ClusterOffline)), app(), Moved, "spare", "being drained"},
		"cannot be drained without migration": {here(drained), app(fixed), Kept, "here", "migration is switched off, although the cluster is being drained"},
		"stays on a drained cluster if there is no other": {[]Cluster{on("here", drained), on("away", in(api.ClusterOffline))}, app(), Kept, "here",
			"It stays on here for now, because there is no other place (1 being drained, 1 not online), although the cluster is being drained."},
		"has its own reason to leave a drained cluster": {[]Cluster{on("here", drained)}, app(demanding(t, "location is IT")), Refused, "",
			"it stays on here, although the cluster lacks the label"},
		"has nowhere to go": {[]Cluster{on("here")}, app(demanding(t, "location is IT")), Refused, "",
			"No matching Kubernetes cluster found: 1 excluded by a label constraint; it stays on here"},
		"stays when migration is off, whatever happens": {here(), app(fixed, demanding(t, "location is IT")), Kept, "here",
			"migration is switched off"},
		"stays when migration is off and the cluster is gone": {[]Cluster{spare}, app(fixed), Kept, "here", "no such cluster"},
		"gets no third cluster during a move": {here(), app(demanding(t, "location is IT"), condition(api.Migrating, api.True)),
			Kept, "here", "a move is under way"},
		"gets no third cluster while it shuts down for a move": {here(),
			app(demanding(t, "location is IT"), condition(api.ShuttingDown, api.True)), Kept, "here", "under way"},
		"moves again after a move has ended": {here(), app(demanding(t, "location is IT"), condition(api.Migrating, api.False)),
			Moved, "spare", ""},
		"A-69 waits after a failed move": {here(), app(demanding(t, "location is IT"), heldUntil(noon.Add(time.Hour))), Kept,
			"here", "until 2026-03-20T13:00:00Z, because a move has failed, and then goes to spare"},
		"moves when the wait is over": {here(), app(demanding(t, "location is IT"), heldUntil(noon)), Moved, "spare", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := NewSnapshot(test.clusters)
			d := Decide(s, test.app, noon)
			if d.Outcome != test.outcome || d.Chosen != test.chosen || d.Current != "here" || !strings.Contains(d.Reason, test.says) {
				t.Errorf("want %s on %q saying %q, got %+v", test.outcome, test.chosen, test.says, d)
			}
			if stays := strings.Contains(d.Reason, "still matches"); Stays(s, test.app) != stays {
				t.Errorf("Stays says %v, Decide %q", !stays, d.Reason)
			}
		})
	}
}

func TestARefusalCountsItsReasonsInWords(t *testing.T) {
	clusters := []Cluster{
		on("a", in(api.ClusterOffline)), on("b", in(api.ClusterPending)), on("c", deleted), on("d"),
		on("e", with(labels{"location": "DE"})), on("f", with(labels{"location": "IT"})),
		on("g", with(labels{"location": "IT"}), offering("x.y")),
		on("h", with(labels{"location": "IT"}), offering("x.y"), measured(map[string]float64{"load": 1})),
	}
	app := application(demanding(t, "location is IT"), asking("x.y"), limitedTo(t, "load > 5"))
	d := Decide(NewSnapshot(clusters), app, noon)
	const want = "No matching Kubernetes cluster found: 1 being deleted, 2 not online, 2 excluded by a label constraint, " +
		"1 without a custom resource that is asked for, 1 without a known value of a metric that a constraint names, " +
		"1 excluded by a metric constraint"
	if d.Reason != want {
		t.Errorf("got  %s\nwant %s", d.Reason, want)
	}
	refusals := map[string]string{}
	for _, c := range d.Candidates {
		refusals[c.Name] = c.Refusal
	}
	for name, refusal := range map[string]string{
		"a": "not-online: the cluster is OFFLINE, not ONLINE",
		"c": "deleting: the cluster is being deleted",
		"d": `label: the cluster lacks the label that "location is IT" is about`,
		"e": `label: "location is IT" does not hold, the label is DE`,
		"f": "custom-resource: the cluster does not list the custom resource x.y",
		"g": `metric-unknown: no value is known of the metric that "load > 5" is about`,
		"h": `metric: "load > 5" does not hold, the weighted value is 1`,
	} {
		if refusals[name] != refusal {
			t.Errorf("%s: got %q, want %q", name, refusals[name], refusal)
		}
	}
}

func TestEqualClustersShareTheApplications(t *testing.T) {
	var clusters []Cluster
	for i := range 10 {
		clusters = append(clusters, on(fmt.Sprint("c", i)))
	}
	s := NewSnapshot(clusters)
	count := map[string]int{}
	for i := range 1000 {
		a := application()
		a.Metadata.UID = fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
		count[Decide(s, a, noon).Chosen]++
	}
	for _, c := range clusters {
		// 100 are expected; six standard deviations are 57.
		if n := count[c.Name]; n < 43 || n > 157 {
			t.Errorf("%s got %d of 1000 applications", c.Name, n)
		}
	}
}

func TestWhatAChangeOfAClusterMayMean(t *testing.T) {
	cluster := func(edit func(*api.Cluster)) *api.Cluster {
		namespace := testing1
		c := api.New[api.Cluster]()
		c.Metadata.Name, c.Metadata.Namespace, c.Metadata.UID = "a", &namespace, "uid"
		c.Status.State = api.ClusterOnline
		edit(c)
		return c
	}
	same := cluster(func(*api.Cluster) {})
	offline := cluster(func(c *api.Cluster) { c.Status.State = api.ClusterOffline })
	labelled := cluster(func(c *api.Cluster) { c.Metadata.Labels = labels{"location": "IT"} })
	crd := cluster(func(c *api.Cluster) { c.Spec.CustomResources = []string{"x.y"} })
	marked := cluster(func(c *api.Cluster) { at := api.At(noon); c.Metadata.Deleted = &at })
	cordon := cluster(func(c *api.Cluster) { c.Spec.Unschedulable = true })
	drain := cluster(func(c *api.Cluster) { c.Spec.Drain = true })
	evacuation := cluster(func(c *api.Cluster) { c.Metadata.Deleted, c.Metadata.Deletion = marked.Metadata.Deleted, api.Evacuate })
	again := cluster(func(c *api.Cluster) { c.Metadata.UID = "another" })
	heard := cluster(func(c *api.Cluster) { c.Metadata.ResourceVersion, c.Status.Version = "17", "v1.36.4" })
	tests := map[string]struct {
		before, after *api.Cluster
		want          Change
	}{
		"a sign of life means nothing":                {same, heard, Change{}},
		"a new one may take those that wait":          {nil, same, Change{Any: true, Bound: true, Waiting: true}},
		"a new one that is not online takes nobody":   {nil, offline, Change{Any: true, Bound: true}},
		"one that answers again may take waiting":     {offline, same, Change{Any: true, Waiting: true}},
		"one that falls silent keeps what it has":     {same, offline, Change{Any: true}},
		"labels matter to all":                        {same, labelled, Change{Any: true, Bound: true, Waiting: true}},
		"custom resources matter to all":              {same, crd, Change{Any: true, Bound: true, Waiting: true}},
		"a cordon keeps those that wait away":         {same, cordon, Change{Any: true, Bound: true}},
		"its end lets them come":                      {cordon, same, Change{Any: true, Bound: true, Waiting: true}},
		"a drain matters to those bound to it":        {same, drain, Change{Any: true, Bound: true}},
		"an evacuation matters to those bound to it":  {marked, evacuation, Change{Any: true, Bound: true}},
		"a deletion matters to those bound to it":     {same, marked, Change{Any: true, Bound: true}},
		"one that is gone matters to those bound":     {same, nil, Change{Any: true, Bound: true}},
		"another one of the same name matters to all": {same, again, Change{Any: true, Bound: true, Waiting: true}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Compare(test.before, test.after); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// values are metrics of a cluster as pairs of a weight and a normalised value.
func values(pairs ...float64) func(*Cluster) {
	return func(c *Cluster) {
		var all []Measurement
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, Measurement{Name: fmt.Sprint("m", i), Weight: pairs[i], Normalised: pairs[i+1], Merit: pairs[i+1]})
		}
		c.Measure(all)
	}
}

// The reference's worked examples of a first placement, and what they do not say.
func TestMetricsDecide(t *testing.T) {
	for name, c := range map[string]struct {
		clusters []Cluster
		want     string
		score    float64
		says     string
	}{
		"W1 the higher mean":               {[]Cluster{on("c1", values(0.9, 10, 0.1, 1)), on("c2", values(0.9, 1, 0.1, 10))}, "c1", 9.1, "the best score, 9.1, and c2 the next, 1.9"},
		"W1 in the range":                  {[]Cluster{on("c1", values(10, 0.9, 1, 0.1)), on("c2", values(1, 0.9, 10, 0.1))}, "c1", 0.827272727, "the best score, 0.827, and c2 the next, 0.173"},
		"W6 metrics come before none":      {[]Cluster{on("x"), on("m1", values(0.9, 0.4, 1, 1)), on("m2", values(0.5, 0.4, 1, 1))}, "m2", 0.8, "and m1 the next"},
		"W10 also with a score of nothing": {[]Cluster{on("f"), on("e", values(1, 0))}, "e", 0, "e is the only one with metrics"},
		"A-31 A-32 metrics before none":    {[]Cluster{on("a"), on("b", values(1, 0.4))}, "b", 0.4, "b is the only one with metrics"},
		"A-36 one that can be read":        {[]Cluster{on("a"), on("b", func(c *Cluster) { c.Unread = "no answer" }), on("c", values(1, 0.4))}, "c", 0.4, ""},
		"A-42 a score of two metrics":      {[]Cluster{on("a", values(1.5, 0.8, 1, 0.7)), on("b", values(1, 0.8, 1.5, 0.7))}, "a", 0.76, "0.76, and b the next, 0.74"},
		"A-43 the higher one":              {[]Cluster{on("a", values(1, 0.15)), on("b", values(1, 0.75))}, "b", 0.75, ""},
		"A-46 the one without metrics":     {[]Cluster{on("a", func(c *Cluster) { c.Unread = "no answer" }), on("b")}, "b", 0, "Only b matches"},
		"A-48 one that can be read again":  {[]Cluster{on("a", values(1, 0.4)), on("b")}, "a", 0.4, ""},
		"weights that are none":            {[]Cluster{on("a", values(0, 1)), on("b", values(1, 0.1))}, "b", 0.1, ""},
		"weights below nothing":            {[]Cluster{on("a", values(-1, 1)), on("b", values(1, 0.1))}, "b", 0.1, ""},
		"one that cannot be read":          {[]Cluster{on("a", func(c *Cluster) { c.Unread = "no answer" }), on("b")}, "b", 0, "Only b matches"},
		"A-9 the best one is offline":      {[]Cluster{on("a", values(1, 0.9), in(api.ClusterOffline)), on("b", values(1, 0.2))}, "b", 0.2, "Only b"},
	} {
		t.Run(name, func(t *testing.T) {
			d := Decide(NewSnapshot(c.clusters), application(), noon)
			if d.Outcome != Placed || d.Chosen != c.want || !strings.Contains(d.Reason, c.says) {
				t.Fatalf("%+v", d)
			}
			if got := d.Candidates[0]; got.Name != c.want || math.Abs(got.Score-c.score) > 1e-8 {
				t.Errorf("the first candidate is %+v, want a score of %g", got, c.score)
			}
		})
	}
}

// W4: what is equally good is spread, and the same for an application each time.
func TestEquallyGoodClustersAreSpread(t *testing.T) {
	tenth := values(0.3, 0.1, 0.3, 0.1, 0.4, 0.1) // sums to 0.1, but for a rounding
	s := NewSnapshot([]Cluster{on("a", values(1, 0.1)), on("b", tenth), on("c", values(1, 0.05)), on("d")})
	chosen := map[string]int{}
	for i := range 200 {
		app := application(func(a *api.Application) { a.Metadata.UID = fmt.Sprint("uid-", i) })
		first, again := Decide(s, app, noon), Decide(s, app, noon)
		if first.Chosen != again.Chosen {
			t.Fatalf("once %s, once %s", first.Chosen, again.Chosen)
		}
		chosen[first.Chosen]++
		if !strings.Contains(first.Reason, "this application's share") {
			t.Fatal(first.Reason)
		}
	}
	if chosen["a"] < 60 || chosen["b"] < 60 || len(chosen) != 2 {
		t.Errorf("chosen were %v", chosen)
	}
}

func TestWhoIsThereStaysThoughMetricsCannotBeRead(t *testing.T) {
	unread := func(c *Cluster) { c.Unread = "no answer" }
	app := application(bound("here"), limitedTo(t, "load > 5"))
	d := Decide(NewSnapshot([]Cluster{on("here", unread), on("there", values(1, 1))}), app, noon)
	if d.Outcome != Kept || d.Chosen != "here" {
		t.Errorf("%+v", d)
	}
	d = Decide(NewSnapshot([]Cluster{on("a", unread)}), application(), noon)
	if d.Outcome != Refused || d.Refused[string(Unread)] != 1 || !strings.Contains(d.Reason, "1 whose metrics cannot be read") ||
		!strings.Contains(d.Candidates[0].Refusal, "its metrics cannot be read: no answer") {
		t.Errorf("%+v", d)
	}
}
