package core

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/rak-n-rok/krake/api"
)

// Measurement is the value of one metric of a cluster.
type Measurement struct {
	Name       string
	Weight     float64
	Raw        float64   // as the provider gave it
	Normalised float64   // from 0 to 1, where it is in the range of the metric
	Merit      float64   // from 0 to 1, the more the better
	Read       time.Time // zero if nobody has read it
	Held       bool      // it is the last value that could be read
	// Scale says which values there could be and what they would mean; nil if that is not known.
	Scale *Scale
}

// Scale is what the definition of a metric says about its values.
type Scale struct {
	Min, Max float64
	Allowed  []float64 // none for any
	// Of maps a value to its normalised form and its merit; not ok is a value that does not count.
	Of func(raw float64) (normalised, merit float64, ok bool)
}

// at is a measurement with another value.
func (m Measurement) at(raw float64) (Measurement, bool) {
	normalised, merit, ok := m.Scale.Of(raw)
	m.Raw, m.Normalised, m.Merit, m.Read, m.Held = raw, normalised, merit, time.Time{}, false
	return m, ok
}

// records are the terms of a place for a record, those with the greatest weights if there are more than limit.
func (c *Readings) records(limit int) []api.TermRecord {
	terms := c.Terms
	if len(terms) > limit {
		terms = slices.Clone(terms)
		slices.SortStableFunc(terms, func(a, b Measurement) int { return cmp.Compare(math.Abs(b.Weight), math.Abs(a.Weight)) })
		terms = terms[:limit]
	}
	out := make([]api.TermRecord, 0, len(terms))
	for _, t := range terms {
		record := api.TermRecord{Metric: t.Name, Value: t.Raw, Normalised: t.Normalised, Merit: t.Merit, Weight: t.Weight, Held: t.Held}
		if !t.Read.IsZero() {
			at := api.At(t.Read)
			record.Read = &at
		}
		out = append(out, record)
	}
	return out
}

// term returns the measurement of a metric, nil if the cluster has none.
func (c *Cluster) term(name string) *Measurement {
	i := slices.IndexFunc(c.Terms, func(m Measurement) bool { return m.Name == name })
	if i < 0 {
		return nil
	}
	return &c.Terms[i]
}

// revalued is a cluster as it would be with other values of metrics, and whether that is another cluster at all. Values
// that do not count are left as they are.
func (c *Cluster) revalued(values map[string]float64) (*Cluster, bool) {
	terms, changed := slices.Clone(c.Terms), false
	for i, t := range terms {
		raw, stated := values[t.Name]
		if !stated || t.Scale == nil {
			continue
		}
		if next, ok := t.at(raw); ok {
			terms[i], changed = next, true
		}
	}
	if !changed {
		return c, false
	}
	out := *c
	out.Readings = Readings{}
	if out.Measure(terms); c.reference {
		out.AsReference()
	}
	return &out, true
}
