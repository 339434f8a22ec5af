package metrics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// prometheus reads from a Prometheus server, by instant queries of its HTTP API.
type prometheus struct {
	url    string
	client *http.Client
}

// maxAnswer is how much of an answer is read, in bytes.
const maxAnswer = 1 << 20

// plainName is a query that is nothing but the name of a metric.
var plainName = regexp.MustCompile(`\A[a-zA-Z_:][a-zA-Z0-9_:]*\z`)

// Read is a method of Source. The name may be any expression of PromQL that has one value. Of a plain name, the first
// series of several counts, as in the reference.
func (p *prometheus) Read(ctx context.Context, name string) (float64, error) {
	answer, err := p.query(ctx, name)
	if err != nil {
		return 0, &UnreachableError{"Prometheus", err}
	}
	return answer.value(name)
}

// promAnswer is the answer to a query. A vector is a list of samples, a scalar one sample alone.
type promAnswer struct {
	Status string `json:"status"`
	Data   struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	} `json:"data"`
}

// promSample is a time and a value, which is a text.
type promSample [2]any

func (p *prometheus) query(ctx context.Context, name string) (promAnswer, error) {
	var answer promAnswer
	target := strings.TrimSuffix(p.url, "/") + "/api/v1/query?query=" + url.QueryEscape(name)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return answer, errors.New("its URL is none")
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return answer, bare(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return answer, err
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch {
	case resp.StatusCode != http.StatusOK:
		return answer, fmt.Errorf("it answers %s", resp.Status)
	case kind != "application/json" && !strings.HasSuffix(kind, "+json"):
		return answer, fmt.Errorf("its answer is of the type %q", kind)
	case json.Unmarshal(body, &answer) != nil || answer.Status != "success":
		return answer, errors.New("its answer is not that of a Prometheus")
	}
	return answer, nil
}

// bare leaves the URL out of an error: it may hold a password.
func bare(err error) error {
	var with *url.Error
	if errors.As(err, &with) {
		return with.Err
	}
	return err
}

// value finds the value in an answer.
func (a promAnswer) value(name string) (float64, error) {
	switch a.Data.ResultType {
	case "scalar":
		var sample promSample
		if json.Unmarshal(a.Data.Result, &sample) != nil {
			return 0, invalid("Prometheus has no value of %q", name)
		}
		return sample.number(name)
	case "vector":
		var series []struct {
			Metric map[string]string `json:"metric"`
			Value  promSample        `json:"value"`
		}
		if json.Unmarshal(a.Data.Result, &series) != nil || len(series) == 0 {
			return 0, invalid("Prometheus has no value of %q", name)
		}
		if !plainName.MatchString(name) && len(series) > 1 {
			return 0, invalid("Prometheus has %d values of %q, there must be one", len(series), name)
		}
		return series[0].Value.number(name)
	default:
		return 0, invalid("Prometheus has no single value of %q, but a %s", name, a.Data.ResultType)
	}
}

func (s promSample) number(name string) (float64, error) {
	text, _ := s[1].(string)
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, invalid("the value of %q in Prometheus is no number", name)
	}
	return value, nil
}
