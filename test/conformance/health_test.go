package conformance

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/rak-n-rok/krake/internal/apiserver"
	"github.com/rak-n-rok/krake/internal/store"
)

func TestAServerSaysWhetherItIsReady(t *testing.T) {
	st, err := store.Open(t.Context(), store.Options{Dir: filepath.Join(t.TempDir(), "data"), UnsafeNoFsync: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	api := apiserver.New(apiserver.Options{Store: st, Log: slog.New(slog.DiscardHandler), AnyHost: true, Version: "v9"})
	ask := func(path string) (int, string) {
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	want := func(path string, code int, part string) {
		t.Helper()
		if got, body := ask(path); got != code || !strings.Contains(body, part) {
			t.Errorf("%s: %d %s", path, got, body)
		}
	}
	want("/healthz", 200, "ok")
	want("/readyz", 200, "ready")
	want("/version", 200, `"version":"v9"`)
	api.Stop()
	want("/readyz", 503, "the server is stopping")
	want("/healthz", 200, "ok")
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	want("/readyz", 503, "the database does not answer")
	want(apps, 503, "the server is stopping or overloaded")
	want("/metrics", 200, "krake_store_up 0")
}

func TestMetricsCountWhatWasAsked(t *testing.T) {
	s := start(t)
	watch := s.watch(t, apps+"?watch&heartbeat=0")
	defer watch.close()
	s.ask(t, "POST", apps, app("x")).want(t, 200)
	s.ask(t, "POST", apps, app("x")).want(t, 409)
	s.ask(t, "PUT", apps+"/x/binding", `{"cluster":`+edge+`}`).want(t, 200)
	for _, path := range []string{"/kubernetes/somebodys/secret", apps + "/x/somebodys-secret", "/nope"} {
		s.ask(t, "GET", path, nil).want(t, 404)
	}
	s.put(t, "/kubernetes/applications/solar/illegible", "no document")
	s.put(t, "/kubernetes/applications/solar/no-application", `{"metadata":7}`)
	s.ask(t, "PATCH", apps+"/x", `{"metadata":{"labels":{"all":"seen"}}}`).want(t, 200)
	for range 3 { // events come in order, so the watch has met the broken records before the last one
		watch.next(t)
	}
	s.ask(t, "GET", apps, nil).want(t, 200)
	resp, err := s.client.Get(s.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text.String(), "secret") {
		t.Error("what somebody asked for in vain became a label")
	}
	problems, err := promlint.New(bytes.NewReader(text.Bytes())).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(&text)
	if err != nil {
		t.Fatal(err)
	}
	for labels, want := range map[string]float64{
		"krake_api_requests_total code=200 kind=Application subresource= verb=create":        1,
		"krake_api_requests_total code=409 kind=Application subresource= verb=create":        1,
		"krake_api_requests_total code=200 kind=Application subresource=binding verb=update": 1,
		"krake_api_requests_total code=404 kind= subresource= verb=other":                    3,
		"krake_api_watches kind=Application":                                                 1,
		"krake_api_broken_records_total":                                                     4, // each by the list and by the watch
		"krake_store_records":                                                                3,
		"krake_store_up":                                                                     1,
		"krake_store_commits_total":                                                          5,
		"krake_store_conflicts_total":                                                        1,
		"krake_store_alarms":                                                                 0,
	} {
		if got, found := metric(families, labels); !found || got != want {
			t.Errorf("%s is %v (%t), want %v", labels, got, found, want)
		}
	}
}

// metric finds the value of a series that is named with its labels.
func metric(families map[string]*dto.MetricFamily, series string) (float64, bool) {
	name, labels, _ := strings.Cut(series, " ")
	for _, m := range families[name].GetMetric() {
		var found []string
		for _, l := range m.GetLabel() {
			found = append(found, l.GetName()+"="+l.GetValue())
		}
		if strings.Join(found, " ") == labels {
			return m.GetCounter().GetValue() + m.GetGauge().GetValue(), true
		}
	}
	return 0, false
}

func TestARequestHasOneName(t *testing.T) {
	var log syncBuffer
	s := start(t, func(o *apiserver.Options) {
		o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	if got := s.ask(t, "GET", "/me", nil, "X-Request-ID", "mine-1").header.Get("X-Request-ID"); got != "mine-1" {
		t.Errorf("the name became %q", got)
	}
	if !strings.Contains(log.String(), "request_id=mine-1") {
		t.Errorf("the log does not have it: %s", log.String())
	}
	for _, bad := range []string{"", "two words", strings.Repeat("a", 65), "a\"b"} {
		got := s.ask(t, "GET", "/nope", nil, "X-Request-ID", bad).header.Get("X-Request-ID")
		if !regexp.MustCompile(`\A[0-9a-f-]{36}\z`).MatchString(got) {
			t.Errorf("%q became %q", bad, got)
		}
	}
}

func TestTheLogIsSilentAboutWhatIsExpected(t *testing.T) {
	var log syncBuffer
	s := start(t, func(o *apiserver.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	s.ask(t, "POST", apps, app("x")).want(t, 200)
	s.ask(t, "POST", apps, app("x")).want(t, 409)
	s.ask(t, "POST", apps, "{}").want(t, 422)
	s.ask(t, "GET", apps+"/y", nil).want(t, 404)
	s.ask(t, "PUT", apps+"/x", s.ask(t, "GET", apps+"/x", nil).document(t)).want(t, 400)
	if log.String() != "" {
		t.Errorf("the log says %s", log.String())
	}
}
