package constraint

import (
	"fmt"
	"math"
)

// A MetricOp is the comparison that a metric constraint demands. It prints as its canonical words.
type MetricOp uint8

// The comparisons, metric on the left, number on the right. All of them, MetricNotEqual too, demand that the metric
// has a value. Their order is the order in which the parser tries them.
const (
	MetricEqual MetricOp = iota + 1
	MetricNotEqual
	MetricGreater
	MetricGreaterOrEqual
	MetricLesser
	MetricLesserOrEqual
)

func (op MetricOp) String() string {
	switch op {
	case MetricEqual:
		return "is"
	case MetricNotEqual:
		return "is not"
	case MetricGreater:
		return "greater than"
	case MetricGreaterOrEqual:
		return "greater than or equal"
	case MetricLesser:
		return "lesser than"
	case MetricLesserOrEqual:
		return "lesser than or equal"
	}
	return fmt.Sprintf("MetricOp(%d)", uint8(op))
}

// A Metric is a constraint on one metric of a candidate. It is immutable. The zero value is no constraint: it matches
// nothing, prints as the empty text and cannot be marshalled. Use NewMetric or ParseMetric.
type Metric struct {
	text  string
	key   string
	op    MetricOp
	value float64 // finite, and never -0

	unread bool // there is a text only, outside of the grammar
}

// NewMetric makes a metric constraint without a text; its canonical text takes that place. A malformed key is a
// *PatternError, an infinite value or NaN a *NumberError.
func NewMetric(key string, op MetricOp, value float64) (Metric, error) {
	if op < MetricEqual || op > MetricLesserOrEqual {
		return Metric{}, fmt.Errorf("metric constraint on %q: unknown operator %v", key, op)
	}
	if err := CheckKey(key); err != nil {
		return Metric{}, err
	}
	value, err := finite(value, formatNumber(value))
	if err != nil {
		return Metric{}, err
	}
	m := Metric{key: key, op: op, value: value}
	m.text = m.Canonical()
	return m, nil
}

// Key returns the name of the metric.
func (m Metric) Key() string { return m.key }

// Op returns the comparison.
func (m Metric) Op() MetricOp { return m.op }

// Value returns the number that the metric is compared with.
func (m Metric) Value() float64 { return m.value }

// IsZero says whether m is the zero value.
func (m Metric) IsZero() bool { return m.op == 0 && !m.unread }

// Matches says whether a candidate with these metric values satisfies the constraint. A candidate without the metric
// never does, whatever the operator, and a NaN counts as no value: it must not satisfy MetricNotEqual by accident.
// Whether values are raw or weighted is the caller's choice.
func (m Metric) Matches(metrics map[string]float64) bool {
	value, found := metrics[m.key]
	if !found || math.IsNaN(value) {
		return false
	}
	switch m.op {
	case MetricEqual:
		return value == m.value
	case MetricNotEqual:
		return value != m.value
	case MetricGreater:
		return value > m.value
	case MetricGreaterOrEqual:
		return value >= m.value
	case MetricLesser:
		return value < m.value
	case MetricLesserOrEqual:
		return value <= m.value
	}
	return false
}

// Equal says whether two constraints have the same operator, key and number. Spelling does not count, neither of the
// operator nor of the number: "load > 5" equals "load gt 5.0". Texts that were not understood are equal when they are the
// same.
func (m Metric) Equal(other Metric) bool {
	if m.unread || other.unread {
		return m.unread == other.unread && m.text == other.text
	}
	return m.op == other.op && m.key == other.key && m.value == other.value
}

// String returns the text as it was written.
func (m Metric) String() string { return m.text }

// Canonical returns the one text that all constraints equal to m share. It parses to a constraint equal to m, if its
// text was understood.
func (m Metric) Canonical() string {
	if m.op == 0 {
		return m.text
	}
	return m.key + " " + m.op.String() + " " + formatNumber(m.value)
}
