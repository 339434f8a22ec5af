package constraint_test

import (
	"testing"

	"github.com/rak-n-rok/krake/api/constraint"
)

func FuzzParseLabel(f *testing.F) {
	for text := range acceptedLabels {
		f.Add(text)
	}
	for _, texts := range refusedLabels {
		for _, text := range texts {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := constraint.ParseLabel(text)
		if err == nil {
			checkLabel(t, l, text)
		} else if kindOf(err) == "" || !l.IsZero() {
			t.Errorf("%q gives %q, %v", text, l.Canonical(), err)
		}
	})
}

func FuzzParseMetric(f *testing.F) {
	for text := range acceptedMetrics {
		f.Add(text)
	}
	for _, texts := range refusedMetrics {
		for _, text := range texts {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := constraint.ParseMetric(text)
		if err == nil {
			checkMetric(t, m, text)
		} else if kindOf(err) == "" || !m.IsZero() {
			t.Errorf("%q gives %q, %v", text, m.Canonical(), err)
		}
	})
}
