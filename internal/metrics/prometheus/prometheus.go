package prometheus

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/metrics/provider"
)

// source reads from one server.
type source struct {
	settings api.PrometheusProvider
	client   *http.Client
}

// Open returns the source that the settings of a provider describe.
func Open(spec api.MetricsProviderSpec) (provider.Source, error) {
	config, err := tlsConfig(spec.Prometheus)
	if err != nil {
		return nil, err
	}
	return &source{settings: *spec.Prometheus, client: provider.NewClient(config)}, nil
}

// tlsConfig has the certificates of the settings; it is nil if there are none. The API has checked them before they were
// stored, but other programs can write into its database.
func tlsConfig(s *api.PrometheusProvider) (*tls.Config, error) {
	if s.ClientCertificate == nil && s.CACertificate == nil {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.ClientCertificate != nil && s.ClientKey != nil {
		pair, err := tls.X509KeyPair([]byte(*s.ClientCertificate), []byte(*s.ClientKey))
		if err != nil {
			return nil, provider.Invalid("the client certificate for Prometheus and its key cannot be used")
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if s.CACertificate != nil {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(*s.CACertificate)) {
			return nil, provider.Invalid("the CA certificate for Prometheus cannot be used")
		}
	}
	return config, nil
}

// plainName is a query that is nothing but the name of a metric.
var plainName = regexp.MustCompile(`\A[a-zA-Z_:][a-zA-Z0-9_:]*\z`)

// Read is a method of provider.Source. The name may be any expression of PromQL that has one value. Of a plain name, the
// first series of several counts, as in the reference.
func (s *source) Read(ctx context.Context, name string) (float64, error) {
	found, err := s.query(ctx, name)
	if err != nil {
		return 0, &provider.UnreachableError{Provider: "Prometheus", Cause: err}
	}
	return found.value(name)
}

// Batch is a method of provider.BatchSource: of expressions, only the value comes back, and not whose it is.
func (s *source) Batch(name string) bool { return plainName.MatchString(name) }

// ReadAll is a method of provider.BatchSource. What does not come back is asked for by itself: there are servers, and proxies
// before servers, that know queries by name alone.
func (s *source) ReadAll(ctx context.Context, names []string) (map[string]provider.Result, error) {
	found, err := s.query(ctx, `{__name__=~"`+strings.Join(names, "|")+`"}`)
	var status *provider.StatusError
	if err != nil && !(errors.As(err, &status) && status.Status < http.StatusInternalServerError) {
		return nil, &provider.UnreachableError{Provider: "Prometheus", Cause: err}
	}
	var all []series
	_ = json.Unmarshal(found.Data.Result, &all) // what is no list of series has none
	results := map[string]provider.Result{}
	for _, one := range all {
		name := one.Metric["__name__"]
		if _, had := results[name]; !had {
			value, err := one.Value.number(name)
			results[name] = provider.Result{Value: value, Err: err}
		}
	}
	for _, name := range names {
		if _, has := results[name]; !has {
			value, err := s.Read(ctx, name)
			results[name] = provider.Result{Value: value, Err: err}
		}
	}
	return results, nil
}

// answer is the answer to a query. A vector is a list of series, a scalar one sample alone.
type answer struct {
	Status string `json:"status"`
	Data   struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	} `json:"data"`
}

type series struct {
	Metric map[string]string `json:"metric"`
	Value  sample            `json:"value"`
}

// sample is a time and a value, which is a text.
type sample [2]any

func (s *source) query(ctx context.Context, query string) (answer, error) {
	var out answer
	target := provider.URL(s.settings.URL, "/api/v1/query?query="+url.QueryEscape(query))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return out, provider.ErrNoURL
	}
	s.authenticate(req)
	body, err := provider.Ask(s.client, req, provider.JSON)
	if err != nil {
		return out, err
	}
	if json.Unmarshal(body, &out) != nil || out.Status != "success" {
		return out, errors.New("its answer is not that of a Prometheus")
	}
	return out, nil
}

// authenticate says who asks.
func (s *source) authenticate(req *http.Request) {
	switch {
	case s.settings.Token != nil:
		req.Header.Set("Authorization", "Bearer "+*s.settings.Token)
	case s.settings.Username != nil && s.settings.Password != nil:
		req.SetBasicAuth(*s.settings.Username, *s.settings.Password)
	}
}

// value finds the value in an answer.
func (a answer) value(name string) (float64, error) {
	switch a.Data.ResultType {
	case "scalar":
		var one sample
		if json.Unmarshal(a.Data.Result, &one) != nil {
			return 0, provider.Invalid("Prometheus has no value of %q", name)
		}
		return one.number(name)
	case "vector":
		var all []series
		if json.Unmarshal(a.Data.Result, &all) != nil || len(all) == 0 {
			return 0, provider.Invalid("Prometheus has no value of %q", name)
		}
		if plainName.MatchString(name) && all[0].Metric["__name__"] != "" && all[0].Metric["__name__"] != name {
			return 0, provider.Invalid("Prometheus has no value of %q", name)
		}
		if !plainName.MatchString(name) && len(all) > 1 {
			return 0, provider.Invalid("Prometheus has %d values of %q, there must be one", len(all), name)
		}
		return all[0].Value.number(name)
	default:
		return 0, provider.Invalid("Prometheus has no single value of %q, but a %s", name, a.Data.ResultType)
	}
}

func (s sample) number(name string) (float64, error) {
	text, _ := s[1].(string)
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, provider.Invalid("the value of %q in Prometheus is no number", name)
	}
	return value, nil
}
