package prometheus_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/metrics/prometheus"
	"github.com/rak-n-rok/krake/internal/metrics/provider"
	"github.com/rak-n-rok/krake/internal/metrics/providertest"
)

const jsonType = "application/json"

func open(t testing.TB, settings api.PrometheusProvider) provider.Source {
	t.Helper()
	s, err := prometheus.Open(api.MetricsProviderSpec{Type: "prometheus", Prometheus: &settings})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func vector(series ...string) string {
	return `{"status":"success","data":{"resultType":"vector","result":[` + strings.Join(series, ",") + `]}}`
}

func heat(value string) string {
	return `{"metric":{"__name__":"heat"},"value":[1573475534.8,` + value + `]}`
}

// asked is the query in a request that is as Prometheus wants it.
func asked(t testing.TB, r *http.Request) string {
	if r.Method != http.MethodGet || r.URL.Path != "/api/v1/query" {
		t.Errorf("asked was %s %s", r.Method, r.URL.Path)
	}
	return r.URL.Query().Get("query")
}

// What a Prometheus answers, and what stands in its place, and what is made of it.
func TestAnswersOfPrometheus(t *testing.T) {
	for name, c := range map[string]struct {
		query, answer string
		status        int
		kind          string
		want          float64
		unreachable   string
		invalid       string
	}{
		"P-1 one series":                       {"heat", vector(heat(`"0.42"`)), 200, jsonType, 0.42, "", ""},
		"several series of a name":             {"heat", vector(heat(`"1"`), heat(`"2"`)), 200, "application/json; charset=utf-8", 1, "", ""},
		"an expression with one value":         {"sum(heat)", vector(`{"metric":{},"value":[1,"7"]}`), 200, jsonType, 7, "", ""},
		"an expression with several":           {"heat{zone!=\"1\"}", vector(heat(`"1"`), heat(`"2"`)), 200, jsonType, 0, "", "2 values"},
		"a scalar":                             {"scalar(heat)", `{"status":"success","data":{"resultType":"scalar","result":[1,"3"]}}`, 200, jsonType, 3, "", ""},
		"a matrix":                             {"heat[5m]", `{"status":"success","data":{"resultType":"matrix","result":[]}}`, 200, jsonType, 0, "", "but a matrix"},
		"P-2 nothing":                          {"heat", vector(), 200, jsonType, 0, "", `no value of "heat"`},
		"P-2 another name":                     {"cold", vector(heat(`"1"`)), 200, jsonType, 0, "", `no value of "cold"`},
		"P-2 a value that is no number":        {"heat", vector(heat(`"warm"`)), 200, jsonType, 0, "", `"heat" in Prometheus is no number`},
		"a value that is no text":              {"heat", vector(heat(`7`)), 200, jsonType, 0, "", "is no number"},
		"an error":                             {"heat", `{"status":"error","error":"x"}`, 400, jsonType, 0, "400 Bad Request", ""},
		"P-3 a server that is overloaded":      {"heat", ``, 503, "text/plain", 0, "503 Service Unavailable", ""},
		"a redirect":                           {"heat", ``, 302, "text/html", 0, "302 Found", ""},
		"a page":                               {"heat", `<html>`, 200, "text/html", 0, `of the type "text/html"`, ""},
		"another document":                     {"heat", `[]`, 200, jsonType, 0, "not that of a Prometheus", ""},
		"an error that calls itself a success": {"heat", `{"status":"error"}`, 200, jsonType, 0, "not that of a Prometheus", ""},
	} {
		t.Run(name, func(t *testing.T) {
			query := ""
			h := httptest.NewServer(http.StripPrefix("/base", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				query = asked(t, r)
				providertest.Answer{Status: c.status, Type: c.kind, Body: c.answer}.ServeHTTP(w, r)
			})))
			defer h.Close()
			got, err := open(t, api.PrometheusProvider{URL: h.URL + "/base/"}).Read(t.Context(), c.query)
			switch {
			case c.unreachable != "":
				providertest.Unreachable(t, err, c.unreachable)
			case c.invalid != "":
				providertest.Invalid(t, err, c.invalid)
			case err != nil || got != c.want:
				t.Errorf("%v, %v", got, err)
			}
			if query != c.query {
				t.Errorf("asked was %q, want %q", query, c.query)
			}
		})
	}
}

func TestP3WhatEveryProviderHasToPass(t *testing.T) {
	text := func(s string) *string { return &s }
	plain := providertest.Dialect{
		Open: func(t testing.TB, url string) provider.Source { return open(t, api.PrometheusProvider{URL: url}) }, Asked: asked,
		Value: func(v string) providertest.Answer {
			quoted, _ := json.Marshal(strings.Trim(v, `"`))
			return providertest.Answer{Type: jsonType, Body: vector(`{"metric":{},"value":[1,` + string(quoted) + `]}`)}
		},
		Nothing: providertest.Answer{Type: jsonType, Body: vector()},
		Garbage: map[string]providertest.Answer{"half a document": {Type: jsonType, Body: vector()[:20]}, "no status": {Type: jsonType, Body: `{"data":{"resultType":"vector","result":[]}}`}},
	}
	t.Run("without authentication", plain.Run)

	basic := plain
	basic.Open = func(t testing.TB, url string) provider.Source {
		return open(t, api.PrometheusProvider{URL: url, Username: text("krake"), Password: text("kraken:5ecret")})
	}
	basic.Stranger = func(t testing.TB, url string) provider.Source {
		return open(t, api.PrometheusProvider{URL: url, Username: text("krake"), Password: text("wrong-5ecret")})
	}
	basic.Admitted = func(r *http.Request) bool {
		name, password, ok := r.BasicAuth()
		return ok && name == "krake" && password == "kraken:5ecret"
	}
	basic.Secrets = []string{"5ecret"}
	t.Run("by name and password", basic.Run)

	bearer := plain
	bearer.Open = func(t testing.TB, url string) provider.Source {
		return open(t, api.PrometheusProvider{URL: url, Token: text("t0ken")})
	}
	bearer.Stranger = func(t testing.TB, url string) provider.Source {
		return open(t, api.PrometheusProvider{URL: url, Token: text("wrong-t0ken")})
	}
	bearer.Admitted = func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer t0ken" }
	bearer.Secrets = []string{"t0ken"}
	t.Run("by token", bearer.Run)
}

func TestSeveralNamesAreAskedForTogether(t *testing.T) {
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := asked(t, r)
		if got == "none" { // which is asked for once more by itself
			providertest.Answer{Type: jsonType, Body: vector()}.ServeHTTP(w, r)
			return
		}
		if want := `{__name__=~"heat|cold|dry|none"}`; got != want {
			t.Errorf("asked was %s, want %s", got, want)
		}
		providertest.Answer{Type: jsonType, Body: vector(heat(`"1"`), heat(`"2"`), `{"metric":{"__name__":"cold"},"value":[1,"brr"]}`,
			`{"metric":{"__name__":"dry"},"value":[1,"3"]}`)}.ServeHTTP(w, r)
	}))
	defer h.Close()
	source := open(t, api.PrometheusProvider{URL: h.URL}).(provider.BatchSource)
	results, err := source.ReadAll(t.Context(), []string{"heat", "cold", "dry", "none"})
	if err != nil || len(results) != 4 || results["heat"] != (provider.Result{Value: 1}) || results["dry"] != (provider.Result{Value: 3}) {
		t.Errorf("%v, %v", results, err)
	}
	providertest.Invalid(t, results["cold"].Err, `"cold" in Prometheus is no number`)
	providertest.Invalid(t, results["none"].Err, `no value of "none"`)
	for query, want := range map[string]bool{"heat": true, "a:b_1": true, "sum(heat)": false, "heat|cold": false, `x"`: false, "": false, "a\n": false} {
		if source.Batch(query) != want {
			t.Errorf("%q may be asked for with others: %t", query, !want)
		}
	}
	h.Close()
	_, err = source.ReadAll(t.Context(), []string{"heat"})
	providertest.Unreachable(t, err, "refused")
}

func TestServersThatKnowOnlyNamesAreAskedForEach(t *testing.T) {
	for name, together := range map[string]providertest.Answer{
		"they find nothing": {Type: jsonType, Body: vector()},
		"they refuse":       {Status: http.StatusBadRequest, Type: jsonType, Body: `{"status":"error"}`},
	} {
		t.Run(name, func(t *testing.T) {
			h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if asked(t, r) == "heat" {
					providertest.Answer{Type: jsonType, Body: vector(heat(`"1"`))}.ServeHTTP(w, r)
					return
				}
				together.ServeHTTP(w, r)
			}))
			defer h.Close()
			results, err := open(t, api.PrometheusProvider{URL: h.URL}).(provider.BatchSource).ReadAll(t.Context(), []string{"heat", "cold"})
			if err != nil || results["heat"] != (provider.Result{Value: 1}) || results["cold"].Err == nil {
				t.Errorf("%v, %v", results, err)
			}
		})
	}
}
