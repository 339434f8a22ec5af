package prometheustest

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Start starts a Prometheus that scrapes a target, HOST:PORT, every second. Its API is served as web says, which is the
// content of a file for --web.config.file, without authentication and TLS if it is empty. It ends with the test at the latest, and need not
// answer yet when Start returns. Where Prometheus is not installed, the test fails.
func Start(t testing.TB, target, web string) (url string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, []byte("global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: test\n  static_configs:\n  - targets: ["+target+"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	webConfig := filepath.Join(dir, "web.yml")
	if err := os.WriteFile(webConfig, []byte(web), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	server := exec.CommandContext(t.Context(), "prometheus", "--config.file="+config, "--web.config.file="+webConfig, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	server.Stdout, server.Stderr, server.SysProcAttr = &said, &said, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := server.Start(); err != nil {
		t.Fatalf("%v (Debian's package prometheus; make test-providers)", err)
	}
	ended := false
	stop = func() {
		if !ended {
			ended = true
			_ = server.Process.Kill()
			_ = server.Wait()
		}
	}
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Logf("what Prometheus said:\n%s", &said)
		}
	})
	if strings.Contains(web, "tls_server_config") {
		return "https://" + address, stop
	}
	return "http://" + address, stop
}
