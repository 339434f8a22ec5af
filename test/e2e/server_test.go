package e2e

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/kubernetes"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
	"github.com/rak-n-rok/krake/internal/server"
)

// krake is a server in this process.
type krake struct {
	url    string
	client *client.Client
	log    *logbook
	cancel context.CancelFunc
	ended  chan error
}

// quick are settings with which tests need not wait long.
var quick = server.Settings{
	ClusterInterval: 500 * time.Millisecond, MoveTimeout: time.Minute, Settle: 100 * time.Millisecond, Drain: time.Second,
	RefusedRetry: 3 * time.Second, Removals: &many,
	Rules: core.Rules{RescheduleAfter: time.Second, Stickiness: 0.1, Price: 0.03},
}

// many is more than all tests together remove: the clusters are theirs together, and they do not wait for each other.
var many = kubernetes.RemovalLimit{Floor: 1_000_000}

// shared is the server of all tests that do not need one of their own.
var shared struct {
	sync.Mutex
	*krake
	dir string // of its database
}

func sharedKrake(t testing.TB) *krake {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.krake == nil {
		dir, err := os.MkdirTemp("", "krake")
		if err != nil {
			t.Fatal(err)
		}
		shared.krake = startKrake(t, server.Config{DataDir: dir, Settings: quick})
		shared.dir = dir
	}
	return shared.krake
}

// ownKrake starts a server for one test, with a database of its own unless the configuration names one.
func ownKrake(t testing.TB, cfg server.Config) *krake {
	t.Helper()
	if cfg.DataDir == "" {
		cfg.DataDir = t.TempDir()
	}
	k := startKrake(t, cfg)
	t.Cleanup(func() {
		if err := k.end(); err != nil {
			t.Error(err)
		}
	})
	return k
}

// startKrake starts a server, with all components unless the configuration names some. It is ready when this returns.
func startKrake(t testing.TB, cfg server.Config) *krake {
	t.Helper()
	k := &krake{log: &logbook{}, ended: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	k.cancel = cancel
	cfg.Listen, cfg.UnsafeNoFsync = "127.0.0.1:0", true
	if cfg.Components == nil {
		cfg.Components = server.Components()
	}
	cfg.Log = slog.New(slog.NewTextHandler(k.log, nil))
	ready := make(chan string, 1)
	go func() { k.ended <- server.Run(ctx, cfg, func(address string) { ready <- address }) }()
	select {
	case address := <-ready:
		k.url = "http://" + address
	case err := <-k.ended:
		t.Fatalf("the server did not start: %v", err)
	}
	c, err := client.New(client.Config{URL: k.url, UserAgent: "e2e"})
	if err != nil {
		t.Fatal(err)
	}
	k.client = c
	return k
}

// end stops the server and waits for it. It may be called again.
func (k *krake) end() error {
	k.cancel()
	select {
	case err := <-k.ended:
		k.ended <- nil
		return err
	case <-time.After(30 * time.Second):
		return errors.New("the server did not end in time")
	}
}

// logbook keeps what a server logs, for the tests that fail.
type logbook struct {
	mu    sync.Mutex
	lines []string
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(bytes.TrimSpace(p)))
	return len(p), nil
}

// about returns the lines in which any of the words occurs.
func (l *logbook) about(words ...string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, line := range l.lines {
		for _, word := range words {
			if strings.Contains(line, word) {
				out = append(out, line)
				break
			}
		}
	}
	return out
}
