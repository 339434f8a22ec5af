package influx_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/metrics/influx"
	"github.com/rak-n-rok/krake/internal/metrics/provider"
	"github.com/rak-n-rok/krake/internal/metrics/providertest"
)

// No real server: these are the forms that the documentation of InfluxDB gives for its HTTP API.
const (
	kind   = "text/csv; charset=utf-8"
	header = ",result,table,_start,_stop,_time,_value,_field,_measurement\r\n"
)

func record(value string) string {
	return ",_result,0,2026-01-01T00:00:00Z,2026-01-01T01:00:00Z,2026-01-01T00:59:50Z," + value + ",value,heat\r\n"
}

func open(t testing.TB, url, token string) provider.Source {
	t.Helper()
	s, err := influx.Open(api.MetricsProviderSpec{Type: "influx", Influx: &api.InfluxProvider{
		URL: url, Token: token, Org: "my org & co", Bucket: `energy "de" ${x}`}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asked is the name in a request that is as InfluxDB wants it.
func asked(t testing.TB, r *http.Request) string {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	name, begins := strings.CutPrefix(string(body),
		`from(bucket: "energy \"de\" \${x}") |> range(start: -1h) |> filter(fn: (r) => r._measurement == "`)
	name, ends := strings.CutSuffix(name, `") |> last()`)
	if r.Method != http.MethodPost || r.URL.Path != "/api/v2/query" || r.URL.Query().Get("org") != "my org & co" || !begins || !ends ||
		r.Header.Get("Content-Type") != "application/vnd.flux" || r.Header.Get("Accept") != "application/csv" {
		t.Errorf("asked was %s %s with %v: %s", r.Method, r.URL, r.Header, body)
	}
	return unquoted(name)
}

// unquoted reads what stands between the quotes of a literal of Flux.
func unquoted(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			i++
		} else if text[i] == '"' || strings.HasPrefix(text[i:], "${") {
			return "a literal that ends early"
		}
		out.WriteByte(text[i])
	}
	return out.String()
}

func TestAnswersOfInfluxDB(t *testing.T) {
	for name, c := range map[string]struct {
		kind, body  string
		status      int
		want        float64
		invalid     string
		unreachable string
	}{
		"P-10 a record":                {kind, header + record("10") + "\r\n", 200, 10, "", ""},
		"with annotations":             {kind, "#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double,string,string\r\n#group,false,false,true,true,false,false,true,true\r\n#default,_result,,,,,,,\r\n" + header + record("0.42") + "\r\n", 200, 0.42, "", ""},
		"several series":               {kind, header + record("1") + record("2") + "\r\n", 200, 1, "", ""},
		"several tables":               {kind, header + record("1") + "\r\n,result,table,_value\r\n,_result,1,2\r\n\r\n", 200, 1, "", ""},
		"lines of Unix":                {"application/csv", ",result,table,_value\n,_result,0,3\n", 200, 3, "", ""},
		"columns in quotes":            {kind, ",result,table,_value,\"a,b\"\r\n,_result,0,4,\"x \"\"y\"\"\"\r\n", 200, 4, "", ""},
		"P-10 no tables":               {kind, "\r\n", 200, 0, `no value of "heat" in the last hour`, ""},
		"P-10 a table without records": {kind, header, 200, 0, "no value", ""},
		"a text":                       {kind, header + record("warm"), 200, 0, `"heat" in InfluxDB is no number`, ""},
		"a truth":                      {kind, header + record("true"), 200, 0, "is no number", ""},
		"null":                         {kind, header + record(""), 200, 0, "is no number", ""},
		"an error half-way":            {kind, ",error,reference\r\n,Failed to parse query,897\r\n", 200, 0, "", "refuses the query"},
		"no values":                    {kind, ",result,table\r\n,_result,0\r\n", 200, 0, "", "not that of an InfluxDB"},
		"a record that is too short":   {kind, header + ",_result\r\n", 200, 0, "", "not that of an InfluxDB"},
		"quotes that do not end":       {kind, header + ",\"\r\n", 200, 0, "", "not that of an InfluxDB"},
		"P-10 a client without rights": {"application/json", `{"code":"unauthorized"}`, 401, 0, "", "401 Unauthorized"},
		"P-10 a query that is wrong":   {"application/json", `{"code":"invalid"}`, 400, 0, "", "400 Bad Request"},
	} {
		t.Run(name, func(t *testing.T) {
			h := httptest.NewServer(providertest.Answer{Status: c.status, Type: c.kind, Body: c.body})
			defer h.Close()
			got, err := open(t, h.URL, "t").Read(t.Context(), "heat")
			switch {
			case c.unreachable != "":
				providertest.Unreachable(t, err, c.unreachable)
			case c.invalid != "":
				providertest.Invalid(t, err, c.invalid)
			case err != nil || got != c.want:
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

func TestP10WhatEveryProviderHasToPass(t *testing.T) {
	providertest.Dialect{
		Open: func(t testing.TB, url string) provider.Source { return open(t, url, "t0ken") }, Asked: asked,
		Value: func(v string) providertest.Answer {
			return providertest.Answer{Type: kind, Body: header + record(strings.Trim(v, `"`))}
		},
		Nothing:  providertest.Answer{Type: kind, Body: "\r\n"},
		Texts:    true,
		Secrets:  []string{"t0ken"},
		Stranger: func(t testing.TB, url string) provider.Source { return open(t, url, "wrong-t0ken") },
		Admitted: func(r *http.Request) bool { return r.Header.Get("Authorization") == "Token t0ken" },
	}.Run(t)
}
