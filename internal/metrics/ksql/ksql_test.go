package ksql_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/metrics/ksql"
	"github.com/rak-n-rok/krake/internal/metrics/provider"
	"github.com/rak-n-rok/krake/internal/metrics/providertest"
)

// No real server: these are the forms that the documentation of ksqlDB gives for its REST interface.
const (
	versioned = "application/vnd.ksql.v1+json"
	plain     = "application/json"
	delimited = "application/vnd.ksqlapi.delimited.v1"

	header    = `{"header":{"queryId":"query_1619728100105","schema":"` + "`VALUE`" + ` DOUBLE"}}`
	newHeader = `{"queryId":"0d8b1d7e","columnNames":["VALUE"],"columnTypes":["DOUBLE"]}`
)

func settings(url string) api.KafkaProvider {
	return api.KafkaProvider{URL: url, Table: "heat_demand", ValueColumn: "value", ComparisonColumn: "id"}
}

func open(t testing.TB, k api.KafkaProvider) provider.Source {
	t.Helper()
	s, err := ksql.Open(api.MetricsProviderSpec{Type: "kafka", Kafka: &k})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asked is the name in a request that is as ksqlDB wants it.
func asked(t testing.TB, r *http.Request) string {
	var body struct {
		KSQL       string          `json:"ksql"`
		Properties *map[string]any `json:"streamsProperties"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Properties == nil || len(*body.Properties) != 0 {
		t.Errorf("the body is %+v, %v", body, err)
	}
	name, begins := strings.CutPrefix(body.KSQL, "SELECT value FROM heat_demand WHERE id = '")
	name, ends := strings.CutSuffix(name, "';")
	inner := strings.ReplaceAll(name, "''", "")
	if r.Method != http.MethodPost || r.URL.Path != "/query" || !begins || !ends || strings.Contains(inner, "'") ||
		r.Header.Get("Content-Type") != plain || !strings.HasPrefix(r.Header.Get("Accept"), versioned) {
		t.Errorf("asked was %s %s with %v: %s", r.Method, r.URL.Path, r.Header, body.KSQL)
	}
	return strings.ReplaceAll(name, "''", "'")
}

func TestAnswersOfKsqlDB(t *testing.T) {
	row := func(columns string) string { return `{"row":{"columns":[` + columns + `]}}` }
	for name, c := range map[string]struct {
		kind, body  string
		want        float64
		invalid     string
		unreachable string
	}{
		"P-5 a row":                         {versioned, `[` + header + ",\n" + row(`0.42`) + `]`, 0.42, "", ""},
		"P-5 another row":                   {versioned, `[` + header + `,` + row(`1.0`) + `]`, 1, "", ""},
		"by the older media type":           {plain, `[` + header + `,` + row(`0.42`) + `]`, 0.42, "", ""},
		"a number that is written as text":  {versioned, `[` + header + `,` + row(`" 0.42 "`) + `]`, 0.42, "", ""},
		"several rows":                      {versioned, `[` + header + `,` + row(`1`) + `,` + row(`2`) + `]`, 1, "", ""},
		"several columns":                   {versioned, `[` + header + `,` + row(`1,"x"`) + `]`, 1, "", ""},
		"a last message":                    {versioned, `[` + header + `,` + row(`1`) + `,{"finalMessage":"Query Completed"}]`, 1, "", ""},
		"rows with all fields":              {versioned, `[` + header + `,{"row":{"columns":[3]},"errorMessage":null,"finalMessage":null}]`, 3, "", ""},
		"the newer form in one array":       {plain, `[` + newHeader + `,[0.42]]`, 0.42, "", ""},
		"the newer form, a line for each":   {delimited, newHeader + "\n[0.42]\n", 0.42, "", ""},
		"the older form, a line for each":   {versioned, header + "\n" + row(`0.42`) + "\n", 0.42, "", ""},
		"P-6 a header alone":                {versioned, `[` + header + `]`, 0, `no value of "heat"`, ""},
		"P-6 a header and a last message":   {versioned, `[` + header + `,{"finalMessage":"Query Completed"}]`, 0, "no value", ""},
		"P-6 the newer form of nothing":     {delimited, newHeader + "\n", 0, "no value", ""},
		"P-6 the same in one array":         {plain, `[` + newHeader + `]`, 0, "no value", ""},
		"a row without columns":             {versioned, `[` + header + `,{"row":{}}]`, 0, "no value", ""},
		"null":                              {versioned, `[` + header + `,` + row(`null`) + `]`, 0, "no value", ""},
		"a text":                            {versioned, `[` + header + `,` + row(`"warm"`) + `]`, 0, `"heat" in ksqlDB is no number`, ""},
		"an array":                          {versioned, `[` + header + `,` + row(`[1]`) + `]`, 0, "no number", ""},
		"a truth":                           {delimited, newHeader + "\n[true]\n", 0, "no number", ""},
		"an error in place of an answer":    {versioned, `{"@type":"statement_error","error_code":40001,"message":"x"}`, 0, "", "refuses the query"},
		"an error in place of a row":        {versioned, `[` + header + `,{"row":null,"errorMessage":{"message":"x"}}]`, 0, "", "refuses the query"},
		"an error after the header":         {delimited, newHeader + "\n" + `{"@type":"generic_error","error_code":50000,"message":"x"}` + "\n", 0, "", "refuses the query"},
		"an empty array":                    {versioned, `[]`, 0, "", "not that of a ksqlDB"},
		"numbers":                           {versioned, `[1,2]`, 0, "", "not that of a ksqlDB"},
		"a row in place of the header":      {versioned, `[[1]]`, 0, "", "not that of a ksqlDB"},
		"an array that does not end":        {versioned, `[` + header + `,`, 0, "", "not that of a ksqlDB"},
		"columns that are none":             {versioned, `[` + header + `,{"row":{"columns":5}}]`, 0, "", "not that of a ksqlDB"},
		"lines of which one is cut":         {delimited, newHeader + "\n[0.4", 0, "", "not that of a ksqlDB"},
		"lines that are no JSON in between": {delimited, newHeader + "\nx\n[1]", 0, "", "not that of a ksqlDB"},
	} {
		t.Run(name, func(t *testing.T) {
			h := httptest.NewServer(providertest.Answer{Type: c.kind, Body: c.body})
			defer h.Close()
			got, err := open(t, settings(h.URL)).Read(t.Context(), "heat")
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

func TestP7WhatEveryProviderHasToPass(t *testing.T) {
	providertest.Dialect{
		Open: func(t testing.TB, url string) provider.Source { return open(t, settings(url)) }, Asked: asked,
		Value: func(v string) providertest.Answer {
			return providertest.Answer{Type: versioned, Body: `[` + header + `,{"row":{"columns":[` + v + `]}}]`}
		},
		Nothing: providertest.Answer{Type: versioned, Body: `[` + header + `]`},
		Texts:   true,
	}.Run(t)
}

// Names of tables and columns stand in the statement as they are.
func TestNamesThatAreNone(t *testing.T) {
	for name, good := range map[string]bool{
		"value": true, "_v1": true, "VALUE": true, "`a-b`": true, "`with a blank`": true, "t.value": true, "t.`a``b`": true,
		"": false, "a-b": false, "a b": false, "1a": false, "v FROM other": false, "v;": false, "a'": false, "`a": false, "`a`b`": false, "``": false,
		"a.": false, "v--": false, "v\n": false, "`a\n`": false, "*": false,
	} {
		for _, place := range []func(*api.KafkaProvider){
			func(k *api.KafkaProvider) { k.Table = name },
			func(k *api.KafkaProvider) { k.ValueColumn = name },
			func(k *api.KafkaProvider) { k.ComparisonColumn = name },
		} {
			k := settings("http://x")
			place(&k)
			_, err := ksql.Open(api.MetricsProviderSpec{Type: "kafka", Kafka: &k})
			if !good {
				providertest.Invalid(t, err, "is no name in ksqlDB")
			} else if err != nil {
				t.Errorf("%q: %v", name, err)
			}
		}
	}
}
