package metrics

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/apiserver"
	"github.com/rak-n-rok/krake/internal/store"
)

// A station is a reader on a real API, and a provider that can be told what to answer.
type station struct {
	*testing.T
	client *client.Client
	reader *Reader
	url    string // of the provider
	asked  atomic.Int64
	value  atomic.Value // a text, empty for no answer
	clock  atomic.Int64 // seconds
	news   atomic.Int64 // how often something new was read

	mu     sync.Mutex
	needed []Needed
}

func newStation(t *testing.T) *station {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	data, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), UnsafeNoFsync: true, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = data.Close() })
	c, err := client.New(client.Config{URL: "http://krake.internal", Transport: apiserver.New(apiserver.Options{Store: data, Log: quiet}).Local("test")})
	if err != nil {
		t.Fatal(err)
	}
	s := &station{T: t, client: c}
	s.value.Store("1")
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.asked.Add(1)
		value := s.value.Load().(string)
		if value == "" {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"%s"]}]}}`, value)
	}))
	t.Cleanup(provider.Close)
	s.url = provider.URL
	all := make(chan struct{})
	close(all)
	s.reader = New(Options{Client: c, Log: quiet, Needed: s.list, Synced: all, Changed: func() { s.news.Add(1) }, Period: 10 * time.Millisecond,
		Now: func() time.Time { return time.Unix(s.clock.Load(), 0) }})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.reader.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *station) list() []Needed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Needed(nil), s.needed...)
}

func (s *station) need(needed ...Needed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.needed = needed
}

// post creates an object by its path.
func (s *station) post(path, body string) {
	s.Helper()
	if _, err := s.client.Do(s.Context(), client.Request{Method: http.MethodPost, Path: path, Body: rawBody(body)}); err != nil {
		s.Fatal(err)
	}
}

type rawBody string

func (b rawBody) MarshalJSON() ([]byte, error) { return []byte(b), nil }

func metricOf(name, provider, metric string) string {
	return fmt.Sprintf(`{"metadata": {"name": %q}, "spec": {"min": 0, "max": 10, "allowed_values": [], "provider": {"name": %q, "metric": %q}}}`, name, provider, metric)
}

// await waits until values and failures are as wanted.
func (s *station) await(want string, refs ...api.MetricRef) {
	s.Helper()
	got := ""
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		values, failures, read := s.reader.Values("solar", refs)
		got = fmt.Sprintf("read %t", read)
		for _, v := range values {
			got += fmt.Sprintf(", %s %g*%g", v.Name, v.Weight, v.Normalised)
			if v.Held {
				got += " held"
			}
		}
		for _, f := range failures {
			got += fmt.Sprintf(", %s %s %s", f.Name, f.Reason.Code, f.Reason.Message)
		}
		if strings.HasPrefix(got, want) {
			return
		}
	}
	s.Fatalf("%s, want %s", got, want)
}

func TestWhatIsNeededIsReadOnceForAll(t *testing.T) {
	s := newStation(t)
	heat, own := api.MetricRef{Name: "heat", Weight: 2}, api.MetricRef{Name: "heat", Weight: 1, Namespaced: true}
	again := api.MetricRef{Name: "again", Weight: 1}
	s.await("read true, heat UNKNOWN_METRIC The metric 'heat' was not found in the Krake database.", heat)
	s.post("/core/globalmetrics", metricOf("heat", "prom", "heat_1"))
	s.post("/core/globalmetrics", metricOf("again", "prom", "heat_1"))
	s.await("read true, heat UNKNOWN_METRICS_PROVIDER The metrics provider 'prom' was not found", heat)
	var many []Needed
	for i := range 1000 {
		many = append(many, Needed{fmt.Sprint("n", i), heat}, Needed{"solar", again})
	}
	s.need(many...)
	s.post("/core/globalmetricsproviders", `{"metadata": {"name": "prom"}, "spec": {"type": "prometheus", "prometheus": {"url": "`+s.url+`"}}}`)
	s.await("read true, heat 2*0.1, again 1*0.1", heat, again)
	before := s.asked.Load()
	time.Sleep(300 * time.Millisecond)
	if n := s.asked.Load() - before; n < 1 || n > 40 {
		t.Errorf("the provider was asked %d times in 30 rounds by 2000 who need one value", n)
	}
	// A metric of the namespace's own is another one, and has a provider of the namespace.
	s.need(append(many, Needed{"solar", own})...)
	s.await("read true, heat UNKNOWN_METRIC", own)
	s.post("/core/namespaces/solar/metrics", metricOf("heat", "prom", "heat_1"))
	s.await("read true, heat UNKNOWN_METRICS_PROVIDER", own)
	s.post("/core/namespaces/solar/metricsproviders", `{"metadata": {"name": "prom"}, "spec": {"type": "static", "static": {"metrics": {"heat_1": 5}}}}`)
	s.await("read true, heat 1*0.5", own)
	s.await("read true, heat 2*0.1", heat)
}

func TestAValueThatCannotBeReadIsRememberedForAWhile(t *testing.T) {
	s := newStation(t)
	heat := api.MetricRef{Name: "heat", Weight: 1}
	s.need(Needed{"solar", heat})
	s.post("/core/globalmetrics", metricOf("heat", "prom", "heat_1"))
	s.post("/core/globalmetricsproviders", `{"metadata": {"name": "prom"}, "spec": {"type": "prometheus", "prometheus": {"url": "`+s.url+`"}}}`)
	s.await("read true, heat 1*0.1", heat)
	s.value.Store("")
	s.await("read true, heat 1*0.1 held", heat)
	s.clock.Add(301)
	s.await("read true, heat UNREACHABLE_METRICS_PROVIDER Failed to query the provider 'prom': no answer from Prometheus: it answers 502", heat)
	s.value.Store("12")
	s.await("read true, heat INVALID_METRIC Invalid metric value for 'heat': 12.0 out of range", heat)
	s.value.Store("7.5")
	s.await("read true, heat 1*0.75", heat)
}

// A definition that changes is news, though the value is the same.
func TestAnotherDefinitionIsNews(t *testing.T) {
	s := newStation(t)
	heat := api.MetricRef{Name: "heat", Weight: 1}
	s.need(Needed{"solar", heat})
	s.post("/core/globalmetrics", metricOf("heat", "prom", "heat_1"))
	s.post("/core/globalmetricsproviders", `{"metadata": {"name": "prom"}, "spec": {"type": "prometheus", "prometheus": {"url": "`+s.url+`"}}}`)
	s.await("read true, heat 1*0.1", heat)
	before := s.news.Load()
	set := client.Of[api.GlobalMetric](s.client)
	m := api.New[api.GlobalMetric]()
	m.Metadata.Name = "heat"
	if _, err := set.Patch(t.Context(), m, map[string]any{"spec": map[string]any{"max": 2}}); err != nil {
		t.Fatal(err)
	}
	s.await("read true, heat 1*0.5", heat)
	for deadline := time.Now().Add(20 * time.Second); s.news.Load() == before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody was told")
		}
	}
}

// A provider that does not answer keeps nobody waiting but those who need it, and these no longer than until it is another one.
func TestAProviderThatHangsHoldsUpNobodyElse(t *testing.T) {
	s := newStation(t)
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(hanging.Close)
	stuck, heat := api.MetricRef{Name: "stuck", Weight: 1}, api.MetricRef{Name: "heat", Weight: 1}
	s.need(Needed{"solar", stuck})
	s.post("/core/globalmetrics", metricOf("stuck", "hangs", "a"))
	s.post("/core/globalmetrics", metricOf("heat", "prom", "heat_1"))
	s.post("/core/globalmetricsproviders", `{"metadata": {"name": "hangs"}, "spec": {"type": "prometheus", "prometheus": {"url": "`+hanging.URL+`"}}}`)
	s.post("/core/globalmetricsproviders", `{"metadata": {"name": "prom"}, "spec": {"type": "prometheus", "prometheus": {"url": "`+s.url+`"}}}`)
	s.await("read false", stuck)
	s.need(Needed{"solar", stuck}, Needed{"solar", heat})
	s.await("read true, heat 1*0.1", heat)
	s.value.Store("2")
	s.await("read true, heat 1*0.2", heat)
	s.await("read false", stuck)
	if _, err := s.client.Do(t.Context(), client.Request{Method: http.MethodPatch, Path: "/core/globalmetricsproviders/hangs",
		Body: rawBody(`{"spec": {"type": "static", "static": {"metrics": {"a": 5}}}}`)}); err != nil {
		t.Fatal(err)
	}
	s.await("read true, stuck 1*0.5", stuck)
}

func TestP8P9ValuesOfAStaticProvider(t *testing.T) {
	s := newStation(t)
	cost, price := api.MetricRef{Name: "cost", Weight: 10}, api.MetricRef{Name: "price", Weight: 10}
	s.need(Needed{"solar", cost}, Needed{"solar", price})
	for _, name := range []string{"cost", "price"} {
		s.post("/core/globalmetrics", strings.Replace(metricOf(name, "values", name), `"max": 10`, `"max": 1`, 1))
	}
	s.post("/core/globalmetricsproviders", `{"metadata": {"name": "values"}, "spec": {"type": "static", "static": {"metrics": {"cost": 0.42, "price": 2}}}}`)
	s.await("read true, cost 10*0.42", cost)
	s.await("read true, price INVALID_METRIC Invalid metric value for 'price': 2.0 out of range", price)
}
