package main

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rak-n-rok/krake/client"
)

func TestWhatCannotStartSaysWhyInOneLine(t *testing.T) {
	dir := t.TempDir()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	held := filepath.Join(dir, "held")
	holder, holderURL := serve(t, "api", "--data-dir", held)
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	fresh := filepath.Join(dir, "fresh")
	for name, c := range map[string]struct {
		args  []string
		words []string
	}{
		"a port that is taken": {
			[]string{"server", "--listen", taken.Addr().String(), "--data-dir", fresh},
			[]string{"cannot listen on " + taken.Addr().String(), "address already in use"}},
		"a data directory that another process holds": {
			[]string{"server", "--listen", "127.0.0.1:0", "--data-dir", held},
			[]string{held, "in use", strconv.Itoa(holder.cmd.Process.Pid), holderURL}},
		"a data directory that is a file": {
			[]string{"server", "--listen", "127.0.0.1:0", "--data-dir", file}, []string{file, "not a directory"}},
		"an address that others reach": {
			[]string{"server", "--listen", "0.0.0.0:0", "--data-dir", fresh}, []string{"0.0.0.0:0", "--insecure", "127.0.0.1"}},
		"an address without a port": {
			[]string{"api", "--listen", "localhost", "--data-dir", fresh}, []string{"HOST:PORT", `"localhost"`}},
		"two databases": {
			[]string{"server", "--data-dir", fresh, "--etcd-endpoints", "http://127.0.0.1:1"}, []string{"data-dir", "etcd-endpoints"}},
		"a certificate without a key": {
			[]string{"api", "--etcd-endpoints", "https://127.0.0.1:1", "--etcd-cert", file}, []string{"etcd-cert", "etcd-key"}},
		"a password that is nowhere": {
			[]string{"api", "--etcd-endpoints", "http://127.0.0.1:1", "--etcd-user", "u", "--etcd-password-file", file + "2", "--listen", "127.0.0.1:0"},
			[]string{"password", file + "2"}},
		"a component that there is not": {
			[]string{"server", "--without", "scheduler,moon", "--data-dir", fresh}, []string{`"moon"`, "kubernetes-application"}},
		"kinds that need not be allowed": {
			[]string{"server", "--listen", "127.0.0.1:0", "--data-dir", fresh, "--cluster-wide-kinds", "Namespace"}, []string{"--cluster-wide-kinds", "--own-namespaces"}},
		"a level that there is not":   {[]string{"api", "--log-level", "loud", "--data-dir", fresh}, []string{"--log-level", `"loud"`, "warn"}},
		"a flag that there is not":    {[]string{"server", "--moon"}, []string{"--moon"}},
		"too many words":              {[]string{"server", "moon"}, []string{"moon"}},
		"a command that there is not": {[]string{"moon"}, []string{`"moon"`}},
		"an endpoint that is no URL":  {[]string{"scheduler", "--api-endpoint", "127.0.0.1:8080"}, []string{"127.0.0.1:8080", "http"}},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, code := run(t, c.args...)
			if code != 1 || stdout != "" || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit code %d, output %q, errors:\n%s", code, stdout, stderr)
			}
			for _, word := range c.words {
				if !strings.Contains(stderr, word) {
					t.Errorf("it does not speak of %q: %s", word, stderr)
				}
			}
			if _, err := os.Stat(fresh); err == nil {
				t.Error("the data directory was made all the same")
			}
		})
	}
}

func TestItStopsWhenAskedTo(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			p, url := serve(t, "server", "--data-dir", dir)
			if _, err := connect(t, url).Do(t.Context(), client.Request{Method: "GET", Path: "/me"}); err != nil {
				t.Fatal(err)
			}
			if err := p.cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if err := p.end(); err != nil {
				t.Errorf("it ended with %v", err)
			}
			if said := p.said(); !strings.Contains(said, "msg=stopping") || strings.Contains(said, "level=ERROR") {
				t.Errorf("it said:\n%s", said)
			}
			_, again := serve(t, "server", "--data-dir", dir)
			if again == "" {
				t.Error("it does not start again")
			}
		})
	}
}

func TestItWarnsWhereEveryoneMayCall(t *testing.T) {
	p := start(t, "api", "--listen", "0.0.0.0:0", "--insecure", "--data-dir", filepath.Join(t.TempDir(), "data"))
	await(t, "a warning and readiness", func() bool {
		said := p.said()
		return strings.Contains(said, "level=WARN") && strings.Contains(said, "INSECURE") && strings.Contains(said, "msg=ready")
	})
}

func TestTheVersionIsOneLine(t *testing.T) {
	stdout, stderr, code := run(t, "version")
	if code != 0 || stderr != "" || !strings.HasPrefix(stdout, "krake dev (wire 1.0.1, go") || strings.Count(stdout, "\n") != 1 {
		t.Errorf("exit code %d, output %q, errors %q", code, stdout, stderr)
	}
}
