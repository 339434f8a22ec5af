package core

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
)

// known makes a cluster one that was reached before, under an identity of its own.
func known(c *Cluster) { c.Identity = "id-of-" + c.Name }

// silent makes a cluster one that has not answered for a while before noon.
func silent(ago time.Duration) func(*Cluster) {
	return func(c *Cluster) {
		known(c)
		c.State, c.SilentSince = api.ClusterOffline, noon.Add(-ago)
	}
}

func stopsFirst(a *api.Application) { a.Spec.MigrationStrategy = api.MigrateDeleteFirst }

func made(manifest ...map[string]any) func(*api.Application) {
	return func(a *api.Application) { a.Spec.Manifest = manifest }
}

func inAppState(state api.ApplicationState) func(*api.Application) {
	return func(a *api.Application) { a.Status.State = state }
}

func TestWhoLeavesASilentCluster(t *testing.T) {
	long := 6 * time.Minute
	job := map[string]any{"apiVersion": "batch/v1", "kind": "Job", "metadata": map[string]any{"name": "sum"}}
	web := map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "web"}}
	claim := map[string]any{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": map[string]any{"name": "files"}}
	all := func(list ...Cluster) []Cluster { return list }
	two := all(on("a", silent(long)), on("b", known))
	for name, c := range map[string]struct {
		clusters []Cluster
		edits    []func(*api.Application)
		outcome  string
		code     string // empty when there is nothing to say
		says     string
		again    time.Duration
	}{
		"it goes to the place that is left": {two, nil, Moved, "dead",
			"It moves from a to b: the cluster has not answered since 2026-03-20T11:54:00Z. Until that answers again, it may run in both places.", 0},
		"a manifest that may run twice":         {two, edits(made(web)), Moved, "dead", "", 0},
		"the cluster answers":                   {all(on("a", known), on("b", known)), nil, Kept, "", "", 0},
		"it has not been silent for so long":    {all(on("a", silent(4*time.Minute)), on("b", known)), nil, Kept, "", "", time.Minute},
		"its silence begins in the future":      {all(on("a", silent(-time.Hour)), on("b", known)), nil, Kept, "", "", 65 * time.Minute},
		"just long enough":                      {all(on("a", silent(5*time.Minute)), on("b", known)), nil, Moved, "dead", "", 0},
		"its nodes are ill, but it answers":     {all(on("a", known, in(api.ClusterNotReady)), on("b", known)), nil, Kept, "", "", 0},
		"a move is under way":                   {two, edits(condition(api.Migrating, api.True)), Kept, "", "", 0},
		"its migration is off":                  {two, edits(fixed), Kept, "migration-off", "It stays on a because its migration is switched off, although the cluster has not answered since", 0},
		"it has files":                          {two, edits(made(claim)), Kept, "has-files", "files", 0},
		"it asks to be stopped first":           {two, edits(stopsFirst), Kept, "stops-first", "it may still run there and must not run twice: the application asks for it", 0},
		"its files are to come along":           {two, edits(made(claim), files(api.DataCopy)), Kept, "has-files", "a cluster that does not answer gives none", 0},
		"it must not run twice":                 {two, edits(made(job)), Kept, "stops-first", "Job sum would do its work twice", 0},
		"it has done its work":                  {two, edits(inAppState(api.AppCompleted)), Kept, "not-running", "", 0},
		"a move has failed a short while ago":   {two, edits(heldUntil(noon.Add(time.Minute))), Waiting, "failed-move", "", time.Minute},
		"there is no other place":               {all(on("a", silent(long)), on("b", known, cordoned)), nil, Kept, "no-place", "no other place (1 cordoned, 1 not online)", 0},
		"all are silent, but they are only two": {all(on("a", silent(long)), on("b", silent(long))), nil, Kept, "no-place", "2 not online", 0},
		"three of four at once": {all(on("a", silent(long)), on("b", silent(long)), on("c", silent(time.Second)), on("d", known)), nil,
			Waiting, "many-silent", "3 of 4 clusters have fallen silent within ten minutes, so Krake is likely the one that is cut off", time.Minute},
		"three of four, one much earlier":    {all(on("a", silent(long)), on("b", silent(long)), on("c", silent(17*time.Minute)), on("d", known)), nil, Moved, "dead", "", 0},
		"three of ten are no more than 30 %": {append(fleetOf(7), on("a", silent(long)), on("b", silent(long)), on("c", silent(long))), nil, Moved, "dead", "", 0},
		"four of ten are more":               {append(fleetOf(6), on("a", silent(long)), on("b", silent(long)), on("c", silent(long)), on("x", silent(long))), nil, Waiting, "many-silent", "4 of 10", time.Minute},
		"also in other namespaces": {all(on("a", silent(long)), on("b", known), on("c", silent(long), elsewhere), on("d", silent(long), elsewhere)), nil,
			Waiting, "many-silent", "3 of 4", time.Minute},
		"records of one cluster are one cluster": {all(on("a", silent(long)), on("b", known), on("c", silent(long), sameAs("a")), on("d", silent(long), elsewhere, sameAs("a"))), nil,
			Moved, "dead", "", 0},
		"one that was never reached is no sign of anything": {all(on("a", silent(long)), on("b", known), on("c", in(api.ClusterOffline)), on("d", in(api.ClusterOffline))), nil,
			Moved, "dead", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			a := application(append(edits(bound("a")), c.edits...)...)
			s := NewSnapshot(c.clusters)
			if !Stays(s, a) {
				t.Fatal("it would have to leave anyway")
			}
			v := Rescue(s, a, DefaultRules, noon)
			if v.Outcome != c.outcome || v.Code != c.code || v.Again != c.again || !strings.Contains(v.Reason, c.says) {
				t.Errorf("%s (%s), again after %s: %s", v.Outcome, v.Code, v.Again, v.Reason)
			}
			d := v.Record(s, a, noon)
			if want := map[string]string{Moved: "b"}[v.Outcome]; want != "" && d.Chosen == "a" || want == "" && d.Chosen != "a" {
				t.Errorf("the record says %+v", d)
			}
			if c.outcome == Moved && !strings.HasPrefix(d.Candidates[1].Refusal, "dead: ") {
				t.Errorf("the record says %+v", d.Candidates)
			}
		})
	}
	if v := Rescue(NewSnapshot(two), application(bound("a")), Rules{}, noon); v.Code != "" || v.Again != 0 {
		t.Errorf("it is switched off, and %s: %s", v.Outcome, v.Reason)
	}
}

func edits(all ...func(*api.Application)) []func(*api.Application) { return all }

func sameAs(name string) func(*Cluster) { return func(c *Cluster) { c.Identity = "id-of-" + name } }

// fleetOf returns so many clusters that answer.
func fleetOf(n int) []Cluster {
	out := make([]Cluster, n)
	for i := range out {
		out[i] = on(fmt.Sprint("k", i), known)
	}
	return out
}

// Whatever the clusters are like: who leaves goes where it may be, and nobody leaves who may not.
func TestARescueHoldsWhatItPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clusters, a := drawWorld(t)
		for i := range clusters {
			known(&clusters[i])
			if clusters[i].State == api.ClusterOffline {
				clusters[i].SilentSince = noon.Add(-time.Duration(rapid.IntRange(0, 3600).Draw(t, "silent")) * time.Second)
			}
		}
		if rapid.Bool().Draw(t, "stops first") {
			stopsFirst(a)
		}
		s := NewSnapshot(clusters)
		if !Stays(s, a) {
			return // it must leave anyway
		}
		v := Rescue(s, a, DefaultRules, noon)
		if v.Outcome == Moved && (!admits(*v.There, a) || noon.Sub(v.Here.SilentSince) < DefaultRules.FailoverAfter) {
			t.Fatalf("it goes from %+v to %+v", v.Here, v.There)
		}
		if _, stops := a.StopsFirst(); v.Outcome == Moved && (stops || !a.Spec.Constraints.Migration || a.Status.MigrationTimeout > noon.Unix()) {
			t.Fatalf("it moves, and may not: %s", v.Reason)
		}
		if (v.Code == "") != (v.Reason == "") {
			t.Fatalf("the code %q, for the reason %q", v.Code, v.Reason)
		}
	})
}

func TestASilenceWakesWhatIsBoundThere(t *testing.T) {
	at := func(reason string, seconds int) *api.Cluster {
		c := api.New[api.Cluster]()
		c.Metadata.UID, c.Status.Identity, c.Status.State = "u", "id", api.ClusterOffline
		c.Status.Conditions = c.Status.Conditions.With(api.Condition{Type: api.Reachable, Status: api.False, Reason: reason}, api.At(noon.Add(time.Duration(seconds)*time.Second)))
		return c
	}
	silent := string(api.ClusterNotReachable)
	for name, c := range map[string]struct {
		before, after *api.Cluster
		want          bool
	}{
		"the same silence":               {at(silent, 0), at(silent, 0), false},
		"another one":                    {at(silent, 0), at(silent, 9), true},
		"one that refuses is not silent": {at(api.Refuses, 0), at(api.Refuses, 9), false},
		"it does not even refuse":        {at(api.Refuses, 0), at(silent, 9), true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Compare(c.before, c.after); got.Bound != c.want {
				t.Errorf("%+v", got)
			}
		})
	}
}
