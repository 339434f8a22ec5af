package server_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.opentelemetry.io/otel"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/server"
	"github.com/rak-n-rok/krake/internal/telemetry"
)

// settings is an application that no cluster takes.
func settings() *api.Application {
	namespace := "testing"
	app := api.New[api.Application]()
	app.Metadata.Name, app.Metadata.Namespace = "settings", &namespace
	app.Spec.Manifest = api.Manifest{{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a"}}}
	return app
}

func connect(t *testing.T, port string) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{URL: "http://127.0.0.1:" + port})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheMetricsOfAWholeKrakeAreThereAndWellFormed(t *testing.T) {
	p, err := telemetry.Start(t.Context(), telemetry.Options{Version: "1.2.3", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	p.Registry.MustRegister(controller.Metrics)
	port, _ := run(t, server.Config{Listen: "127.0.0.1:0", Components: server.Components(), Registry: p.Registry})
	if _, err := client.Of[api.Application](connect(t, port)).Create(t.Context(), settings()); err != nil {
		t.Fatal(err)
	}
	wanted := []string{
		`krake_build_info{goversion="go`, `krake_api_requests_total{code="200",kind="Application",subresource="",verb="create"} 1`,
		`krake_controller_reconciles_total{controller="scheduler",result="ok"}`, `krake_controller_queue_adds_total{controller="scheduler"}`,
		`krake_controller_queue_depth{controller="gc`, `krake_controller_work_duration_seconds_bucket{controller="scheduler"`,
		"krake_store_revision ", "krake_store_conflicts_total ", `krake_api_watches{kind="Application"} `, "go_goroutines ",
		"process_resident_memory_bytes ",
	}
	var body []byte
	missing := wanted
	for deadline := time.Now().Add(30 * time.Second); len(missing) > 0 && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		body, missing = get(t, "http://127.0.0.1:"+port+"/metrics"), nil
		for _, want := range wanted {
			if !strings.Contains(string(body), "\n"+want) {
				missing = append(missing, want)
			}
		}
	}
	if len(missing) > 0 {
		t.Errorf("there is no %q in\n%s", missing, body)
	}
	problems, err := promlint.New(bytes.NewReader(body)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "krake_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

func get(t *testing.T, url string) []byte {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %v", resp.Status, err)
	}
	return body
}

// A receiver takes traces as a collector does.
type receiver struct {
	mu    sync.Mutex
	spans []*tracev1.Span
	self  map[string]string // attributes of the source
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	var in collector.ExportTraceServiceRequest
	if err != nil || req.URL.Path != "/v1/traces" || proto.Unmarshal(body, &in) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, source := range in.ResourceSpans {
		r.self = attributes(source.Resource.Attributes)
		for _, scope := range source.ScopeSpans {
			r.spans = append(r.spans, scope.Spans...)
		}
	}
}

// below returns the spans of a name that follow from another one.
func (r *receiver) below(parent *tracev1.Span, name string) []*tracev1.Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []*tracev1.Span
	for _, s := range r.spans {
		if s.Name == name && (parent == nil || bytes.Equal(s.TraceId, parent.TraceId) && bytes.Equal(s.ParentSpanId, parent.SpanId)) {
			found = append(found, s)
		}
	}
	return found
}

func attributes(pairs []*common.KeyValue) map[string]string {
	out := map[string]string{}
	for _, p := range pairs {
		out[p.Key] = p.Value.GetStringValue()
	}
	return out
}

func TestOneRequestIsOneTraceFromTheClientToTheCommit(t *testing.T) {
	taken := &receiver{}
	h := httptest.NewServer(taken)
	defer h.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", h.URL)
	p, err := telemetry.Start(t.Context(), telemetry.Options{Version: "1.2.3", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	port, log := run(t, server.Config{Listen: "127.0.0.1:0", Components: []string{"scheduler"}}) // which has something to write
	ctx, span := otel.Tracer("test").Start(client.WithRequestID(t.Context(), "the-id"), "the client")
	apps := client.Of[api.Application](connect(t, port))
	if _, err := apps.Create(ctx, settings()); err != nil {
		t.Fatal(err)
	}
	span.End()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		app, err := apps.Get(t.Context(), "testing", "settings")
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("the scheduler has said nothing of it: %v\n%s", err, log)
		}
		if app.Status.Conditions.Get(api.Scheduled).Status == api.False {
			break
		}
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}

	for _, names := range [][]string{
		{"the client", "create Application", "store commit"},
		{"reconcile scheduler", "patch Application status", "store commit"},
	} {
		var chain []*tracev1.Span
		next := taken.below(nil, names[0])
		for i, name := range names {
			if len(next) == 0 {
				t.Fatalf("no %q follows: %q", name, names[:i])
			}
			chain = append(chain, next[0])
			if i+1 < len(names) {
				next = taken.below(next[0], names[i+1])
			}
		}
		above, request := attributes(chain[0].Attributes), attributes(chain[1].Attributes)
		if id := request["request_id"]; request["krake.kind"] != "Application" || id != "the-id" && (id == "" || id != above["request_id"]) {
			t.Errorf("%q: %v below %v", names, request, above)
		}
	}
	if taken.self["service.name"] != "krake" || taken.self["service.version"] != "1.2.3" {
		t.Errorf("the source is %v", taken.self)
	}
}
