package core

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/constraint"
)

// repair makes of a cluster that was refused one that could be chosen, and says what it would take.
type repair struct {
	app        *api.Application
	cluster    *Cluster // as it would be
	conditions []string // each completes "if"
	values     map[string]float64
	mended     []Refusal
	unseen     bool // it has metrics, and what they say is not known
}

// mend does away with a refusal, if something that can change would. A refusal that comes back after it was mended
// contradicts another one.
func (r *repair) mend(refusal Refusal) bool {
	remedy := remedies[refusal.Code]
	if remedy == nil || slices.Contains(r.mended, refusal) {
		return false
	}
	c := *r.cluster
	condition, ok := remedy(r, &c, refusal)
	if ok {
		r.cluster, r.conditions, r.mended = &c, append(r.conditions, condition), append(r.mended, refusal)
	}
	return ok
}

// remedies change a cluster so that a refusal no longer holds, and say what has to be so for that. A refusal without a
// remedy is final.
var remedies = map[Code]func(r *repair, c *Cluster, refusal Refusal) (condition string, ok bool){
	Draining: func(_ *repair, c *Cluster, _ Refusal) (string, bool) {
		c.Draining = false
		return "its drain ended", true
	},
	Cordoned: func(_ *repair, c *Cluster, _ Refusal) (string, bool) {
		c.Cordoned = false
		return "it took new applications again", true
	},
	NotOnline: func(_ *repair, c *Cluster, _ Refusal) (string, bool) {
		c.State = api.ClusterOnline
		return "it came ONLINE", true
	},
	Label: (*repair).relabel,
	CustomResource: func(_ *repair, c *Cluster, refusal Refusal) (string, bool) {
		c.CustomResources = append(slices.Clone(c.CustomResources), refusal.Demand)
		return "it listed the custom resource " + refusal.Demand, true
	},
	Unread: func(r *repair, c *Cluster, _ Refusal) (string, bool) {
		c.Unread, r.unseen = "", true
		return "its metrics could be read", true
	},
	MetricUnknown: (*repair).measure,
	Metric:        (*repair).revalue,
	NoRoom: func(_ *repair, c *Cluster, refusal Refusal) (string, bool) {
		c.Room = nil
		if refusal.Demand == "" {
			return "it were known how much room it has", true
		}
		return fmt.Sprintf("it had %s left, of which it has %s", refusal.Demand, refusal.Have), true
	},
}

// relabel gives a label a value with which all constraints on it hold.
func (r *repair) relabel(c *Cluster, refusal Refusal) (string, bool) {
	wanted := r.app.Spec.Constraints.Cluster.Labels
	i := slices.IndexFunc(wanted, func(l constraint.Label) bool { return l.String() == refusal.Demand })
	if i < 0 {
		return "", false
	}
	key := wanted[i].Key()
	var named, unwanted []string
	for _, l := range wanted {
		if l.Key() == key {
			named = append(named, l.Values()...)
		}
	}
	fits := func(value string) bool {
		return !slices.ContainsFunc(wanted, func(l constraint.Label) bool {
			return l.Key() == key && !l.Matches(map[string]string{key: value})
		})
	}
	other := strings.Join(named, "") + "x" // a value that nobody names
	labels := maps.Clone(c.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	c.Labels = labels
	if fits(other) {
		for _, value := range named {
			if !slices.Contains(unwanted, value) {
				unwanted = append(unwanted, value)
			}
		}
		labels[key] = other
		return fmt.Sprintf("it had a label %s that is not %s", key, strings.Join(unwanted, " or ")), true
	}
	var good []string
	for _, value := range named {
		if fits(value) && !slices.Contains(good, value) {
			good = append(good, value)
		}
	}
	if len(good) == 0 {
		return "", false
	}
	labels[key] = good[0]
	return fmt.Sprintf("its label %s were %s", key, strings.Join(good, " or ")), true
}

// limits are the constraints on a metric that a refusal names.
func (r *repair) limits(refusal Refusal) (key string, hold func(metrics map[string]float64) bool) {
	wanted := r.app.Spec.Constraints.Cluster.Metrics
	i := slices.IndexFunc(wanted, func(m constraint.Metric) bool { return m.String() == refusal.Demand })
	if i < 0 {
		return "", nil
	}
	key = wanted[i].Key()
	return key, func(metrics map[string]float64) bool {
		return !slices.ContainsFunc(wanted, func(m constraint.Metric) bool { return m.Key() == key && !m.Matches(metrics) })
	}
}

// measure gives a metric a value that has none, so that the constraints on it hold.
func (r *repair) measure(c *Cluster, refusal Refusal) (string, bool) {
	key, hold := r.limits(refusal)
	if hold == nil {
		return "", false
	}
	metrics := maps.Clone(c.Metrics)
	if metrics == nil {
		metrics = map[string]float64{}
	}
	c.Metrics = metrics
	for _, m := range r.app.Spec.Constraints.Cluster.Metrics {
		for _, near := range []float64{0, 1e-6, -1e-6, 1, -1} {
			if metrics[key] = m.Value() + near; m.Key() == key && hold(metrics) {
				return fmt.Sprintf("it had a value of the metric %s for which %q holds", key, refusal.Demand), true
			}
		}
	}
	return "", false
}

// revalue gives a metric the nearest value for which the constraints on it hold.
func (r *repair) revalue(c *Cluster, refusal Refusal) (string, bool) {
	key, hold := r.limits(refusal)
	m := c.term(key)
	if hold == nil || m == nil || m.Scale == nil {
		return "", false
	}
	with := func(raw float64) *Cluster {
		out, _ := c.revalued(map[string]float64{key: raw})
		return out
	}
	raw, found := nearest(*m, func(raw float64) bool { return hold(with(raw).Metrics) })
	if !found {
		return "", false
	}
	condition := valued(key, m.Raw, raw)
	r.values[key] = raw
	*c = *with(raw)
	return condition, true
}

// valued says that a metric would have another value.
func valued(name string, from, to float64) string {
	word := "rose"
	if to < from {
		word = "fell"
	}
	return fmt.Sprintf("the metric %s %s from %s to %s", name, word, brief(from), plain(to))
}
