package constraint_test

import (
	"testing"

	"github.com/rak-n-rok/krake/api/constraint"
)

func BenchmarkParseLabel(b *testing.B) {
	for _, text := range []string{"location is DE", "url.com/location not in (DE, SK, IT)", "x is DE and y is FR"} {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = constraint.ParseLabel(text)
			}
		})
	}
}

func BenchmarkParseMetric(b *testing.B) {
	for _, text := range []string{"load > 5", "load less than or equal to 0.8"} {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = constraint.ParseMetric(text)
			}
		})
	}
}

func BenchmarkLabelMatches(b *testing.B) {
	labels := map[string]string{"location": "DE", "tier": "edge", "url.com/owner": "grid"}
	for _, text := range []string{"location is DE", "location not in (SK, IT, PL)", "region is DE"} {
		l := mustLabel(b, text)
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				l.Matches(labels)
			}
		})
	}
}

func BenchmarkMetricMatches(b *testing.B) {
	m := mustMetric(b, "load <= 0.8")
	metrics := map[string]float64{"load": 0.5, "price": 0.3}
	b.ReportAllocs()
	for b.Loop() {
		m.Matches(metrics)
	}
}

func BenchmarkCheckKey(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_ = constraint.CheckKey("topology.kubernetes.io/region")
	}
}
