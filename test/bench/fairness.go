package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

const (
	floodWriters = 256
	probes       = 3000
)

// measureFairness times what a client with one request at a time gets, as controllers are, while nobody else asks for
// anything, and while another client writes with many at once.
func measureFairness(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "krake-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	p, err := startServer(ctx, filepath.Join(dir, "data"), "--without", "scheduler,kubernetes-application,kubernetes-cluster,gc")
	if err != nil {
		return err
	}
	defer p.stop()
	quiet, err := client.New(client.Config{URL: "http://" + p.address, UserAgent: "quiet"})
	if err != nil {
		return err
	}
	apps := client.Of[api.Application](quiet)
	title(fmt.Sprintf("A client with one request at a time beside one with %d writers", floodWriters))
	header("what", "p50", "p99", "the other client")
	idle, _, err := probe(ctx, apps, "idle")
	if err != nil {
		return err
	}
	row("nobody else", ms(idle.at(0.5)), ms(idle.at(0.99)), "")
	self, err := os.Executable()
	if err != nil {
		return err
	}
	flood := exec.CommandContext(ctx, self, floodArgument, p.address) // a process of its own, as it would be
	flood.Stderr, flood.SysProcAttr = os.Stderr, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := flood.Start(); err != nil {
		return err
	}
	defer func() { _ = flood.Process.Kill(); _ = flood.Wait() }()
	time.Sleep(time.Second)
	alone, err := commits(ctx, p.address, func() error { time.Sleep(2 * time.Second); return nil })
	if err != nil {
		return err
	}
	var busy samples
	together, err := commits(ctx, p.address, func() (err error) { busy, _, err = probe(ctx, apps, "busy"); return err })
	if err != nil {
		return err
	}
	row("beside it", ms(busy.at(0.5)), ms(busy.at(0.99)), fmt.Sprintf("%.0f/s, %.0f/s alone", together, alone))
	row("times as long", fmt.Sprintf("%.1f", float64(busy.at(0.5))/float64(idle.at(0.5))), fmt.Sprintf("%.1f", float64(busy.at(0.99))/float64(idle.at(0.99))), "")
	return nil
}

// commits is how many writes a second a server makes while something is done.
func commits(ctx context.Context, address string, do func() error) (perSecond float64, err error) {
	count := func() (n float64) {
		var metrics []byte
		if metrics, err = fetch(ctx, "http://"+address+"/metrics"); err == nil {
			_, rest, _ := strings.Cut(string(metrics), "\nkrake_store_commits_total ")
			_, err = fmt.Sscan(rest, &n)
		}
		return n
	}
	before, began := count(), time.Now()
	if err != nil {
		return 0, err
	}
	if err := do(); err != nil {
		return 0, err
	}
	took := time.Since(began)
	return (count() - before) / took.Seconds(), err
}

func fetch(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// floodArgument makes this program the flood.
const floodArgument = "flood"

// flood creates objects with many writers at once, until it is killed.
func flood(ctx context.Context, address string) error {
	c, err := client.New(client.Config{URL: "http://" + address, UserAgent: "flood", Transport: &http.Transport{MaxIdleConnsPerHost: floodWriters}})
	if err != nil {
		return err
	}
	apps := client.Of[api.Application](c)
	var writing errgroup.Group
	for w := range floodWriters {
		writing.Go(func() error {
			for i := 0; ; i++ {
				if _, err := apps.Create(ctx, benchApplication(fmt.Sprintf("flood-%d-%d", w, i))); err != nil {
					return err
				}
			}
		})
	}
	return writing.Wait()
}

// probe creates, changes and reads applications, one request after the other.
func probe(ctx context.Context, apps client.Set[api.Application, *api.Application], name string) (samples, time.Duration, error) {
	var out samples
	began := time.Now()
	for i := range probes / 3 {
		app := benchApplication(fmt.Sprintf("%s-%d", name, i))
		for _, do := range []func() error{
			func() error { _, err := apps.Create(ctx, app); return err },
			func() error {
				_, err := apps.Patch(ctx, app, map[string]any{"metadata": map[string]any{"labels": map[string]string{"a": "b"}}})
				return err
			},
			func() error { _, err := apps.Get(ctx, "bench", app.Metadata.Name); return err },
		} {
			started := time.Now()
			if err := do(); err != nil {
				return nil, 0, err
			}
			out = append(out, time.Since(started))
		}
	}
	return out, time.Since(began), nil
}
