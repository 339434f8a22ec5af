package ksql

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/metrics/provider"
)

// source reads from one table.
type source struct {
	settings api.KafkaProvider
	client   *http.Client
}

// Open returns the source that the settings of a provider describe.
func Open(spec api.MetricsProviderSpec) (provider.Source, error) {
	k := *spec.Kafka
	for _, name := range []struct{ what, text string }{{"table", k.Table}, {"value column", k.ValueColumn}, {"comparison column", k.ComparisonColumn}} {
		if !identifier.MatchString(name.text) {
			return nil, provider.Invalid("the %s %q is no name in ksqlDB; with other characters than letters, digits and _ it is written in backquotes", name.what, name.text)
		}
	}
	return &source{settings: k, client: provider.NewClient(nil)}, nil
}

// identifier is the name of a table or a column, with the table in front if need be. What stands in backquotes is as it is
// written, other names are in capitals.
var identifier = regexp.MustCompile("\\A" + part + `(\.` + part + `)*\z`)

const part = "([A-Za-z_][A-Za-z0-9_@]*|`([^`\\x00-\\x1f]|``)+`)"

// Read is a method of provider.Source.
func (s *source) Read(ctx context.Context, name string) (float64, error) {
	body, err := s.query(ctx, name)
	if err == nil {
		var columns []any
		if columns, err = firstRow(body); err == nil {
			return number(columns, name)
		}
	}
	return 0, &provider.UnreachableError{Provider: "ksqlDB", Cause: err}
}

// statement is the pull query for a metric.
func (s *source) statement(name string) string {
	k := s.settings
	return fmt.Sprintf("SELECT %s FROM %s WHERE %s = '%s';", k.ValueColumn, k.Table, k.ComparisonColumn, strings.ReplaceAll(name, "'", "''"))
}

// Media types. Without the first, newer servers answer with lines instead of one array; older ones may know the second only.
const (
	versioned = "application/vnd.ksql.v1+json"
	delimited = "application/vnd.ksqlapi.delimited.v1"
)

func (s *source) query(ctx context.Context, name string) ([]byte, error) {
	body, err := json.Marshal(map[string]any{"ksql": s.statement(name), "streamsProperties": map[string]any{}})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, provider.URL(s.settings.URL, "/query"), bytes.NewReader(body))
	if err != nil {
		return nil, provider.ErrNoURL
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", versioned+", application/json;q=0.9")
	return provider.Ask(s.client, req, func(mediaType string) bool { return provider.JSON(mediaType) || mediaType == delimited })
}

// number is the value in the first column of a row.
func number(columns []any, name string) (float64, error) {
	if len(columns) == 0 {
		return 0, provider.Invalid("ksqlDB has no value of %q", name)
	}
	var text json.Number
	switch v := columns[0].(type) {
	case json.Number:
		text = v
	case string:
		text = json.Number(strings.TrimSpace(v))
	case nil:
		return 0, provider.Invalid("ksqlDB has no value of %q", name)
	}
	value, err := text.Float64()
	if err != nil {
		return 0, provider.Invalid("the value of %q in ksqlDB is no number", name)
	}
	return value, nil
}

var errForm = errors.New("its answer is not that of a ksqlDB")
