package metrics

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
)

// What a Prometheus answers, and what stands in its place, and what is made of it.
func TestAnswersOfPrometheus(t *testing.T) {
	vector := func(series ...string) string {
		return `{"status":"success","data":{"resultType":"vector","result":[` + strings.Join(series, ",") + `]}}`
	}
	heat := func(value string) string {
		return `{"metric":{"__name__":"heat"},"value":[1573475534.8,` + value + `]}`
	}
	for name, c := range map[string]struct {
		query, answer string
		status        int
		kind          string
		want          float64
		unreachable   string
		invalid       string
	}{
		"one series":                           {"heat", vector(heat(`"0.42"`)), 200, "application/json", 0.42, "", ""},
		"several series of a name":             {"heat", vector(heat(`"1"`), heat(`"2"`)), 200, "application/json; charset=utf-8", 1, "", ""},
		"an expression with one value":         {"sum(heat)", vector(`{"metric":{},"value":[1,"7"]}`), 200, "application/json", 7, "", ""},
		"an expression with several":           {"heat{zone!=\"1\"}", vector(heat(`"1"`), heat(`"2"`)), 200, "application/json", 0, "", "2 values"},
		"a scalar":                             {"scalar(heat)", `{"status":"success","data":{"resultType":"scalar","result":[1,"3"]}}`, 200, "application/json", 3, "", ""},
		"a matrix":                             {"heat[5m]", `{"status":"success","data":{"resultType":"matrix","result":[]}}`, 200, "application/json", 0, "", "but a matrix"},
		"nothing":                              {"heat", vector(), 200, "application/json", 0, "", "no value"},
		"a value that is no number":            {"heat", vector(heat(`"warm"`)), 200, "application/json", 0, "", "is no number"},
		"a value that is no text":              {"heat", vector(heat(`7`)), 200, "application/json", 0, "", "is no number"},
		"an error":                             {"heat", `{"status":"error","error":"x"}`, 400, "application/json", 0, "400 Bad Request", ""},
		"a redirect":                           {"heat", ``, 302, "text/html", 0, "302 Found", ""},
		"a page":                               {"heat", `<html>`, 200, "text/html", 0, `of the type "text/html"`, ""},
		"another document":                     {"heat", `[]`, 200, "application/json", 0, "not that of a Prometheus", ""},
		"an error that calls itself a success": {"heat", `{"status":"error"}`, 200, "application/json", 0, "not that of a Prometheus", ""},
	} {
		t.Run(name, func(t *testing.T) {
			asked := ""
			h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = r.URL.Path + " " + r.URL.Query().Get("query")
				w.Header().Set("Content-Type", c.kind)
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.answer))
			}))
			defer h.Close()
			reader := New(Options{})
			source, err := open(api.MetricsProviderSpec{Type: "prometheus", Prometheus: &api.PrometheusProvider{URL: h.URL + "/base/"}}, reader.http)
			if err != nil {
				t.Fatal(err)
			}
			got, err := source.Read(t.Context(), c.query)
			var u *UnreachableError
			var i *InvalidError
			switch {
			case c.unreachable != "" && (!errors.As(err, &u) || !strings.Contains(err.Error(), c.unreachable)),
				c.invalid != "" && (!errors.As(err, &i) || !strings.Contains(err.Error(), c.invalid)),
				c.unreachable+c.invalid == "" && (err != nil || got != c.want):
				t.Errorf("%v, %v", got, err)
			}
			if want := "/base/api/v1/query " + c.query; asked != want {
				t.Errorf("asked was %q, want %q", asked, want)
			}
		})
	}
}

func TestAProviderThatIsNotThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	silent := func(ctx context.Context) error { // accepts, and says nothing
		s := &prometheus{url: "http://user:secret@" + address, client: http.DefaultClient}
		_, err := s.Read(ctx, "heat")
		return err
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	errs := []error{silent(ctx)}
	_ = l.Close()
	errs = append(errs, silent(t.Context()))
	_, bad := (&prometheus{url: "://", client: http.DefaultClient}).Read(t.Context(), "heat")
	for i, err := range append(errs, bad) {
		var u *UnreachableError
		if !errors.As(err, &u) || strings.Contains(fmt.Sprint(err), "secret") {
			t.Errorf("%d: %v", i, err)
		}
	}
}

func TestSettingsOfProviders(t *testing.T) {
	s, err := open(api.MetricsProviderSpec{Type: "static", Static: &api.StaticProvider{Metrics: map[string]float64{"cost": 0.9}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Read(t.Context(), "cost"); got != 0.9 || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	var i *InvalidError
	if _, err := s.Read(t.Context(), "price"); !errors.As(err, &i) || !strings.Contains(err.Error(), `"price"`) {
		t.Errorf("%v", err)
	}
	if _, err := open(api.MetricsProviderSpec{Type: "kafka", Kafka: &api.KafkaProvider{}}, nil); !errors.As(err, &i) || !strings.Contains(err.Error(), "kafka") {
		t.Errorf("%v", err)
	}
}
