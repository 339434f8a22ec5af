package core

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/constraint"
)

// Few values, so that constraints hold and fail about equally often.
var (
	places    = rapid.SampledFrom([]string{"DE", "IT", "SK"})
	resources = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"x.y", "y.z"}), 0, 2, rapid.ID[string])
	demands   = rapid.SampledFrom([]string{"location is DE", "location is not DE", "location in (DE, IT)", "tier is gold"})
	limits    = rapid.SampledFrom([]string{"load > 3", "load is not 3"})
)

func drawCluster(t *rapid.T, name string) Cluster {
	c := on(name, offering(resources.Draw(t, "offers")...))
	c.State = rapid.SampledFrom([]api.ClusterState{api.ClusterOnline, api.ClusterOnline, api.ClusterOffline, api.ClusterNotReady}).Draw(t, "state")
	c.Deleting = rapid.IntRange(0, 5).Draw(t, "deleting") == 0
	c.Draining = rapid.IntRange(0, 7).Draw(t, "draining") == 0
	c.Cordoned = c.Draining || rapid.IntRange(0, 7).Draw(t, "cordoned") == 0
	c.Labels = labels{}
	if rapid.Bool().Draw(t, "labelled") {
		c.Labels["location"] = places.Draw(t, "location")
	}
	if rapid.Bool().Draw(t, "gold") {
		c.Labels["tier"] = "gold"
	}
	if rapid.Bool().Draw(t, "measured") {
		c.Metrics = map[string]float64{"load": float64(rapid.IntRange(0, 6).Draw(t, "load"))}
	}
	if rapid.IntRange(0, 9).Draw(t, "elsewhere") == 0 {
		c.Namespace = "other"
	}
	return c
}

func drawApplication(t *rapid.T, clusters int) *api.Application {
	a := application()
	a.Metadata.UID = rapid.StringMatching("[0-9a-f]{8}").Draw(t, "uid")
	c := &a.Spec.Constraints.Cluster
	for _, text := range rapid.SliceOfNDistinct(demands, 0, 2, rapid.ID[string]).Draw(t, "demands") {
		l, err := constraint.ParseLabel(text)
		if err != nil {
			t.Fatal(err)
		}
		c.Labels = append(c.Labels, l)
	}
	c.CustomResources = resources.Draw(t, "asks")
	if rapid.IntRange(0, 3).Draw(t, "limited") == 0 {
		m, err := constraint.ParseMetric(limits.Draw(t, "limit"))
		if err != nil {
			t.Fatal(err)
		}
		c.Metrics = append(c.Metrics, m)
	}
	a.Spec.Constraints.Migration = rapid.IntRange(0, 3).Draw(t, "fixed") != 0
	if n := rapid.IntRange(-1, clusters).Draw(t, "bound"); n >= 0 {
		bound(nameOf(n))(a) // the last is one that does not exist
	}
	if rapid.IntRange(0, 5).Draw(t, "moving") == 0 {
		condition(api.Migrating, api.True)(a)
	}
	if rapid.IntRange(0, 5).Draw(t, "held") == 0 {
		heldUntil(noon.Add(time.Hour))(a)
	}
	return a
}

func nameOf(i int) string { return fmt.Sprintf("c%02d", i) }

func drawWorld(t *rapid.T) ([]Cluster, *api.Application) {
	clusters := make([]Cluster, rapid.IntRange(0, 12).Draw(t, "clusters"))
	for i := range clusters {
		clusters[i] = drawCluster(t, nameOf(i))
	}
	return clusters, drawApplication(t, len(clusters))
}

// admits is written from the rules for users, not from check.
func admits(c Cluster, a *api.Application) bool {
	ok := c.Namespace == a.Metadata.NamespaceOrEmpty() && c.State == api.ClusterOnline && !c.Deleting && !c.Cordoned
	for _, l := range a.Spec.Constraints.Cluster.Labels {
		ok = ok && l.Matches(c.Labels)
	}
	for _, m := range a.Spec.Constraints.Cluster.Metrics {
		ok = ok && m.Matches(c.Metrics)
	}
	for _, name := range a.Spec.Constraints.Cluster.CustomResources {
		ok = ok && slices.Contains(c.CustomResources, name)
	}
	return ok
}

func TestDecisionsHoldWhatTheyPromise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clusters, a := drawWorld(t)
		before, _ := json.Marshal(a)
		d := Decide(NewSnapshot(clusters), a, noon)
		at := slices.IndexFunc(clusters, func(c Cluster) bool { return c.Name == d.Chosen })

		switch d.Outcome {
		case Placed, Moved:
			if at < 0 || !admits(clusters[at], a) {
				t.Fatalf("a cluster was chosen that does not admit the application: %+v", d)
			}
		case Refused:
			if slices.ContainsFunc(clusters, func(c Cluster) bool { return admits(c, a) }) {
				t.Fatalf("refused although a cluster admits the application: %+v", d)
			}
			if d.Chosen != "" || !strings.HasPrefix(d.Reason, Unplaceable) {
				t.Fatalf("a refusal must choose nothing and say so: %+v", d)
			}
		}
		if (d.Outcome == Placed) != (a.Status.ScheduledTo == nil && d.Outcome != Refused) {
			t.Fatalf("placed means for the first time: %+v", d)
		}
		if a.Status.ScheduledTo != nil && d.Outcome != Refused {
			stays := d.Chosen == a.Status.ScheduledTo.Name
			if stays != (d.Outcome == Kept) {
				t.Fatalf("kept means where it is: %+v", d)
			}
			mayNot := !a.Spec.Constraints.Migration || a.Status.Conditions.Get(api.Migrating).Status == api.True ||
				a.Status.MigrationTimeout > noon.Unix()
			if !stays && mayNot {
				t.Fatalf("moved although it may not be: %+v", d)
			}
		}
		if d.Reason == "" {
			t.Fatalf("no reason: %+v", d)
		}
		if after, _ := json.Marshal(a); string(after) != string(before) {
			t.Fatal("the decision changed the application")
		}
	})
}

func TestAPlaceThatIsStillGoodIsKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clusters, a := drawWorld(t)
		first := Decide(NewSnapshot(clusters), a, noon)
		if first.Outcome != Placed && first.Outcome != Moved {
			t.Skip("no place")
		}
		bound(first.Chosen)(a)
		a.Metadata.Owners = a.Metadata.Owners[len(a.Metadata.Owners)-1:]
		at := slices.IndexFunc(clusters, func(c Cluster) bool { return c.Name == first.Chosen })
		// Nothing that happens to the others, and no silence of the cluster itself, moves the application.
		for i := range clusters {
			if i != at {
				clusters[i] = drawCluster(t, clusters[i].Name)
			}
		}
		clusters[at].State = rapid.SampledFrom([]api.ClusterState{api.ClusterOnline, api.ClusterOffline, api.ClusterConnecting}).Draw(t, "later")
		clusters[at].Metrics = nil
		s := NewSnapshot(clusters)
		if d := Decide(s, a, noon); d.Outcome != Kept || d.Chosen != first.Chosen || !Stays(s, a) {
			t.Fatalf("first %+v, then %+v", first, d)
		}
	})
}

func TestTheOrderOfTheClustersDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clusters, a := drawWorld(t)
		one := Decide(NewSnapshot(clusters), a, noon)
		other := Decide(NewSnapshot(rapid.Permutation(clusters).Draw(t, "order")), a, noon)
		if diff := cmp.Diff(one, other, cmp.Comparer(api.Time.Equal)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestAnotherClusterChangesAChoiceOnlyToItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clusters, a := drawWorld(t)
		a.Status.ScheduledTo = nil
		before := Decide(NewSnapshot(clusters), a, noon)
		after := Decide(NewSnapshot(append(clusters, drawCluster(t, "new"))), a, noon)
		if after.Chosen != before.Chosen && after.Chosen != "new" {
			t.Fatalf("a new cluster made the choice go from %q to %q", before.Chosen, after.Chosen)
		}
	})
}

func TestEveryRefusalHasAReason(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clusters, a := drawWorld(t)
		d := Decide(NewSnapshot(clusters), a, noon)
		var refused, looked int64
		for _, n := range d.Refused {
			refused += n
		}
		for _, c := range clusters {
			if c.Namespace == a.Metadata.NamespaceOrEmpty() {
				looked++
				if !admits(c, a) {
					refused--
				}
			}
		}
		if refused != 0 {
			t.Fatalf("the counts differ from the refusals by %d of %d: %+v", refused, looked, d)
		}
		for _, c := range d.Candidates {
			at := slices.IndexFunc(clusters, func(x Cluster) bool { return x.Name == c.Name && x.Namespace == testing1 })
			if c.Refusal == "" && c.Name != d.Current && (at < 0 || !admits(clusters[at], a)) {
				t.Fatalf("%s is refused without a reason: %+v", c.Name, d)
			}
			if code, _, _ := strings.Cut(c.Refusal, ": "); c.Refusal != "" && c.Name != d.Current && d.Refused[code] == 0 {
				t.Fatalf("%s is refused for a reason that is not counted: %+v", c.Name, d)
			}
		}
	})
}

func TestTheRecordStaysSmall(t *testing.T) {
	// Constraints and names as long and as awkward to encode as the API admits.
	long := strings.Repeat("é<\"", 2000)
	name := func(i int) string { return fmt.Sprintf("%s%04d", strings.Repeat("n", 250), i) }
	many := make([]Cluster, 5000)
	for i := range many {
		many[i] = on(name(i))
	}
	s := NewSnapshot(many)
	rapid.Check(t, func(t *rapid.T) {
		var p api.Placement
		newest := api.Decision{}
		for i := range rapid.IntRange(1, 25).Draw(t, "decisions") {
			a := application(bound(name(rapid.IntRange(0, 4999).Draw(t, "bound"))))
			a.Metadata.Generation = int64(i)
			if rapid.IntRange(0, 9).Draw(t, "possible") != 0 {
				a.Spec.Constraints.Cluster.CustomResources = []string{long}
			}
			newest = Decide(s, a, noon)
			p = Remember(p, newest)
		}
		data, err := json.Marshal(p)
		if err != nil || len(data) > MaxRecord || len(p.Decisions) > api.KeptDecisions {
			t.Fatalf("%d decisions in %d bytes, %v", len(p.Decisions), len(data), err)
		}
		if diff := cmp.Diff(newest, p.Decisions[0], cmp.Comparer(api.Time.Equal)); diff != "" {
			t.Fatalf("the newest decision is not the first, or was shortened:\n%s", diff)
		}
	})
}
