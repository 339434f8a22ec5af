package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/apiserver"
	"github.com/rak-n-rok/krake/internal/store"
)

// writes is how many objects each measurement creates and reads.
const writes = 3000

// measureStore compares the API over HTTP with etcd in the same process: the physical limit.
func measureStore(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "krake-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	quiet := slog.New(slog.DiscardHandler)
	st, err := store.Open(ctx, store.Options{Dir: filepath.Join(dir, "krake"), Logger: quiet})
	if err != nil {
		return err
	}
	defer st.Close()
	c, stop, err := serve(apiserver.New(apiserver.Options{Store: st, Log: quiet}))
	if err != nil {
		return err
	}
	defer stop()
	raw, closeRaw, err := rawEtcd(filepath.Join(dir, "raw"))
	if err != nil {
		return err
	}
	defer closeRaw()
	apps := client.Of[api.Application](c)
	document, err := json.Marshal(benchApplication("sample"))
	if err != nil {
		return err
	}
	title(fmt.Sprintf("API beside raw etcd (documents of %d bytes, both durable)", len(document)))
	header("what", "clients", "raw etcd", "Krake API over HTTP", "share")
	for _, clients := range []int{1, 32} {
		a := timed(clients, func(i int) error {
			_, err := raw.Put(ctx, fmt.Sprintf("/raw/%d/%d", clients, i), string(document))
			return err
		})
		b := timed(clients, func(i int) error {
			_, err := apps.Create(ctx, benchApplication(fmt.Sprintf("app-%d-%d", clients, i)))
			return err
		})
		compare("create", clients, a, b)
	}
	for _, clients := range []int{1, 32} {
		a := timed(clients, func(i int) error { _, err := raw.Get(ctx, fmt.Sprintf("/raw/1/%d", i)); return err })
		b := timed(clients, func(i int) error { _, err := apps.Get(ctx, "bench", fmt.Sprintf("app-1-%d", i)); return err })
		compare("read", clients, a, b)
	}
	return measureWatch(ctx, raw, apps, string(document))
}

func compare(what string, clients int, raw, krake time.Duration) {
	row(what, fmt.Sprint(clients), perSecond(writes, raw), perSecond(writes, krake), fmt.Sprintf("%.0f %%", 100*raw.Seconds()/krake.Seconds()))
}

// timed calls do for all numbers from some clients, and gives the time that took. An error ends the program: figures of
// failed requests would mean nothing.
func timed(clients int, do func(i int) error) time.Duration {
	numbers := make(chan int)
	var wg sync.WaitGroup
	started := time.Now()
	for range clients {
		wg.Go(func() {
			for i := range numbers {
				if err := do(i); err != nil {
					fmt.Fprintln(os.Stderr, "bench:", err)
					os.Exit(1)
				}
			}
		})
	}
	for i := range writes {
		numbers <- i
	}
	close(numbers)
	wg.Wait()
	return time.Since(started)
}

// measureWatch times from the start of a write to the arrival of its event at a watcher.
func measureWatch(ctx context.Context, raw *clientv3.Client, apps client.Set[api.Application, *api.Application], document string) error {
	const rounds = 500
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	events := raw.Watch(ctx, "/watched/", clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	<-events
	var direct, krake samples
	for i := range rounds {
		started := time.Now()
		if _, err := raw.Put(ctx, fmt.Sprintf("/watched/%d", i), document); err != nil {
			return err
		}
		<-events
		direct = append(direct, time.Since(started))
	}
	_, version, err := apps.List(ctx, "watched")
	if err != nil {
		return err
	}
	arrived := make(chan struct{}, 1)
	go func() {
		_ = apps.Watch(ctx, "watched", version, func(client.Event[*api.Application]) error { arrived <- struct{}{}; return nil })
	}()
	for i := range rounds {
		app := benchApplication(fmt.Sprintf("watched-%d", i))
		namespace := "watched"
		app.Metadata.Namespace = &namespace
		started := time.Now()
		if _, err := apps.Create(ctx, app); err != nil {
			return err
		}
		<-arrived
		krake = append(krake, time.Since(started))
	}
	title("From the start of a write to its event at a watcher")
	header("what", "p50", "p99")
	row("raw etcd", ms(direct.at(0.5)), ms(direct.at(0.99)))
	row("Krake API over HTTP", ms(krake.at(0.5)), ms(krake.at(0.99)))
	return nil
}

func benchApplication(name string) *api.Application {
	namespace := "bench"
	app := api.New[api.Application]()
	app.Metadata.Name, app.Metadata.Namespace = name, &namespace
	app.Spec.Manifest = api.Manifest{{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name},
		"data": map[string]any{"text": "some configuration that is not very long but not empty either"},
	}}
	return app
}

// serve listens on a free loopback port and returns a client of it.
func serve(h http.Handler) (*client.Client, func(), error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func() { _ = srv.Serve(l) }()
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	c, err := client.New(client.Config{URL: "http://" + l.Addr().String(), Transport: transport})
	return c, func() { _ = srv.Close() }, err
}

// rawEtcd starts an etcd as Krake embeds it, and nothing around it.
func rawEtcd(dir string) (*clientv3.Client, func(), error) {
	cfg := embed.NewConfig()
	cfg.Dir, cfg.LogLevel = dir, "fatal"
	cfg.ListenClientUrls, cfg.ListenPeerUrls = nil, nil
	self, err := url.Parse("http://127.0.0.1:1")
	if err != nil {
		return nil, nil, err
	}
	cfg.AdvertisePeerUrls, cfg.AdvertiseClientUrls = []url.URL{*self}, []url.URL{*self}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		return nil, nil, err
	}
	<-e.Server.ReadyNotify()
	c := v3client.New(e.Server)
	return c, func() { _ = c.Close(); e.Close() }, nil
}
