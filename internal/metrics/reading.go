package metrics

import (
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/metrics/provider"
)

// A Value is what a metric says of a cluster.
type Value struct {
	Name       string
	Weight     float64
	Raw        float64   // as the provider gave it
	Normalised float64   // from 0 to 1, where it is in the range of the metric
	Merit      float64   // from 0 to 1, the more the better
	At         time.Time // when it was read
	Held       bool      // it could not be read again since
}

// A Failure says why there is no value of a metric.
type Failure struct {
	Name   string
	Reason api.Reason
}

// ValueOf says what a raw value means to who refers to a metric. The error is a *provider.InvalidError.
func ValueOf(ref api.MetricRef, definition api.MetricSpec, raw float64) (Value, error) {
	normalised, err := normalise(ref.Name, definition, raw)
	if err != nil {
		return Value{}, err
	}
	return Value{Name: ref.Name, Weight: ref.Weight, Raw: raw, Normalised: normalised, Merit: merit(definition, normalised)}, nil
}

// normalise maps a raw value to the range from 0 to 1, by the rules of the reference: the range is checked first, then
// the allowed values, which do not change the scale. A metric may ask for values out of its range to be taken as the
// nearest in it.
func normalise(name string, spec api.MetricSpec, raw float64) (float64, error) {
	if spec.OutOfRange == api.ClampOutOfRange && !math.IsNaN(raw) && !math.IsInf(raw, 0) {
		raw = min(max(raw, spec.Min), spec.Max)
	}
	switch {
	case !(spec.Min < spec.Max):
		return 0, provider.Invalid("Invalid metric '%s': its minimum %s is not below its maximum %s", name, number(spec.Min), number(spec.Max))
	case !(raw >= spec.Min && raw <= spec.Max): // also what is no number
		return 0, provider.Invalid("Invalid metric value for '%s': %s out of range", name, number(raw))
	case len(spec.AllowedValues) > 0 && !slices.ContainsFunc(spec.AllowedValues, func(v int64) bool { return float64(v) == raw }):
		return 0, provider.Invalid("Invalid metric value for '%s': %s not in %v", name, number(raw), spec.AllowedValues)
	}
	return (raw - spec.Min) / (spec.Max - spec.Min), nil
}

// merit turns a normalised value round if low values of its metric are the good ones.
func merit(spec api.MetricSpec, normalised float64) float64 {
	if spec.Direction == api.LowerIsBetter {
		return 1 - normalised
	}
	return normalised
}

func number(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
