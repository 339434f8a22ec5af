package core

import (
	"cmp"
	"math"
	"slices"
	"strconv"
)

// steps is how often an interval is halved: what is left is far below the digits that are told.
const steps = 32

// nearest finds the value of a metric that is nearest to the present one and for which something holds that does not at
// present, in both directions. It takes for granted that what holds at the end of the range and not here has one border
// between. The value has as few digits as one can have on the side of the border where it holds.
func nearest(m Measurement, holds func(raw float64) bool) (raw float64, found bool) {
	means := func(raw float64) bool {
		_, ok := m.at(raw)
		return ok && holds(raw)
	}
	if len(m.Scale.Allowed) > 0 {
		allowed := slices.Clone(m.Scale.Allowed)
		slices.SortStableFunc(allowed, func(a, b float64) int { return cmp.Compare(abs(a-m.Raw), abs(b-m.Raw)) })
		i := slices.IndexFunc(allowed, means)
		if i < 0 {
			return 0, false
		}
		return allowed[i], true
	}
	from := min(max(m.Raw, m.Scale.Min), m.Scale.Max)
	for _, end := range []float64{m.Scale.Max, m.Scale.Min} {
		if !means(end) {
			continue
		}
		if near := readable(from, border(from, end, means), end, means); !found || abs(near-m.Raw) < abs(raw-m.Raw) {
			raw, found = near, true
		}
	}
	return raw, found
}

// border is the value next to where something begins to hold, on the side of end, where it does.
func border(from, end float64, holds func(float64) bool) float64 {
	for range steps {
		middle := from + (end-from)/2
		if holds(middle) {
			end = middle
		} else {
			from = middle
		}
	}
	return end
}

// mostDigits is how many digits of a value are worth reading.
const mostDigits = 6

// readable is a value with few digits that lies between a border and the end, near the border.
func readable(from, border, end float64, holds func(float64) bool) float64 {
	for digits := 2; digits <= mostDigits; digits++ {
		unit := math.Pow10(int(math.Floor(math.Log10(max(abs(border), abs(end-from)*1e-3)))) - digits + 1)
		near := math.Ceil(border/unit) * unit
		if end < from {
			near = math.Floor(border/unit) * unit
		}
		near, _ = strconv.ParseFloat(strconv.FormatFloat(near, 'g', 12, 64), 64) // 0.30000000000000004 is 0.3
		// A digit more is worth it as long as it saves a tenth of the way.
		if within(near, border, end) && abs(near-border) <= abs(border-from)/10 && holds(near) {
			return near
		}
	}
	return border
}

func within(x, a, b float64) bool { return x >= min(a, b) && x <= max(a, b) }

// brief is a number for people who need not know it exactly.
func brief(x float64) string { return strconv.FormatFloat(x, 'g', 3, 64) }

// plain is a number that can be copied.
func plain(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
