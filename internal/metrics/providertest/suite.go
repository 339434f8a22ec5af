package providertest

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/internal/metrics/provider"
)

// Metric is the name that is asked for. No provider may take any of it for a part of its query language.
const Metric = `heat "zone" 'one' \ ${x} |;`

// Known tests a source that has the value 0.42 of Metric and of none other.
func Known(t *testing.T, source provider.Source) {
	t.Helper()
	if got, err := source.Read(t.Context(), Metric); got != 0.42 || err != nil {
		t.Errorf("the value is %v, %v", got, err)
	}
	_, err := source.Read(t.Context(), "unheard-of")
	Invalid(t, err, `"unheard-of"`)
}

// Invalid tests that an error says that there is no usable value, in these words among others.
func Invalid(t *testing.T, err error, words string) {
	t.Helper()
	var invalid *provider.InvalidError
	if !errors.As(err, &invalid) || !strings.Contains(err.Error(), words) {
		t.Errorf("%v, want that a value is invalid: %s", err, words)
	}
}

// Unreachable tests that an error says that there was no answer, in these words among others.
func Unreachable(t *testing.T, err error, words string) {
	t.Helper()
	var unreachable *provider.UnreachableError
	if !errors.As(err, &unreachable) || unreachable.Cause == nil || !strings.Contains(err.Error(), words) {
		t.Errorf("%v, want that there was no answer: %s", err, words)
	}
}

// unusable tests that a value cannot be used: it is invalid, or no finite number, which no metric has in its range.
func unusable(t *testing.T, value float64, err error) {
	t.Helper()
	if err == nil && (math.IsNaN(value) || math.IsInf(value, 0)) {
		return
	}
	Invalid(t, err, fmt.Sprintf("%q", Metric))
}
