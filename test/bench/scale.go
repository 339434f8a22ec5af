package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

const (
	manyObjects  = 10_000
	manyWatchers = 1_000
	watchedRate  = 500 // writes per second
	watchedFor   = 4 * time.Second
)

// measureScale measures a server with many objects, and one with many watchers.
func measureScale(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "krake-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	data := filepath.Join(dir, "data")
	if err := fill(ctx, data); err != nil {
		return err
	}
	title(fmt.Sprintf("%d applications of 4 KB, all components", manyObjects))
	header("what", "value")
	p, err := startServer(ctx, data)
	if err != nil {
		return err
	}
	row("start to first answer", ms(p.took))
	ready, err := p.untilReady()
	if err != nil {
		return err
	}
	row("start to ready", ms(ready))
	time.Sleep(10 * time.Second) // the caches fill, and garbage is given back
	row("resident memory, 10 s later", p.memory())
	for _, what := range []string{"first", "second"} {
		started := time.Now()
		size, err := read(ctx, "http://"+p.address+"/kubernetes/applications")
		if err != nil {
			return err
		}
		row(what+" list of all", fmt.Sprintf("%s, %.1f MB", ms(time.Since(started)), float64(size)/1e6))
	}
	row("resident memory after that", p.memory())
	p.stop()
	return measureWatchers(ctx, filepath.Join(dir, "watched"))
}

// fill makes a database of many applications for which there is no place, and which are not tried again: nothing is to be
// done for them any more.
func fill(ctx context.Context, data string) error {
	p, err := startServer(ctx, data, "--unsafe-no-fsync")
	if err != nil {
		return err
	}
	defer p.stop()
	c, err := client.New(client.Config{URL: "http://" + p.address, Transport: &http.Transport{MaxIdleConnsPerHost: 64}})
	if err != nil {
		return err
	}
	if err := createMany(ctx, c, manyObjects); err != nil {
		return err
	}
	for {
		open, err := read(ctx, "http://"+p.address+"/kubernetes/applications?view=metadata&limit=1&field_selector=status.state!=FAILED")
		if err != nil {
			return err
		}
		if open < emptyList {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// createMany creates large applications by many requests at once.
func createMany(ctx context.Context, c *client.Client, n int) error {
	apps := client.Of[api.Application](c)
	var next atomic.Int64
	var writers errgroup.Group
	for range 32 {
		writers.Go(func() error {
			for i := int(next.Add(1)); i <= n; i = int(next.Add(1)) {
				if _, err := apps.Create(ctx, largeApplication(i)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return writers.Wait()
}

// emptyList is more bytes than a list without items has, and less than one with an item.
const emptyList = 200

// largeApplication is one of 4 KB.
func largeApplication(i int) *api.Application {
	app := benchApplication(fmt.Sprint("large-", i))
	data := map[string]any{}
	for line := range 24 {
		data[fmt.Sprint("key-", line)] = fmt.Sprintf("%d: %s", i, strings.Repeat("some text ", 11))
	}
	app.Spec.Manifest[0]["data"] = data
	app.Spec.BackoffLimit = 0
	return app
}

func (p *process) untilReady() (time.Duration, error) {
	for started := time.Now(); time.Since(started) < 30*time.Second; time.Sleep(time.Millisecond) {
		resp, err := http.Get("http://" + p.address + "/readyz")
		if err != nil {
			return 0, err
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return p.took + time.Since(started), nil
		}
	}
	return 0, fmt.Errorf("the server did not become ready")
}

func read(ctx context.Context, url string) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	return io.Copy(io.Discard, resp.Body)
}

// measureWatchers times events from the start of the write to their arrival at each of many watchers. The watchers share
// the machine with the server; they find the name of the object in each line and decode nothing.
func measureWatchers(ctx context.Context, data string) error {
	p, err := startServer(ctx, data, "--without", "scheduler,kubernetes-application,kubernetes-cluster,gc")
	if err != nil {
		return err
	}
	defer p.stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := client.New(client.Config{URL: "http://" + p.address, Transport: &http.Transport{MaxIdleConnsPerHost: 64}})
	if err != nil {
		return err
	}
	total := int(watchedRate * watchedFor.Seconds())
	sent := make([]time.Time, total)
	var mu sync.Mutex
	var delays samples
	missing := 0
	var watching, open sync.WaitGroup
	transport := &http.Transport{MaxIdleConnsPerHost: manyWatchers}
	for range manyWatchers {
		open.Add(1)
		watching.Go(func() {
			own, lost := follow(ctx, transport, p.address, total, open.Done, sent, &mu)
			mu.Lock()
			defer mu.Unlock()
			delays, missing = append(delays, own...), missing+lost
		})
	}
	open.Wait()
	roles := client.Of[api.Role](c)
	ticker := time.NewTicker(time.Second / watchedRate)
	defer ticker.Stop()
	var writing sync.WaitGroup
	for i := range total {
		<-ticker.C
		writing.Go(func() {
			role := api.New[api.Role]()
			role.Metadata.Name = fmt.Sprintf("role-%d-", i) + "x"
			mu.Lock()
			sent[i] = time.Now()
			mu.Unlock()
			if _, err := roles.Create(ctx, role); err != nil {
				fmt.Fprintln(os.Stderr, "bench:", err)
				os.Exit(1)
			}
		})
	}
	writing.Wait()
	watching.Wait()
	title(fmt.Sprintf("%d watchers of one kind, %d writes/s for %s", manyWatchers, watchedRate, watchedFor))
	header("what", "value")
	row("events that arrived", fmt.Sprint(len(delays)))
	row("events that were missing", fmt.Sprint(missing))
	row("write to event, p50", ms(delays.at(0.5)))
	row("write to event, p99", ms(delays.at(0.99)))
	return nil
}

// follow reads one watch until all events are there, or none has come for a while.
func follow(ctx context.Context, transport http.RoundTripper, address string, total int, opened func(), sent []time.Time, mu *sync.Mutex) (samples, int) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/core/roles?watch&heartbeat=0", nil)
	if err != nil {
		panic(err)
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	opened()
	if err != nil {
		return nil, total
	}
	defer resp.Body.Close()
	idle := time.AfterFunc(30*time.Second, func() { _ = resp.Body.Close() })
	defer idle.Stop()
	arrived := make([]time.Time, total)
	lines, seen := bufio.NewReaderSize(resp.Body, 1<<16), 0
	for seen < total {
		line, err := lines.ReadSlice('\n') // no more work than needed: a thousand of these share the machine with the server
		if err != nil {
			break
		}
		_, rest, _ := bytes.Cut(line, []byte(`"name":"role-`))
		number, _, _ := bytes.Cut(rest, []byte("-"))
		if i, err := strconv.Atoi(string(number)); err == nil && arrived[i].IsZero() {
			arrived[i] = time.Now()
			seen++
		}
	}
	mu.Lock()
	defer mu.Unlock()
	var delays samples
	for i, at := range arrived {
		if !at.IsZero() {
			delays = append(delays, at.Sub(sent[i]))
		}
	}
	return delays, total - seen
}
