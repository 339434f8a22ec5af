package metrics

import (
	"fmt"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

func TestWhenAStatusIsWritten(t *testing.T) {
	at := func(seconds int64) *api.Time { x := api.At(time.Unix(seconds, 0)); return &x }
	value := func(v float64) *float64 { return &v }
	failure := func(code api.ReasonCode, message string) *api.Reason {
		return &api.Reason{Code: code, Message: message}
	}
	refused := failure(api.UnreachableMetricsProvider, "refused")
	read := api.MetricStatus{Value: value(1), ReadAt: at(100)}
	failing := api.MetricStatus{Value: value(1), ReadAt: at(100), Error: refused, FailedSince: at(150)}
	for name, c := range map[string]struct {
		stored, actual api.MetricStatus
		now, told      int64
		want           string // empty if nothing is due
	}{
		"the first value":                    {api.MetricStatus{}, read, 100, 0, "1 at 100"},
		"the same value":                     {read, api.MetricStatus{Value: value(1), ReadAt: at(900)}, 900, 100, ""},
		"another value soon":                 {read, api.MetricStatus{Value: value(2), ReadAt: at(159)}, 159, 100, ""},
		"another value later":                {read, api.MetricStatus{Value: value(2), ReadAt: at(160)}, 160, 100, "2 at 160"},
		"another value after a restart":      {read, api.MetricStatus{Value: value(2), ReadAt: at(101)}, 101, 0, "2 at 101"},
		"an error at once":                   {read, api.MetricStatus{Value: value(1), ReadAt: at(140), Error: refused}, 150, 149, "1 at 140, refused since 150"},
		"the same error":                     {failing, api.MetricStatus{Value: value(1), ReadAt: at(100), Error: refused}, 900, 150, ""},
		"other words soon":                   {failing, api.MetricStatus{Value: value(1), ReadAt: at(100), Error: failure(refused.Code, "503")}, 151, 150, ""},
		"other words later":                  {failing, api.MetricStatus{Value: value(1), ReadAt: at(100), Error: failure(refused.Code, "503")}, 210, 150, "1 at 100, 503 since 150"},
		"another error at once":              {failing, api.MetricStatus{Value: value(9), ReadAt: at(151), Error: failure(api.InvalidMetric, "range")}, 151, 150, "9 at 151, range since 150"},
		"an error that goes, at once":        {failing, api.MetricStatus{Value: value(1), ReadAt: at(151)}, 151, 150, "1 at 151"},
		"an error after a restart":           {read, api.MetricStatus{Error: refused}, 200, 0, "1 at 100, refused since 200"},
		"the same error after a restart":     {failing, api.MetricStatus{Error: refused}, 200, 0, ""},
		"an error from the beginning":        {api.MetricStatus{}, api.MetricStatus{Error: refused}, 200, 0, "none, refused since 200"},
		"the same error from the beginning":  {api.MetricStatus{Error: refused, FailedSince: at(200)}, api.MetricStatus{Error: refused}, 300, 200, ""},
		"the first value after an error":     {api.MetricStatus{Error: refused, FailedSince: at(200)}, api.MetricStatus{Value: value(3), ReadAt: at(300)}, 300, 299, "3 at 300"},
		"a clock that has gone back a while": {read, api.MetricStatus{Value: value(2), ReadAt: at(50)}, 50, 100, ""},
	} {
		t.Run(name, func(t *testing.T) {
			told := time.Time{}
			if c.told > 0 {
				told = time.Unix(c.told, 0)
			}
			next, due := successor(c.stored, c.actual, time.Unix(c.now, 0), told)
			if got := written(next); due != (c.want != "") || due && got != c.want {
				t.Errorf("%t: %s, want %q", due, got, c.want)
			}
			if _, again := successor(next, c.actual, time.Unix(c.now, 0), time.Time{}); due && again {
				t.Error("once it is written, it is due again")
			}
		})
	}
}

// written tells a status in few words.
func written(s api.MetricStatus) string {
	text := "none"
	if s.Value != nil {
		text = fmt.Sprintf("%g at %d", *s.Value, s.ReadAt.Time().Unix())
	}
	if s.Error != nil {
		text += fmt.Sprintf(", %s since %d", s.Error.Message, s.FailedSince.Time().Unix())
	}
	return text
}

// awaitStatus waits until a global metric's status is as wanted.
func (s *station) awaitStatus(name, want string) *api.GlobalMetric {
	s.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		m, err := client.Of[api.GlobalMetric](s.client).Get(s.Context(), "", name)
		if err != nil {
			s.Fatal(err)
		}
		got := written(m.Status)
		if got == want {
			return m
		}
		if time.Now().After(deadline) {
			s.Fatalf("the status of %s is %s, want %s", name, got, want)
		}
	}
}

func TestAMetricSaysWhatWasReadLast(t *testing.T) {
	s := newStation(t)
	s.clock.Store(1000)
	heat, own := api.MetricRef{Name: "heat", Weight: 1}, api.MetricRef{Name: "own", Weight: 1, Namespaced: true}
	s.need(Needed{"solar", heat}, Needed{"wind", heat}, Needed{"solar", own})
	s.post("/core/globalmetrics", metricOf("heat", "prom", "heat_1"))
	s.post("/core/globalmetrics", metricOf("unused", "prom", "heat_1"))
	s.post("/core/namespaces/solar/metrics", metricOf("own", "values", "a"))
	s.post("/core/namespaces/solar/metricsproviders", `{"metadata": {"name": "values"}, "spec": {"type": "static", "static": {"metrics": {"a": 5}}}}`)
	s.awaitStatus("heat", "none, The metrics provider 'prom' was not found in the Krake database. since 1000")
	s.clock.Store(1010)
	s.post("/core/globalmetricsproviders", `{"metadata": {"name": "prom"}, "spec": {"type": "prometheus", "prometheus": {"url": "`+s.url+`"}}}`)
	first := s.awaitStatus("heat", "1 at 1010")

	// Rounds in which nothing is new write nothing.
	rounds := func(n int64) {
		for asked := s.asked.Load(); s.asked.Load() < asked+n; time.Sleep(time.Millisecond) {
		}
	}
	rounds(20)
	same := s.awaitStatus("heat", "1 at 1010")
	if same.Metadata.ResourceVersion != first.Metadata.ResourceVersion || same.Metadata.Generation != 1 || !same.Metadata.Modified.Equal(first.Metadata.Modified) {
		t.Errorf("it was written again: %+v, %+v", first.Metadata, same.Metadata)
	}
	// A status is no news to the reader.
	news := s.news.Load()
	if _, err := s.client.Do(t.Context(), client.Request{Method: http.MethodPatch, Path: "/core/globalmetrics/heat/status", Body: rawBody(`{"status": {"value": 9}}`)}); err != nil {
		t.Fatal(err)
	}
	rounds(20)
	if s.news.Load() != news {
		t.Errorf("a status was news %d times", s.news.Load()-news)
	}
	s.awaitStatus("heat", "9 at 1010")

	s.value.Store("2")
	s.await("read true, heat 1*0.2", heat)
	s.awaitStatus("heat", "9 at 1010") // for it was told less than a minute ago
	s.clock.Store(1080)
	s.awaitStatus("heat", "2 at 1080")
	s.value.Store("")
	s.awaitStatus("heat", "2 at 1080, Failed to query the provider 'prom': no answer from Prometheus: it answers 502 Bad Gateway since 1080")
	s.value.Store("NaN")
	s.awaitStatus("heat", "2 at 1080, Invalid metric value for 'heat': NaN out of range since 1080")
	s.value.Store("12")
	s.clock.Store(1200)
	s.awaitStatus("heat", "12 at 1200, Invalid metric value for 'heat': 12.0 out of range since 1080")
	s.value.Store("3")
	s.awaitStatus("heat", "3 at 1200")

	if m, err := client.Of[api.Metric](s.client).Get(t.Context(), "solar", "own"); err != nil || written(m.Status) != "5 at 1000" && written(m.Status) != "5 at 1010" {
		t.Errorf("the metric of a namespace says %+v, %v", m.Status, err)
	}
	s.awaitStatus("unused", "none")
}

// A value that is no number is no news when it is read again.
func TestNotANumberStaysNotANumber(t *testing.T) {
	if !same(math.NaN(), math.NaN()) || same(math.NaN(), 1) || !same(1, 1) || same(1, 2) || !same(math.Inf(1), math.Inf(1)) {
		t.Error("values are compared wrongly")
	}
}
