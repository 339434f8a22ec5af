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
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/apiserver"
	"github.com/rak-n-rok/krake/internal/store"
)

// writes is how many objects each measurement creates, changes and reads.
const writes = 3000

// numbersOfClients are those at which rates are measured.
var numbersOfClients = []int{1, 16, 64}

// measureStore compares the API over HTTP with etcd: by its own client over a connection on loopback, as the API is used,
// and by calls in the same process, the physical limit.
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
	raw, remote, closeRaw, err := rawEtcd(filepath.Join(dir, "raw"))
	if err != nil {
		return err
	}
	defer closeRaw()
	document, err := json.Marshal(benchApplication("sample"))
	if err != nil {
		return err
	}
	apps := client.Of[api.Application](c)
	title(fmt.Sprintf("API beside raw etcd (documents of %d bytes, all durable, one transaction with a condition each)", len(document)))
	header("what", "clients", "etcd in the process", "etcd over gRPC", "Krake API over HTTP", "share of gRPC")
	measureRates(ctx, "", raw, remote, apps, string(document))
	stopWatching, err := watchers(ctx, c, raw, remote, 4)
	if err != nil {
		return err
	}
	measureRates(ctx, ", four watchers that decode", raw, remote, apps, string(document))
	stopWatching()
	return measureWatch(ctx, raw, apps, string(document))
}

// measureRates measures creates, updates and reads. Krake's update is a patch of the labels, as clients of ours write.
func measureRates(ctx context.Context, suffix string, raw, remote *clientv3.Client, apps client.Set[api.Application, *api.Application], document string) {
	run := strings.Map(func(r rune) rune {
		if r == ' ' || r == ',' {
			return '-'
		}
		return r
	}, "r"+suffix+"x")
	etcd := func(c *clientv3.Client, where string, clients int, fresh bool) time.Duration {
		return timed(clients, func(i int) error {
			key := fmt.Sprintf("/raw/%s/%s/%d/%d", run, where, clients, i)
			compare := clientv3.Compare(clientv3.ModRevision(key), ">", 0)
			if fresh {
				compare = clientv3.Compare(clientv3.ModRevision(key), "=", 0)
			}
			answer, err := c.Txn(ctx).If(compare).Then(clientv3.OpPut(key, document)).Commit()
			if err == nil && !answer.Succeeded {
				err = fmt.Errorf("%s was not written", key)
			}
			return err
		})
	}
	name := func(clients, i int) string { return fmt.Sprintf("app-%s-%d-%d", run, clients, i) }
	for _, clients := range numbersOfClients {
		inside, outside := etcd(raw, "in", clients, true), etcd(remote, "out", clients, true)
		krake := timed(clients, func(i int) error {
			_, err := apps.Create(ctx, benchApplication(name(clients, i)))
			return err
		})
		compare("create"+suffix, clients, inside, outside, krake)
	}
	for _, clients := range numbersOfClients {
		inside, outside := etcd(raw, "in", clients, false), etcd(remote, "out", clients, false)
		krake := timed(clients, func(i int) error {
			patch := map[string]any{"metadata": map[string]any{"labels": map[string]string{"step": fmt.Sprint("s", i)}}}
			app := benchApplication(name(clients, i))
			app.Metadata.ResourceVersion = ""
			_, err := apps.Patch(ctx, app, patch)
			return err
		})
		compare("update"+suffix, clients, inside, outside, krake)
	}
	if suffix != "" {
		return
	}
	cluster := api.ClusterKind.Ref("bench", "c")
	for _, clients := range numbersOfClients {
		krake := timed(clients, func(i int) error {
			_, err := apps.Do(ctx, "bench", name(clients, i), "binding", api.ClusterBinding{Cluster: cluster})
			return err
		})
		row("binding", fmt.Sprint(clients), "", "", perSecond(writes, krake), "")
	}
	for _, clients := range numbersOfClients {
		read := func(c *clientv3.Client, where string) time.Duration {
			return timed(clients, func(i int) error {
				_, err := c.Get(ctx, fmt.Sprintf("/raw/%s/%s/%d/%d", run, where, clients, i))
				return err
			})
		}
		krake := timed(clients, func(i int) error { _, err := apps.Get(ctx, "bench", name(clients, i)); return err })
		compare("read", clients, read(raw, "in"), read(remote, "out"), krake)
	}
}

// watchers opens watches on each of the three that decode every event.
func watchers(ctx context.Context, c *client.Client, raw, remote *clientv3.Client, n int) (stop func(), err error) {
	ctx, stop = context.WithCancel(ctx)
	apps := client.Of[api.Application](c)
	_, version, err := apps.List(ctx, "none")
	if err != nil {
		return stop, err
	}
	for range n {
		go func() {
			_ = apps.Watch(ctx, "", version, func(client.Event[*api.Application]) error { return nil })
		}()
		for _, etcd := range []*clientv3.Client{raw, remote} {
			events := etcd.Watch(ctx, "/raw/", clientv3.WithPrefix())
			go func() {
				for answer := range events {
					for _, e := range answer.Events {
						_ = wire.Into(e.Kv.Value, &api.Application{})
					}
				}
			}()
		}
	}
	return stop, nil
}

func compare(what string, clients int, inside, outside, krake time.Duration) {
	row(what, fmt.Sprint(clients), perSecond(writes, inside), perSecond(writes, outside), perSecond(writes, krake),
		fmt.Sprintf("%.0f %%", 100*outside.Seconds()/krake.Seconds()))
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
	transport := &http.Transport{MaxIdleConnsPerHost: 128}
	c, err := client.New(client.Config{URL: "http://" + l.Addr().String(), Transport: transport})
	return c, func() { _ = srv.Close() }, err
}

// rawEtcd starts an etcd as Krake embeds it, and nothing around it, with a client in the process and one over a connection.
func rawEtcd(dir string) (inside, outside *clientv3.Client, stop func(), err error) {
	cfg := embed.NewConfig()
	cfg.Dir, cfg.LogLevel = dir, "fatal"
	self, err := url.Parse("http://127.0.0.1:1")
	if err != nil {
		return nil, nil, nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, nil, err
	}
	listen := url.URL{Scheme: "http", Host: l.Addr().String()}
	_ = l.Close()
	cfg.ListenClientUrls, cfg.ListenPeerUrls = []url.URL{listen}, nil
	cfg.AdvertisePeerUrls, cfg.AdvertiseClientUrls = []url.URL{*self}, []url.URL{listen}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		return nil, nil, nil, err
	}
	<-e.Server.ReadyNotify()
	inside = v3client.New(e.Server)
	outside, err = clientv3.New(clientv3.Config{Endpoints: []string{listen.String()}})
	return inside, outside, func() { _ = outside.Close(); _ = inside.Close(); e.Close() }, err
}
