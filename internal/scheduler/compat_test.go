package scheduler

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/metrics"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// What follows down to the line is the specification's text, sections 5.3 to 5.6, written down without anything of Krake.

type oracleMetric struct {
	min, max, raw, weight float64
	allowed               []int64
}

type oracleCluster struct {
	name    string
	metrics []oracleMetric
}

// oracleNormalise: out of range and not allowed are INVALID_METRIC; so is min = max, where the reference dies.
func oracleNormalise(m oracleMetric) (float64, bool) {
	if m.min == m.max || !(m.min <= m.raw && m.raw <= m.max) {
		return 0, false
	}
	if len(m.allowed) > 0 {
		equal := false
		for _, v := range m.allowed {
			equal = equal || m.raw == float64(v)
		}
		if !equal {
			return 0, false
		}
	}
	return (m.raw - m.min) / (m.max - m.min), true
}

// oracleScore is (Σ v·w + t·s) / (Σ w + s), and t·s without metrics; no division by nothing.
func oracleScore(c oracleCluster, current bool, stickiness float64) float64 {
	s, t := 0.0, 0.0
	if current {
		s, t = stickiness, 1
	}
	if len(c.metrics) == 0 {
		return t * s
	}
	sum, norm := 0.0, 0.0
	for _, m := range c.metrics {
		v, _ := oracleNormalise(m)
		sum += float64(v * m.weight)
		norm += m.weight
	}
	if norm+s == 0 {
		return 0
	}
	return (sum + float64(t*s)) / (norm + s)
}

// oracleChoice is the set from which the reference takes one at random; empty for no suitable cluster. Of a cluster with
// metrics of which one cannot be had, the state is FAILING_METRICS: it does not match.
func oracleChoice(clusters []oracleCluster, current string, stickiness float64) []string {
	var matching, ranked []oracleCluster
	for _, c := range clusters {
		ok := true
		for _, m := range c.metrics {
			_, valid := oracleNormalise(m)
			ok = ok && valid
		}
		if ok {
			matching = append(matching, c)
			if len(c.metrics) > 0 {
				ranked = append(ranked, c)
			}
		}
	}
	if len(ranked) == 0 {
		ranked = matching
	}
	var best float64
	var names []string
	for _, c := range ranked {
		score := oracleScore(c, c.name == current, stickiness)
		if len(names) == 0 || score > best {
			best, names = score, nil
		}
		if score == best {
			names = append(names, c.name)
		}
	}
	return names
}

// ----------------------------------------------------------------------------------------------------------------------

// instance draws clusters whose values and weights are coarse enough for ties and fine enough for rounding.
func instance(r *rand.Rand) []oracleCluster {
	names := []string{"a", "b", "c", "d", "e"}
	out := make([]oracleCluster, 1+r.IntN(5))
	for i := range out {
		out[i].name = names[i]
		if r.IntN(4) == 0 {
			continue
		}
		out[i].metrics = make([]oracleMetric, 1+r.IntN(3))
		for j := range out[i].metrics {
			m := oracleMetric{min: float64(r.IntN(3) - 1), weight: []float64{1, 1, 0.1, 10, 0.45, 2.5, 0, -1, r.Float64()}[r.IntN(9)]}
			m.max = m.min + []float64{1, 1, 1, 5, 5, 0.3, 0.3, 40, 40, 0}[r.IntN(10)]
			switch r.IntN(20) {
			case 0:
				m.raw = m.max + 0.5
			case 1, 2:
				m.raw = r.Float64()*(m.max-m.min) + m.min
			default:
				m.raw = m.min + (m.max-m.min)*float64(r.IntN(5))/4
			}
			if r.IntN(20) == 0 {
				m.allowed = []int64{0, 1}
			}
			out[i].metrics[j] = m
		}
	}
	return out
}

// ours makes of an instance what the scheduler decides on with --compat.
func ours(instance []oracleCluster) *core.Snapshot {
	clusters := make([]core.Cluster, len(instance))
	for i, o := range instance {
		c := &clusters[i]
		*c = core.Cluster{Namespace: space, Name: o.name, UID: o.name, State: api.ClusterOnline}
		values := make([]core.Measurement, 0, len(o.metrics))
		for _, m := range o.metrics {
			v, err := metrics.ValueOf(api.MetricRef{Weight: m.weight},
				api.MetricSpec{Min: m.min, Max: m.max, AllowedValues: m.allowed, Direction: api.HigherIsBetter}, m.raw)
			if err != nil {
				c.Unread, values = err.Error(), nil
				break
			}
			values = append(values, core.Measurement{Weight: v.Weight, Normalised: v.Normalised, Merit: v.Merit})
		}
		c.Measure(values)
		c.AsReference()
	}
	return core.NewSnapshot(clusters)
}

// With --compat a decision is one of those that the Python Krake may make, on a million random instances.
func TestCompatDecidesAsTheReference(t *testing.T) {
	const instances = 1_000_000
	r := rand.New(rand.NewPCG(1, 2))
	namespace, now := space, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a := api.New[api.Application]()
	a.Metadata.Namespace, a.Metadata.UID = &namespace, "app"
	a.Spec.Constraints.Migration = true
	outcomes, tossed := map[string]int{}, 0
	for done := 0; done < instances; {
		clusters := instance(r)
		s := ours(clusters)
		rules := core.Rules{Compat: true, Stickiness: []float64{0.1, 0.1, 0, 0.5}[r.IntN(4)]}.InForce()
		for i := -1; i < len(clusters); i++ { // without a place, and on each of them
			done++
			current := ""
			a.Status.ScheduledTo = nil
			if i >= 0 {
				current = clusters[i].name
				ref := api.ClusterKind.Ref(space, current)
				a.Status.ScheduledTo, a.Metadata.Owners = &ref, []api.ResourceRef{ref}
			}
			now = now.Add(time.Second)
			outcome, got := core.Refused, ""
			if core.Stays(s, a) {
				v := core.Weigh(s, a, core.Look{Rules: rules, Now: now})
				if outcome, got = v.Outcome, current; outcome == core.Moved {
					got = v.There.Name
				}
			} else {
				d := core.Decide(s, a, now)
				outcome, got = d.Outcome, d.Chosen
			}
			want := oracleChoice(clusters, current, rules.Stickiness)
			if len(want) == 0 && got != "" || len(want) > 0 && !slices.Contains(want, got) {
				t.Fatalf("on %q with stickiness %v: got %q (%s), the reference takes one of %q:\n%s", current, rules.Stickiness, got, outcome, want,
					fmt.Sprintf("%+v", clusters))
			}
			outcomes[outcome]++
			if outcome == core.Moved && slices.Contains(want, current) {
				tossed++
			}
		}
	}
	for _, outcome := range []string{core.Placed, core.Kept, core.Moved, core.Refused} {
		if outcomes[outcome] < instances/100 {
			t.Errorf("the instances are not much of a test: %v", outcomes)
		}
	}
	if tossed == 0 {
		t.Error("no lot was ever drawn")
	}
}

// asReference are the rules of a scheduler with --compat that need not wait.
var asReference = core.Rules{Compat: true, Stickiness: 0.1}

// R-4 with compat: what has failed is not revived by an edit. By default it is, see TestAttemptsAreCountedDownToFailure.
func TestCompatDropsWhatHasFailed(t *testing.T) {
	w := newWorld(t)
	w.scheduleBy(asReference)
	a := w.app("echo", retrying(0, 1))
	a = w.until(a, "failed", func(a *api.Application) bool { return a.Status.State == api.AppFailed })
	edited := w.edit(a, func(a *api.Application) { a.Spec.Manifest = manifest("2") })
	w.caughtUp(1)
	if now := w.get(a); now.Metadata.ResourceVersion != edited.Metadata.ResourceVersion {
		t.Errorf("it was written: %+v", now.Status)
	}
}

// A-41 with compat; by default TestNobodyLeavesAClusterWhoseMetricHasNoUsableValue.
func TestCompatLeavesAClusterWhoseMetricsCannotBeRead(t *testing.T) {
	w := newWorld(t)
	a, _ := w.twoSites(asReference)
	w.values(map[string]float64{"a": 50, "b": 4}) // from 0 to 10
	a = w.untilOn(a, "b")
	if d := w.placement(a).Decisions[0]; d.Outcome != core.Moved || d.Code != string(core.Unread) {
		t.Errorf("the record is %+v", d)
	}
}
