package server_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/rak-n-rok/krake/internal/server"
)

// A journal is a log that several goroutines write.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// run serves until the test ends, and returns the port and the log.
func run(t *testing.T, cfg server.Config) (port string, log *journal) {
	t.Helper()
	log = &journal{}
	cfg.DataDir, cfg.UnsafeNoFsync, cfg.Log = filepath.Join(t.TempDir(), "data"), true, slog.New(slog.NewTextHandler(log, nil))
	ctx, cancel := context.WithCancel(t.Context())
	ready := make(chan string, 1)
	var running errgroup.Group
	running.Go(func() error {
		defer close(ready)
		return server.Run(ctx, cfg, func(address string) { ready <- address })
	})
	t.Cleanup(func() {
		cancel()
		if err := running.Wait(); err != nil {
			t.Error(err)
		}
	})
	_, port, err := net.SplitHostPort(<-ready)
	if err != nil {
		t.Fatalf("%v; %v", err, running.Wait())
	}
	return port, log
}

// asked is the status of a request to this machine under a name that it has not.
func asked(t *testing.T, port, host string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:"+port+"/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func TestWhomTheAPIAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		listen   string
		insecure bool
		status   int  // for a name that is not this machine's
		warns    bool // that strangers can do everything
	}{
		"a loopback address":                            {"127.0.0.1:0", false, http.StatusForbidden, false},
		"a loopback address, and strangers are allowed": {"127.0.0.1:0", true, http.StatusForbidden, false},
		"a loopback name, and strangers are allowed":    {"localhost:0", true, http.StatusForbidden, false},
		"all addresses, and strangers are allowed":      {"0.0.0.0:0", true, http.StatusOK, true},
		"no address, and strangers are allowed":         {":0", true, http.StatusOK, true},
	} {
		t.Run(name, func(t *testing.T) {
			port, log := run(t, server.Config{Listen: c.listen, Insecure: c.insecure})
			if got := asked(t, port, "attacker.example"); got != c.status {
				t.Errorf("answered %d, want %d", got, c.status)
			}
			if got := asked(t, port, "localhost"); got != http.StatusOK {
				t.Errorf("answered %d to this machine", got)
			}
			if warned := strings.Contains(log.String(), "INSECURE"); warned != c.warns {
				t.Errorf("warned: %t\n%s", warned, log)
			}
		})
	}
}

func TestAddressesThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ listen, want string }{
		"all addresses":             {"0.0.0.0:0", "can be reached from other machines"},
		"no address":                {":0", "can be reached from other machines"},
		"a name of another machine": {"krake.example:0", "can be reached from other machines"},
		"no port":                   {"127.0.0.1", "must be HOST:PORT"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := server.Config{Listen: c.listen, DataDir: filepath.Join(t.TempDir(), "data"), Log: slog.New(slog.DiscardHandler)}
			err := server.Run(t.Context(), cfg, func(string) { t.Error("it is served") })
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
		})
	}
}
