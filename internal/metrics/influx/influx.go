package influx

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/metrics/provider"
)

// source reads from one bucket.
type source struct {
	settings api.InfluxProvider
	client   *http.Client
}

// Open returns the source that the settings of a provider describe.
func Open(spec api.MetricsProviderSpec) (provider.Source, error) {
	return &source{settings: *spec.Influx, client: provider.NewClient(nil)}, nil
}

// Read is a method of provider.Source. The name is that of a measurement; of several series in it, the first one counts.
func (s *source) Read(ctx context.Context, name string) (float64, error) {
	body, err := s.query(ctx, name)
	if err == nil {
		var text string
		var found bool
		if text, found, err = firstValue(body); err == nil {
			return number(text, found, name)
		}
	}
	return 0, &provider.UnreachableError{Provider: "InfluxDB", Cause: err}
}

func number(text string, found bool, name string) (float64, error) {
	if !found {
		return 0, provider.Invalid("InfluxDB has no value of %q in the last hour", name)
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, provider.Invalid("the value of %q in InfluxDB is no number", name)
	}
	return value, nil
}

// flux is the query for the last value of a measurement.
func (s *source) flux(name string) string {
	return fmt.Sprintf(`from(bucket: %s) |> range(start: -1h) |> filter(fn: (r) => r._measurement == %s) |> last()`,
		quote(s.settings.Bucket), quote(name))
}

// quote writes a text as a literal of Flux. What could end it, or be taken for an expression in it, is escaped.
func quote(text string) string {
	var out strings.Builder
	out.WriteByte('"')
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"', c == '\\':
			out.WriteByte('\\')
			out.WriteByte(c)
		case c == '$' && strings.HasPrefix(text[i:], "${"):
			out.WriteString(`\$`)
		case c < ' ', c == 0x7f:
			fmt.Fprintf(&out, `\x%02x`, c)
		default:
			out.WriteByte(c)
		}
	}
	out.WriteByte('"')
	return out.String()
}

func (s *source) query(ctx context.Context, name string) ([]byte, error) {
	target := provider.URL(s.settings.URL, "/api/v2/query?org="+url.QueryEscape(s.settings.Org))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(s.flux(name)))
	if err != nil {
		return nil, provider.ErrNoURL
	}
	req.Header.Set("Authorization", "Token "+s.settings.Token)
	req.Header.Set("Content-Type", "application/vnd.flux")
	req.Header.Set("Accept", "application/csv")
	return provider.Ask(s.client, req, func(mediaType string) bool { return mediaType == "application/csv" || mediaType == "text/csv" })
}

// firstValue finds the value of the first record in an answer: tables in CSV, each with a line that names its columns, and
// perhaps lines of annotations, which begin with #, before that. An answer that has come to an error half-way has a table
// with the column error. found is false when there is no record at all.
func firstValue(answer []byte) (value string, found bool, err error) {
	lines := csv.NewReader(bytes.NewReader(answer))
	lines.FieldsPerRecord = -1
	lines.Comment = '#'
	header, err := lines.Read()
	if errors.Is(err, io.EOF) {
		return "", false, nil // nothing at all is how no tables are written
	}
	if err != nil {
		return "", false, errForm
	}
	column := slices.Index(header, "_value")
	switch {
	case slices.Contains(header, "error"):
		return "", false, errors.New("it refuses the query")
	case column < 0:
		return "", false, errForm
	}
	record, err := lines.Read()
	switch {
	case errors.Is(err, io.EOF):
		return "", false, nil
	case err != nil || len(record) <= column:
		return "", false, errForm
	}
	return record[column], true, nil
}

var errForm = errors.New("its answer is not that of an InfluxDB")
