package core

import (
	"cmp"
	"fmt"
	"math"
	"strings"
)

// Readings are what the values of its metrics say of a place: a cluster, a cloud or a project. The zero value is of one
// that has none.
type Readings struct {
	// Metrics are weight × normalised value by the metric's name, as metric constraints compare them. A metric without
	// a known value is missing.
	Metrics map[string]float64
	// Measured says that the place has metrics whose values are all known; Score is their weighted mean then, and Weight
	// the sum of the weights.
	Measured bool
	Score    float64
	Weight   float64
	// Unread says why the metrics of the place cannot be read; empty when they can, or there are none.
	Unread string
	// Held says that some of the values are the last ones that could be read.
	Held bool
	// Note is what else is to be said of the metrics, a sentence.
	Note string

	sum       float64 // of weight × merit, of which Score is the rounded mean
	reference bool    // see AsReference
}

// Measurement is the value of one metric of a place.
type Measurement struct {
	Name       string
	Weight     float64
	Normalised float64 // from 0 to 1, where it is in the range of the metric
	Merit      float64 // from 0 to 1, the more the better
	Held       bool    // it is the last value that could be read
}

// Measure notes the values of all metrics of a place. The score is the weighted mean of their merits, as in the
// reference. Weights that add up to nothing give none: the place counts as one without metrics then, and says so.
func (r *Readings) Measure(values []Measurement) {
	if len(values) == 0 {
		return
	}
	r.Metrics = make(map[string]float64, len(values))
	held := []string{}
	for _, v := range values {
		r.Metrics[v.Name] = v.Weight * v.Normalised
		r.sum, r.Weight = r.sum+float64(v.Weight*v.Merit), r.Weight+v.Weight
		if v.Held {
			held = append(held, v.Name)
		}
	}
	if r.Held = len(held) > 0; r.Held {
		r.Note = "cannot be read at the moment and counts as it was: " + strings.Join(held, ", ")
	}
	if r.Measured = r.Weight > tie; r.Measured {
		r.Score = math.Round(r.sum/r.Weight/tie) * tie
	} else {
		r.Note = fmt.Sprintf("the weights of its metrics add up to %g, so it counts as one without metrics", r.Weight)
	}
}

// score is the place's own as the reference compares it: where an application is already gets a metric more, whose value
// is 1 and whose weight is the stickiness.
func (r *Readings) score(stickiness float64) float64 {
	switch {
	case !r.Measured:
		return stickiness
	case r.reference:
		return quotient(r.sum+stickiness, r.Weight+stickiness)
	}
	return (r.Score*r.Weight + stickiness) / (r.Weight + stickiness)
}

// tie is how near two scores are that count as the same: they are sums of fractions.
const tie = 1e-9

// compare puts the better of two places first: below zero if it is the first. One with metrics is better than one without.
func (r *Readings) compare(o *Readings) int {
	switch {
	case r.Measured != o.Measured && r.Measured:
		return -1
	case r.Measured != o.Measured:
		return 1
	default:
		return cmp.Compare(o.Score, r.Score)
	}
}
