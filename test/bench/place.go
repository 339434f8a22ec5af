package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/sync/errgroup"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

const (
	waitingApplications = 5000
	idleApplications    = 1000
)

// measurePlacing times the scheduler as a process of its own beside an API: how fast many waiting applications get their
// places, how soon a changed metric moves them, and what it asks for while nothing happens.
func measurePlacing(ctx context.Context) error {
	title(fmt.Sprintf("%d waiting applications, from the start of the scheduler to the last binding", waitingApplications))
	header("clusters", "bindings", "etcd over gRPC, by 10 clients", "share")
	for _, clusters := range []int{100, 1000} {
		err := withServer(ctx, []string{"--without", "scheduler,kubernetes-cluster,gc"}, func(w *workplace) error { return w.placeAll(ctx, clusters) })
		if err != nil {
			return err
		}
	}
	title("From a changed value at the provider to the binding; values are read every 10 seconds")
	header("applications that move", "p50", "p99")
	for _, apps := range []int{100, 10_000} {
		err := withServer(ctx, []string{"--without", "scheduler,kubernetes-application,kubernetes-cluster,gc"}, func(w *workplace) error { return w.react(ctx, apps) })
		if err != nil {
			return err
		}
	}
	title(fmt.Sprintf("%d applications on two clusters with metrics, while nothing happens", idleApplications))
	header("requests per minute", "value")
	return withServer(ctx, []string{"--without", "scheduler,kubernetes-application,kubernetes-cluster,gc"}, func(w *workplace) error { return w.idle(ctx) })
}

// workplace is an API without a scheduler, and a source of metrics.
type workplace struct {
	dir      string
	api      *process
	requests *counter // of those that go to the URL counted
	counted  string
	apps     client.Set[api.Application, *api.Application]
	clusters client.Set[api.Cluster, *api.Cluster]
	client   *client.Client
	source   *valueSource
}

// withServer does something with a new API.
func withServer(ctx context.Context, flags []string, do func(*workplace) error) error {
	dir, err := os.MkdirTemp("", "krake-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	p, err := startServer(ctx, filepath.Join(dir, "data"), flags...)
	if err != nil {
		return err
	}
	defer p.stop()
	c, err := client.New(client.Config{URL: "http://" + p.address, Transport: &http.Transport{MaxIdleConnsPerHost: 64}})
	if err != nil {
		return err
	}
	target, err := url.Parse("http://" + p.address)
	if err != nil {
		return err
	}
	requests, source := &counter{}, &valueSource{}
	forward := httputil.NewSingleHostReverseProxy(target)
	forward.FlushInterval = -1
	forward.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	counted, stop, err := serve(requests.count(forward))
	if err != nil {
		return err
	}
	defer stop()
	values, stopValues, err := serve(source.reads.count(source))
	if err != nil {
		return err
	}
	defer stopValues()
	source.url = values.URL()
	return do(&workplace{dir: dir, api: p, requests: requests, counted: counted.URL(), client: c, source: source,
		apps: client.Of[api.Application](c), clusters: client.Of[api.Cluster](c)})
}

// schedule runs the scheduler until stop is called.
func (w *workplace) schedule(ctx context.Context, endpoint string, flags ...string) (stop func(), err error) {
	cmd := exec.CommandContext(ctx, "bin/krake", append([]string{"scheduler", "--api-endpoint", endpoint, "--log-level", "error"}, flags...)...)
	cmd.Stderr, cmd.SysProcAttr = os.Stderr, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() { _ = cmd.Process.Signal(syscall.SIGTERM); _ = cmd.Wait() }, nil
}

// online makes the record of a cluster that nobody looks at, and says that it is ONLINE.
func (w *workplace) online(ctx context.Context, name string, metrics ...api.MetricRef) error {
	namespace := "bench"
	c := api.New[api.Cluster]()
	c.Metadata.Name, c.Metadata.Namespace = name, &namespace
	c.Spec.Metrics = append(c.Spec.Metrics, metrics...)
	c.Spec.Kubeconfig = deadKubeconfig()
	made, err := w.clusters.Create(ctx, c)
	if err != nil {
		return err
	}
	_, err = w.clusters.PatchStatus(ctx, made, map[string]any{"status": map[string]any{"state": api.ClusterOnline}})
	return err
}

// create creates applications by some requests at once.
func (w *workplace) create(ctx context.Context, n int) error {
	var group errgroup.Group
	group.SetLimit(16)
	for i := range n {
		group.Go(func() error {
			app := benchApplication(fmt.Sprint("app-", i))
			app.Spec.Constraints.Migration = true
			_, err := w.apps.Create(ctx, app)
			return err
		})
	}
	return group.Wait()
}

// bindings calls seen with every application that gets another place, until it says that this was the last.
func (w *workplace) bindings(ctx context.Context, version string, seen func(*api.Application) (last bool)) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	places, over := map[string]string{}, errors.New("all of them")
	err := w.apps.Watch(ctx, "bench", version, func(e client.Event[*api.Application]) error {
		a := e.Object
		if to := a.Status.ScheduledTo; to != nil && places[a.Metadata.Name] != to.Name {
			places[a.Metadata.Name] = to.Name
			if seen(a) {
				return over
			}
		}
		return nil
	})
	if errors.Is(err, over) {
		return nil
	}
	return fmt.Errorf("not all applications got a place: %w", err)
}

func (w *workplace) placeAll(ctx context.Context, clusters int) error {
	var group errgroup.Group
	group.SetLimit(16)
	for i := range clusters {
		group.Go(func() error { return w.online(ctx, fmt.Sprint("c", i)) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := w.create(ctx, waitingApplications); err != nil {
		return err
	}
	_, version, err := w.apps.List(ctx, "bench")
	if err != nil {
		return err
	}
	started, bound := time.Now(), 0
	stop, err := w.schedule(ctx, "http://"+w.api.address)
	if err != nil {
		return err
	}
	defer stop()
	err = w.bindings(ctx, version, func(*api.Application) bool { bound++; return bound == waitingApplications })
	if err != nil {
		return err
	}
	took := time.Since(started)
	stop()
	_, remote, closeRaw, err := rawEtcd(filepath.Join(w.dir, "raw"))
	if err != nil {
		return err
	}
	defer closeRaw()
	app, err := w.apps.Get(ctx, "bench", "app-0")
	if err != nil {
		return err
	}
	document, err := json.Marshal(app)
	if err != nil {
		return err
	}
	plain := timed(10, func(i int) error {
		key := fmt.Sprintf("/raw/%d", i)
		_, err := remote.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(key), "=", 0)).Then(clientv3.OpPut(key, string(document))).Commit()
		return err
	})
	row(fmt.Sprint(clusters), perSecond(waitingApplications, took), perSecond(writes, plain),
		fmt.Sprintf("%.0f %%", 100*float64(waitingApplications)/took.Seconds()/(writes/plain.Seconds())))
	return nil
}

// unguarded are flags with which an application goes to a better place as soon as there is one.
var unguarded = []string{"--reschedule-after", "0s", "--move-price", "0", "--move-cool-down", "0s", "--moves-per-application", "0", "--moves-per-target", "0"}

// react times moves after a change of a value.
func (w *workplace) react(ctx context.Context, n int) error {
	const changes = 6
	stop, err := w.twoPlaces(ctx, n, w.api.address, unguarded...)
	if err != nil {
		return err
	}
	defer stop()
	var took samples
	for i := range changes {
		_, version, err := w.apps.List(ctx, "bench")
		if err != nil {
			return err
		}
		time.Sleep(rand.N(metricsPeriod)) // so that it comes at any time between two reads
		changed, bound := time.Now(), 0
		w.source.set("b", []float64{0.9, 0.1}[i%2])
		err = w.bindings(ctx, version, func(*api.Application) bool {
			took, bound = append(took, time.Since(changed)), bound+1
			return bound == n
		})
		if err != nil {
			return err
		}
	}
	row(fmt.Sprint(n), ms(took.at(0.5)), ms(took.at(0.99)))
	return nil
}

// idle counts what is asked for while nothing happens.
func (w *workplace) idle(ctx context.Context) error {
	stop, err := w.twoPlaces(ctx, idleApplications, strings.TrimPrefix(w.counted, "http://"))
	if err != nil {
		return err
	}
	defer stop()
	w.requests.take()
	w.source.reads.take()
	time.Sleep(idleFor)
	row("of the scheduler to Krake's API", perMinute(w.requests.take()))
	row("to the provider of both metrics", perMinute(w.source.reads.take()))
	return nil
}

// metricsPeriod is how often the scheduler reads values.
const metricsPeriod = 10 * time.Second

// twoPlaces makes the clusters a and b, each with a metric of its own, and applications that are placed on a.
func (w *workplace) twoPlaces(ctx context.Context, n int, address string, flags ...string) (stop func(), err error) {
	provider := api.New[api.GlobalMetricsProvider]()
	provider.Metadata.Name = "source"
	provider.Spec = api.MetricsProviderSpec{Type: "prometheus", Prometheus: &api.PrometheusProvider{URL: w.source.url}}
	if _, err := client.Of[api.GlobalMetricsProvider](w.client).Create(ctx, provider); err != nil {
		return nil, err
	}
	w.source.set("a", 0.5)
	w.source.set("b", 0.1)
	for _, name := range []string{"a", "b"} {
		metric := api.New[api.GlobalMetric]()
		metric.Metadata.Name = name
		metric.Spec.Max, metric.Spec.AllowedValues = 1, []int64{}
		metric.Spec.Provider = api.MetricProvider{Name: "source", Metric: name}
		if _, err := client.Of[api.GlobalMetric](w.client).Create(ctx, metric); err != nil {
			return nil, err
		}
		if err := w.online(ctx, name, api.MetricRef{Name: name, Weight: 1}); err != nil {
			return nil, err
		}
	}
	if err := w.create(ctx, n); err != nil {
		return nil, err
	}
	_, version, err := w.apps.List(ctx, "bench")
	if err != nil {
		return nil, err
	}
	if stop, err = w.schedule(ctx, "http://"+address, flags...); err != nil {
		return nil, err
	}
	bound := 0
	if err := w.bindings(ctx, version, func(*api.Application) bool { bound++; return bound == n }); err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}

// valueSource answers as a Prometheus does that has one series of each name, with all of them whatever it is asked. A real
// one would add the time until it has fetched a new value itself.
type valueSource struct {
	url   string
	reads counter

	mu     sync.Mutex
	values map[string]float64
}

func (v *valueSource) set(name string, value float64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.values == nil {
		v.values = map[string]float64{}
	}
	v.values[name] = value
}

func (v *valueSource) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	var series []string
	for name, value := range v.values {
		series = append(series, fmt.Sprintf(`{"metric":{"__name__":%q},"value":[0,"%g"]}`, name, value))
	}
	fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[%s]}}`, strings.Join(series, ","))
}

// deadKubeconfig leads to nobody.
func deadKubeconfig() api.Kubeconfig {
	return api.Kubeconfig{
		"apiVersion": "v1", "kind": "Config", "current-context": "x",
		"contexts": []any{map[string]any{"name": "x", "context": map[string]any{"cluster": "x", "user": "x"}}},
		"users":    []any{map[string]any{"name": "x", "user": map[string]any{"token": "x"}}},
		"clusters": []any{map[string]any{"name": "x", "cluster": map[string]any{"server": "http://127.0.0.1:1"}}},
	}
}
