package telemetry

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

func TestProfilesAreServedOnTheMachineOnly(t *testing.T) {
	for name, c := range map[string]struct{ address, want string }{
		"all addresses":           {"0.0.0.0:0", "can be reached from other machines"},
		"no address":              {":0", "can be reached from other machines"},
		"a name":                  {"krake.example:0", "can be reached from other machines"},
		"no port":                 {"127.0.0.1", "HOST:PORT"},
		"a port that there isn't": {"127.0.0.1:99999", "--debug-listen"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Start(t.Context(), Options{Log: slog.New(slog.DiscardHandler), Debug: c.address})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
		})
	}
	var log bytes.Buffer
	p, err := Start(t.Context(), Options{Version: "1.2.3", Log: slog.New(slog.NewTextHandler(&log, nil)), Debug: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(log.String(), "address=")
	url := strings.TrimSpace(rest)
	for _, c := range []struct {
		path, host, want string
		status           int
	}{
		{"/debug/pprof/", "", "goroutine", http.StatusOK},
		{"/debug/pprof/goroutine?debug=1", "localhost:1", "goroutine profile", http.StatusOK},
		{"/metrics", "", `krake_build_info{goversion=`, http.StatusOK},
		{"/debug/pprof/heap", "attacker.example", "loopback", http.StatusForbidden},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.host != "" {
			req.Host = c.host
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != c.status || !strings.Contains(string(body), c.want) {
			t.Errorf("%s as %q: %s %s", c.path, c.host, resp.Status, body)
		}
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := http.Get(url + "/metrics"); err == nil {
		t.Error("it serves on after its end")
	}
}

func TestTracesAreSentWhereTheEnvironmentSays(t *testing.T) {
	const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"
	for name, c := range map[string]struct {
		env    map[string]string
		traced bool
		err    string
	}{
		"nowhere":                     {nil, false, ""},
		"to a collector":              {map[string]string{endpoint: "http://127.0.0.1:1"}, true, ""},
		"to one for traces":           {map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1/v1/traces"}, true, ""},
		"nowhere, since all is off":   {map[string]string{endpoint: "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"}, false, ""},
		"nowhere, since traces are":   {map[string]string{endpoint: "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"}, false, ""},
		"in a way that we do not":     {map[string]string{endpoint: "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, false, "http/protobuf"},
		"in the way that we do":       {map[string]string{endpoint: "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, true, ""},
		"as a source that is mangled": {map[string]string{endpoint: "http://127.0.0.1:1", "OTEL_RESOURCE_ATTRIBUTES": "a"}, false, "OTEL_RESOURCE_ATTRIBUTES"},
	} {
		t.Run(name, func(t *testing.T) {
			for key, value := range c.env {
				t.Setenv(key, value)
			}
			p, err := Start(t.Context(), Options{Log: slog.New(slog.DiscardHandler)})
			if err != nil || c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || c.err == "" {
					t.Errorf("%v", err)
				}
				return
			}
			if traced := p.traces != nil; traced != c.traced {
				t.Errorf("traced: %t", traced)
			}
			if err := p.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTheLogIsTextOrJSON(t *testing.T) {
	for name, c := range map[string]struct{ level, format, want, err string }{
		"text":                       {"info", "text", "level=INFO msg=hello key=value\n", ""},
		"JSON":                       {"debug", "json", `"level":"INFO","msg":"hello","key":"value"}` + "\n", ""},
		"a level above":              {"warn", "text", "", ""},
		"a format that there is not": {"info", "xml", "", "--log-format must be text or json"},
		"a level that there is not":  {"loud", "text", "", "--log-level must be"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			log, err := NewLogger(&out, c.level, c.format)
			if err != nil || c.err != "" {
				if err == nil || c.err == "" || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%v", err)
				}
				return
			}
			log.Info("hello", "key", "value")
			if got := out.String(); !strings.HasSuffix(got, c.want) || (c.want == "") != (got == "") {
				t.Errorf("it says %q", got)
			}
		})
	}
}
