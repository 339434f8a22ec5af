package scenario

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// outages are what clusters go through in a draw. They never overlap for one cluster, so that it is easy to say how long
// each has been silent.
type outages []Outage

// silentSince is since when a cluster has been silent at a time; ok is false when it answers.
func (o outages) silentSince(cluster string, at time.Duration) (since time.Duration, ok bool) {
	for _, x := range o {
		if x.Cluster == cluster && at >= x.From && at < x.To {
			return x.From, true
		}
	}
	return 0, false
}

// drawFleet draws clusters that fall silent, alone or at about the same time, and applications of all kinds.
func drawFleet(t *rapid.T) (*Scenario, outages) {
	s := &Scenario{Step: time.Minute, Rules: core.DefaultRules}
	r := reader{Scenario: s}
	n := rapid.IntRange(2, 9).Draw(t, "clusters")
	var gone outages
	common := rapid.IntRange(60, 3000).Draw(t, "the time of an accident")
	for i := range n {
		name := fmt.Sprint("c", i)
		if err := r.cluster(name); err != nil {
			t.Fatal(err)
		}
		end := 20 // seconds: all are there when the applications come
		for range rapid.IntRange(0, 3).Draw(t, "outages") {
			from := end + rapid.IntRange(1, 1200).Draw(t, "from")
			if rapid.Bool().Draw(t, "in the accident") {
				from = max(from, common+rapid.IntRange(0, 300).Draw(t, "after it"))
			}
			end = from + rapid.OneOf(rapid.IntRange(10, 299), rapid.IntRange(300, 5000)).Draw(t, "long")
			gone = append(gone, Outage{From: time.Duration(from) * time.Second, To: time.Duration(end) * time.Second, Cluster: name})
		}
	}
	s.Outages = gone
	for i := range rapid.IntRange(1, 40).Draw(t, "applications") {
		kind := rapid.SampledFrom([]string{"", "", "", " stops-first", " files", " fixed"}).Draw(t, "kind")
		a, err := parseApp(fmt.Sprint("a", i, kind))
		if err != nil {
			t.Fatal(err)
		}
		s.Apps = append(s.Apps, a)
	}
	if rapid.Bool().Draw(t, "restarts") {
		s.Restart = time.Duration(rapid.IntRange(10, 900).Draw(t, "every")) * time.Second
	}
	for range rapid.IntRange(0, 3).Draw(t, "jumps") {
		jump := time.Duration(rapid.IntRange(-7200, 7200).Draw(t, "ahead")) * time.Second
		s.Events = append(s.Events, Event{At: time.Duration(rapid.IntRange(0, 6000).Draw(t, "at")) * time.Second, do: func(w *World) { w.ahead += jump }})
	}
	s.Events = append(s.Events, Event{At: 75 * time.Minute, do: func(*World) {}})
	return s, gone
}

// departure is an application that has left a silent cluster.
type departure struct {
	app      *resident
	from, to string
	at       time.Duration
}

// departures runs a scenario and gives each application that leaves a silent cluster to seen.
func departures(t *rapid.T, s *Scenario, seen func(departure)) {
	moves, places := map[string]int{}, map[string]string{}
	err := s.Run(func(w *World) {
		for _, a := range w.apps {
			to := ""
			if a.Status.ScheduledTo != nil {
				to = a.Status.ScheduledTo.Name
			}
			if a.moves > moves[a.Metadata.Name] {
				if a.reason != string(core.Dead) {
					t.Fatalf("%s moved for the reason %s", a.Metadata.Name, a.reason)
				}
				seen(departure{a, places[a.Metadata.Name], to, w.Now})
			}
			moves[a.Metadata.Name], places[a.Metadata.Name] = a.moves, to
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestOnlyWhatMayRunTwiceLeavesAClusterThatHasBeenSilentForLongEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, gone := drawFleet(t)
		departures(t, s, func(d departure) {
			since, silent := gone.silentSince(d.from, d.at)
			if !silent || d.at-since < s.Rules.FailoverAfter {
				t.Fatalf("at %s it left %s, which has been silent since %s (%t)", d.at, d.from, since, silent)
			}
			if _, silent := gone.silentSince(d.to, d.at); silent {
				t.Fatalf("at %s it went to %s, which is silent, too", d.at, d.to)
			}
			if _, stops := d.app.StopsFirst(); stops || len(d.app.Spec.Manifest) > 0 || !d.app.Spec.Constraints.Migration {
				t.Fatalf("it left, and may not: %+v", d.app.Spec)
			}
		})
	})
}

func TestNoMoreThanTenLeaveSilentClustersWithinAMinute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, _ := drawFleet(t)
		var all []time.Duration
		departures(t, s, func(d departure) {
			all = append(all, d.at)
			if n := len(all); n > 10 && d.at-all[n-11] < time.Minute {
				t.Fatalf("eleven have left between %s and %s", all[n-11], d.at)
			}
		})
	})
}

func TestNobodyLeavesWhenKrakeIsLikelyTheOneThatIsCutOff(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, gone := drawFleet(t)
		departures(t, s, func(d departure) {
			began, _ := gone.silentSince(d.from, d.at)
			n := 0
			for _, c := range s.Clusters {
				since, silent := gone.silentSince(c.Object.Metadata.Name, d.at)
				if silent && (since-began).Abs() <= 10*time.Minute {
					n++
				}
			}
			if limit := max(2, 0.3*float64(len(s.Clusters))); float64(n) > limit {
				t.Fatalf("at %s it left %s, though %d of %d clusters are silent since about then", d.at, d.from, n, len(s.Clusters))
			}
		})
	})
}

func TestAClusterThatComesAndGoesIsLeftByNobody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, _ := drawFleet(t)
		s.Outages = nil
		for _, c := range s.Clusters {
			for at := 20; at < 900; {
				from := at + rapid.IntRange(1, 60).Draw(t, "from")
				at = from + rapid.IntRange(100, 299).Draw(t, "long")
				s.Outages = append(s.Outages, Outage{From: time.Duration(from) * time.Second, To: time.Duration(at) * time.Second, Cluster: c.Object.Metadata.Name})
			}
		}
		departures(t, s, func(d departure) { t.Fatalf("at %s it left %s", d.at, d.from) })
	})
}

// The properties above say what must not happen. That something happens, is seen here.
func TestEverythingThatMayLeavesASilentCluster(t *testing.T) {
	told, err := Parse("cluster a\ncluster b\ncluster c\nfault 0s..1s offline b\nfault 0s..1s offline c\nfault 1m..2h offline a\nat 1h app last")
	if err != nil {
		t.Fatal(err)
	}
	s := told[0]
	for i := range 100 {
		a, _ := parseApp(fmt.Sprint("a", i))
		s.Apps = append(s.Apps, a)
	}
	left := 0
	err = s.Run(func(w *World) {
		left = len(w.apps)
		for _, a := range w.apps {
			if on := a.Status.ScheduledTo; on != nil && slices.Contains([]string{"b", "c"}, on.Name) {
				left--
			}
		}
	})
	if err != nil || left > 0 {
		t.Errorf("%d are still on the silent cluster; %v", left, err)
	}
}
