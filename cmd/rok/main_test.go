package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// build makes the program as the Makefile does.
func build(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rok")
	if out, err := exec.Command("go", "build", "-ldflags", "-X main.version=v1.2.3-test", "-o", file, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return file
}

func TestTheProgramKnowsItsVersion(t *testing.T) {
	rok := build(t)
	agents := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		agents <- r.UserAgent()
		_, _ = w.Write([]byte(`{"version": "x"}`))
	}))
	defer server.Close()
	config := filepath.Join(t.TempDir(), "rok.yaml")
	if err := os.WriteFile(config, []byte("user: u\napi_url: "+server.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(rok, "version", "-o", "json", "--config", config).Output()
	var versions struct{ Client, Server string }
	if err != nil || json.Unmarshal(out, &versions) != nil || versions.Client != "v1.2.3-test" || versions.Server != "x" {
		t.Errorf("got %s, %v", out, err)
	}
	if agent := <-agents; agent != "rok/v1.2.3-test" {
		t.Errorf("the server is told %q", agent)
	}
}

// TestAnInterruptEndsTheReadingOfStandardInput: one is enough.
func TestAnInterruptEndsTheReadingOfStandardInput(t *testing.T) {
	rok := build(t)
	for name, args := range map[string][]string{
		"a manifest":         {"kube", "app", "create", "x", "-f", "-"},
		"an observer schema": {"kube", "app", "update", "x", "-O", "-"},
		"a kubeconfig":       {"kube", "cluster", "register", "-k", "-"},
		"a pipe by its name": {"kube", "cluster", "register", "-k", "/dev/stdin"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(rok, args...)
			stdin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			// More than a pipe holds: once all of it is gone, the program is reading.
			if _, err := stdin.Write(bytes.Repeat([]byte("# more\n"), 1<<16)); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			defer cmd.Process.Kill()
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			select {
			case err = <-ended:
			case <-time.After(20 * time.Second):
				t.Fatal("it goes on reading")
			}
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 130 {
				t.Errorf("it ends with %v", err)
			}
		})
	}
}
