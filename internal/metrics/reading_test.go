package metrics

import (
	"math"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
)

// The table of the reference's rules.
func TestValuesAreNormalised(t *testing.T) {
	for name, c := range map[string]struct {
		min, max float64
		allowed  []int64
		raw      float64
		want     float64
		refused  string
	}{
		"in the range":              {0, 5, nil, 3.5, 0.7, ""},
		"a fraction already":        {0, 1, nil, 0.42, 0.42, ""},
		"from below zero":           {-10, 40, nil, 0, 0.2, ""},
		"the lower end":             {0, 5, nil, 0, 0, ""},
		"the upper end":             {0, 5, nil, 5, 1, ""},
		"above":                     {0, 1, nil, 2, 0, "Invalid metric value for 'heat': 2.0 out of range"},
		"below":                     {0, 1, nil, -0.5, 0, "-0.5 out of range"},
		"an allowed value":          {0, 5, []int64{0, 1, 4, 5}, 4, 0.8, ""},
		"one that is not":           {0, 5, []int64{0, 1, 4, 5}, 3, 0, "Invalid metric value for 'heat': 3.0 not in [0 1 4 5]"},
		"the scale is the range's":  {0, 10, []int64{1, 5}, 5, 0.5, ""},
		"A-49 not an allowed one":   {0, 10, []int64{1, 5}, 4, 0, "4.0 not in [1 5]"},
		"the range comes first":     {0, 5, []int64{7}, 7, 0, "out of range"},
		"a range that is none":      {0, 0, nil, 0, 0, "its minimum 0.0 is not below its maximum 0.0"},
		"a range that is backwards": {5, 0, nil, 3, 0, "is not below"},
		"no number":                 {0, 5, nil, math.NaN(), 0, "out of range"},
		"infinitely many":           {0, 5, nil, math.Inf(1), 0, "out of range"},
		"a range that is no number": {math.NaN(), 5, nil, 3, 0, "is not below"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := normalise("heat", api.MetricSpec{Min: c.min, Max: c.max, AllowedValues: c.allowed}, c.raw)
			if (err != nil) != (c.refused != "") || err != nil && !strings.Contains(err.Error(), c.refused) || math.Abs(got-c.want) > 1e-12 {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

func TestAMetricSaysWhatItsValuesMean(t *testing.T) {
	ref := api.MetricRef{Name: "co2", Weight: 2}
	lower, clamp := api.LowerIsBetter, api.ClampOutOfRange
	for name, c := range map[string]struct {
		direction  api.Direction
		outOfRange api.OutOfRange
		allowed    []int64
		raw        float64
		normalised float64
		merit      float64
		refused    string
	}{
		"high is good":                 {"", "", nil, 200, 0.25, 0.25, ""},
		"low is good":                  {lower, "", nil, 200, 0.25, 0.75, ""},
		"low is good at the end":       {lower, "", nil, 0, 0, 1, ""},
		"too much":                     {"", "", nil, 900, 0, 0, "900.0 out of range"},
		"too much counts as the most":  {"", clamp, nil, 900, 1, 1, ""},
		"and is the worst of low ones": {lower, clamp, nil, 900, 1, 0, ""},
		"too little as the least":      {"", clamp, nil, -5, 0, 0, ""},
		"no number is no value":        {"", clamp, nil, math.NaN(), 0, 0, "out of range"},
		"nor is infinity":              {"", clamp, nil, math.Inf(1), 0, 0, "out of range"},
		"the nearest must be allowed":  {"", clamp, []int64{0, 400}, 900, 0, 0, "800.0 not in [0 400]"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := ValueOf(ref, api.MetricSpec{Max: 800, AllowedValues: c.allowed, Direction: c.direction, OutOfRange: c.outOfRange}, c.raw)
			if c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("%+v, %v", v, err)
				}
				return
			}
			if err != nil || v.Normalised != c.normalised || v.Merit != c.merit || v.Name != "co2" || v.Weight != 2 || v.Raw != c.raw {
				t.Errorf("%+v, %v", v, err)
			}
		})
	}
}
