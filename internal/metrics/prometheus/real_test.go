//go:build providers

package prometheus_test

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/metrics"
	"github.com/rak-n-rok/krake/internal/metrics/prometheus"
	"github.com/rak-n-rok/krake/internal/metrics/provider"
	"github.com/rak-n-rok/krake/internal/metrics/providertest"
	"github.com/rak-n-rok/krake/internal/prometheustest"
)

// A real Prometheus that scrapes an exporter of ours.
func TestARealPrometheus(t *testing.T) {
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, "heat_demand_zone_1 0.42\nzones{zone=\"1\"} 3\nzones{zone=\"2\"} 4\nnothing NaN\n")
	}))
	defer exporter.Close()
	url, _ := prometheustest.Start(t, exporter.Listener.Addr().String(), "")
	source, err := prometheus.Open(api.MetricsProviderSpec{Prometheus: &api.PrometheusProvider{URL: url}})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		value, err := source.Read(t.Context(), "heat_demand_zone_1")
		if err == nil && value == 0.42 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%v, %v", value, err)
		}
	}
	for query, want := range map[string]float64{"sum(zones)": 7, `zones{zone="2"}`: 4, "scalar(heat_demand_zone_1)": 0.42, "heat_demand_zone_1 * 100": 42} {
		if got, err := source.Read(t.Context(), query); err != nil || got != want {
			t.Errorf("%s is %v, %v", query, got, err)
		}
	}
	var i *provider.InvalidError
	for _, query := range []string{"missing", `zones{zone!="3"}`, "zones[5m]"} {
		if got, err := source.Read(t.Context(), query); !errors.As(err, &i) {
			t.Errorf("%s is %v, %v", query, got, err)
		}
	}
	var u *provider.UnreachableError
	if got, err := source.Read(t.Context(), "sum("); !errors.As(err, &u) {
		t.Errorf("what is no query is %v, %v", got, err)
	}
	value, err := source.Read(t.Context(), "nothing")
	if err != nil {
		t.Errorf("what is no number is %v, %v", value, err)
	} else if _, err := metrics.ValueOf(api.MetricRef{Name: "nothing"}, api.MetricSpec{Max: 1}, value); err == nil {
		t.Error("it is a value")
	}
	results, err := source.(provider.BatchSource).ReadAll(t.Context(), []string{"heat_demand_zone_1", "missing", "nothing", "zones"})
	if err != nil || results["heat_demand_zone_1"].Value != 0.42 || results["heat_demand_zone_1"].Err != nil || !errors.As(results["missing"].Err, &i) ||
		!math.IsNaN(results["nothing"].Value) || results["zones"].Value < 3 || len(results) != 4 {
		t.Errorf("together they are %v, %v", results, err)
	}
}

// A real Prometheus that lets in whoever has the password and a certificate. The password is that of the documentation of
// Prometheus.
func TestARealPrometheusAsksWhoWeAre(t *testing.T) {
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "heat 0.42\n") }))
	defer exporter.Close()
	ours := newAuthority(t)
	serverCert, serverKey := ours.issue(t, "prometheus")
	dir := t.TempDir()
	for name, content := range map[string]string{"server.pem": serverCert, "server.key": serverKey, "ca.pem": ours.pem} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	url, _ := prometheustest.Start(t, exporter.Listener.Addr().String(), fmt.Sprintf(`
tls_server_config: {cert_file: %[1]s/server.pem, key_file: %[1]s/server.key, client_ca_file: %[1]s/ca.pem, client_auth_type: RequireAndVerifyClientCert}
basic_auth_users: {admin: $2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay}
`, dir))
	cert, key := ours.issue(t, "krake")
	name, password, wrong := "admin", "test", "wrong"
	good := api.PrometheusProvider{URL: url, Username: &name, Password: &password, ClientCertificate: &cert, ClientKey: &key, CACertificate: &ours.pem}
	source := open(t, good)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		value, err := source.Read(t.Context(), "heat")
		if err == nil && value == 0.42 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%v, %v", value, err)
		}
	}
	other := good
	other.Password = &wrong
	_, err := open(t, other).Read(t.Context(), "heat")
	providertest.Unreachable(t, err, "401 Unauthorized")
	other = good
	other.ClientCertificate, other.ClientKey = nil, nil
	_, err = open(t, other).Read(t.Context(), "heat")
	providertest.Unreachable(t, err, "")
}
