package constraint_test

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api/constraint"
)

// Names of the operators, short enough for tables.
const (
	eq = constraint.MetricEqual
	ne = constraint.MetricNotEqual
	gt = constraint.MetricGreater
	ge = constraint.MetricGreaterOrEqual
	lt = constraint.MetricLesser
	le = constraint.MetricLesserOrEqual
)

type comparison struct {
	op    constraint.MetricOp
	value float64
}

// acceptedMetrics are the accepted rows of the specification (sections 3.6.2 and 4.4), the forms that Krake adds to
// the reference's, and their neighbours. All constrain the metric "load".
var acceptedMetrics = map[string]comparison{
	"load == 5":     {eq, 5},
	"load==5":       {eq, 5},
	"load=5":        {eq, 5},
	"load is 5":     {eq, 5},
	"load is5":      {eq, 5},
	"load != 5":     {ne, 5},
	"load!=5":       {ne, 5},
	"load is not 5": {ne, 5},
	"load isnot 5":  {ne, 5},

	"load > 5":                     {gt, 5},
	"load >5":                      {gt, 5},
	"load gt 5":                    {gt, 5},
	"load gt5":                     {gt, 5},
	"load greater than 5":          {gt, 5},
	"load greaterthan 5":           {gt, 5},
	"load >= 5":                    {ge, 5},
	"load >=5":                     {ge, 5},
	"load => 5":                    {ge, 5},
	"load gte 5":                   {ge, 5},
	"load greater than or equal 5": {ge, 5},
	"load greaterthanorequal 5":    {ge, 5},
	"load < 5":                     {lt, 5},
	"load lt 5":                    {lt, 5},
	"load lesser than 5":           {lt, 5},
	"load lesserthan5":             {lt, 5},
	"load <= 5":                    {le, 5},
	"load =< 5":                    {le, 5},
	"load lte 5":                   {le, 5},
	"load lesser than or equal 5":  {le, 5},

	"load > 5.5":   {gt, 5.5},
	"load > 1e5":   {gt, 1e5},
	"load = 1e3":   {eq, 1e3},
	"load = 1e-3":  {eq, 1e-3},
	"load = 1_000": {eq, 1000},
	"load > 007":   {gt, 7},

	// No blanks around symbols.
	"load>5":   {gt, 5},
	"load> 5":  {gt, 5},
	"load<5":   {lt, 5},
	"load>=5":  {ge, 5},
	"load=>5":  {ge, 5},
	"load =>5": {ge, 5},
	"load<=5":  {le, 5},
	"load=<5":  {le, 5},

	// Signs and bare dots.
	"load > -5":    {gt, -5},
	"load>-5":      {gt, -5},
	"load = -5":    {eq, -5},
	"load is -5":   {eq, -5},
	"load gt-5":    {gt, -5},
	"load > +5":    {gt, 5},
	"load > -0.5":  {gt, -0.5},
	"load = .5":    {eq, .5},
	"load > 5.":    {gt, 5},
	"load < 1e+5":  {lt, 1e5},
	"load < -5.e1": {lt, -50},

	// The words that everyone expects.
	"load less than 5":                {lt, 5},
	"load lessthan5":                  {lt, 5},
	"load less than or equal 5":       {le, 5},
	"load less than or equal to 5":    {le, 5},
	"load lesser than or equal to 5":  {le, 5},
	"load greater than or equal to 5": {ge, 5},
}

var refusedMetrics = map[string][]string{
	"syntax": {
		"", "load", "load >", "load > 5 6", "> 5", "load is greater than 5", "co2_fr is less than 5", "load equals 5",
		"load equal 5", "load equal to 5", "load in (5)", "load not in (5)", "load is over 9000", "load GT 5", "load > = 5",
		"load < = 5", "load <> 5", "load >> 5", "load === 5", "load ! 5", "load greater 5", "load less 5", "load lesser 5",
		"load greater than or 5", "load greater than equal 5", "load > - 5", "load > (5)", "load > 5,", "load > 5!",
		"load > 5 and load < 9", "loadgt 5", "load\tgt 5", "load is greater than or equal to 5",
	},
	"key": {
		"-load > 5", "load. > 5", "a/b/c > 5", "load/ > 5", "/load > 5", "é > 5", "load% > 5", "load\t> 5", "-load > abc",
		strings.Repeat("k", 64) + " > 5",
	},
	"value": {
		"load = 5%", "load > -abc", "load > 5/6", "load > 5\t", "load > --5", "load > +", "load > .", "load > -inf",
		"load > -0x1p2", "load > $5", "load > " + strings.Repeat("5", 64),
	},
	"number": {
		"load > abc", "load gte5", "load lte5", "load greaterthanorequal5", "load greater than or equal to5",
		"load = 0x10", "load = 0x1p4", "load > nan", "load > inf",
		"load > Infinity", "load > 1e", "load > e5", "load > 1__0", "load > _1", "load > 1_", "load > 1_e5", "load > 1.5.2",
		"load > 1e999", "load is not5", "load is not", "load greater than or equal to", "load > 1e5_",
	},
}

func TestParseMetricReadsEveryAcceptedForm(t *testing.T) {
	for text, want := range acceptedMetrics {
		t.Run(text, func(t *testing.T) {
			m, err := constraint.ParseMetric(text)
			if err != nil {
				t.Fatal(err)
			}
			if m.Key() != "load" || m.Op() != want.op || m.Value() != want.value {
				t.Errorf("got %q %v %v, want %v %v", m.Key(), m.Op(), m.Value(), want.op, want.value)
			}
			if m.String() != text {
				t.Errorf("the text became %q", m)
			}
		})
	}
}

func TestParseMetricRefuses(t *testing.T) {
	for kind, texts := range refusedMetrics {
		for _, text := range texts {
			t.Run(kind+" of "+text, func(t *testing.T) {
				m, err := constraint.ParseMetric(text)
				if got := kindOf(err); got != kind {
					t.Errorf("got kind %q (%v), want %q", got, err, kind)
				}
				if !m.IsZero() {
					t.Errorf("an error came with the constraint %q", m.Canonical())
				}
			})
		}
	}
}

func TestMetricMessages(t *testing.T) {
	for text, want := range map[string]string{
		"co2_fr is less than 5": "Invalid metric constraint",
		"-load > 5":             `Label key '-load' does not match the regex '` + constraint.KeyPattern + `'.`,
		"load > 5%":             `Label value '5%' does not match the regex '` + constraint.ValuePattern + `'.`,
		"load > abc":            "Metric value 'abc' is not a finite number.",
	} {
		if _, err := constraint.ParseMetric(text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func TestMetricMatchesAroundItsValue(t *testing.T) {
	for text, want := range map[string][3]bool{ // for a load of 4, 5 and 6
		"load is 5":     {false, true, false},
		"load is not 5": {true, false, true},
		"load > 5":      {false, false, true},
		"load >= 5":     {false, true, true},
		"load < 5":      {true, false, false},
		"load <= 5":     {true, true, false},
	} {
		m := mustMetric(t, text)
		for i, load := range []float64{4, 5, 6} {
			if got := m.Matches(map[string]float64{"load": load, "other": 5}); got != want[i] {
				t.Errorf("%q with %v: got %v", text, load, got)
			}
		}
		if m.Matches(map[string]float64{"Load": 5, "other": 6}) || m.Matches(nil) {
			t.Errorf("%q matches without its metric", text)
		}
		if m.Matches(map[string]float64{"load": math.NaN()}) {
			t.Errorf("%q matches NaN", text)
		}
	}
}

func TestMetricEqualIgnoresSpellingOnly(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"l > 5", "l greater than 5.0", true},
		{"l >= 5", "l=>0.5e1", true},
		{"l is 0", "l = -0", true},
		{"l <= 5", "l less than or equal to 5", true},
		{"l > 5", "l > 6", false},
		{"l > 5", "m > 5", false},
		{"l > 5", "l >= 5", false},
		{"l < 5", "l > 5", false},
	} {
		if got := mustMetric(t, c.a).Equal(mustMetric(t, c.b)); got != c.want {
			t.Errorf("%q and %q: got %v", c.a, c.b, got)
		}
	}
}

func TestNewMetricPrintsCanonically(t *testing.T) {
	for want, c := range map[string]comparison{
		"k is 5":                      {eq, 5},
		"k is not 0.5":                {ne, .5},
		"k greater than -5":           {gt, -5},
		"k greater than or equal 0":   {ge, math.Copysign(0, -1)},
		"k lesser than 100000":        {lt, 1e5},
		"k lesser than or equal 1e21": {le, 1e21},
		"k is 2.5e-07":                {eq, 2.5e-7},
	} {
		m, err := constraint.NewMetric("k", c.op, c.value)
		if err != nil {
			t.Fatal(err)
		}
		if m.String() != want || m.Canonical() != want {
			t.Errorf("got text %q and canonical text %q, want %q", m, m.Canonical(), want)
		}
	}
}

func TestNewMetricRefuses(t *testing.T) {
	for what, build := range map[string]func() (constraint.Metric, error){
		"no operator":         func() (constraint.Metric, error) { return constraint.NewMetric("k", 0, 5) },
		"an unknown operator": func() (constraint.Metric, error) { return constraint.NewMetric("k", le+1, 5) },
		"a malformed key":     func() (constraint.Metric, error) { return constraint.NewMetric("k-", eq, 5) },
		"NaN":                 func() (constraint.Metric, error) { return constraint.NewMetric("k", eq, math.NaN()) },
		"an infinity":         func() (constraint.Metric, error) { return constraint.NewMetric("k", lt, math.Inf(1)) },
	} {
		if m, err := build(); err == nil || !m.IsZero() {
			t.Errorf("%s: got %q, %v", what, m, err)
		}
	}
}

func TestZeroMetric(t *testing.T) {
	var zero constraint.Metric
	if !zero.IsZero() || zero.String() != "" || zero.Canonical() != "" {
		t.Errorf("prints as %q, canonically as %q", zero, zero.Canonical())
	}
	if zero.Matches(map[string]float64{"": 0}) {
		t.Error("matches")
	}
	if !zero.Equal(constraint.Metric{}) || zero.Equal(mustMetric(t, "k is 0")) {
		t.Error("must be equal to itself alone")
	}
}

func TestMetricMatchesWithoutAllocating(t *testing.T) {
	m := mustMetric(t, "load > 5")
	metrics := map[string]float64{"load": 6}
	if n := testing.AllocsPerRun(100, func() { m.Matches(metrics) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func mustMetric(t rapid.TB, text string) constraint.Metric {
	t.Helper()
	m, err := constraint.ParseMetric(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return m
}
