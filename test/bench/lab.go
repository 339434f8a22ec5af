package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/apiserver"
	"github.com/rak-n-rok/krake/internal/server"
	"github.com/rak-n-rok/krake/internal/store"
)

// lab is Krake with two Kubernetes clusters, every request counted.
type lab struct {
	kubeconfigs []string
	api         *counter // of Krake's API
	members     *counter // of the clusters' APIs
	apps        client.Set[api.Application, *api.Application]
	closers     []func()
}

func (l *lab) close() {
	for i := len(l.closers) - 1; i >= 0; i-- {
		l.closers[i]()
	}
}

// newLab starts everything and returns when both clusters, a and b, are ONLINE.
func newLab(ctx context.Context) (l *lab, err error) {
	l = &lab{api: &counter{}, members: &counter{}}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	dir, err := os.MkdirTemp("", "krake-bench")
	if err != nil {
		return l, err
	}
	l.closers = append(l.closers, func() { _ = os.RemoveAll(dir) })
	kubeconfigs, down, err := startLab(ctx, filepath.Join(dir, "lab"), "a", "b")
	if err != nil {
		return l, err
	}
	l.kubeconfigs, l.closers = kubeconfigs, append(l.closers, down)
	c, err := l.startKrake(ctx, filepath.Join(dir, "data"))
	if err != nil {
		return l, err
	}
	l.apps = client.Of[api.Application](c)
	clusters := client.Of[api.Cluster](c)
	for i, name := range []string{"a", "b"} {
		proxied, err := l.proxy(kubeconfigs[i])
		if err != nil {
			return l, err
		}
		if err := register(ctx, clusters, name, proxied); err != nil {
			return l, err
		}
	}
	return l, nil
}

// startLab starts Kubernetes clusters.
func startLab(ctx context.Context, dir string, names ...string) (kubeconfigs []string, down func(), err error) {
	down = func() { _ = exec.Command("bin/kubelab", "down", "--dir", dir).Run() }
	if out, err := exec.CommandContext(ctx, "bin/kubelab", append([]string{"up", "--dir", dir}, names...)...).CombinedOutput(); err != nil {
		down()
		return nil, nil, fmt.Errorf("bin/kubelab (make kubelab): %w: %s", err, out)
	}
	for _, name := range names {
		kubeconfigs = append(kubeconfigs, filepath.Join(dir, name+".kubeconfig"))
	}
	return kubeconfigs, down, nil
}

// startKrake runs the API and, as clients over HTTP, all controllers.
func (l *lab) startKrake(ctx context.Context, dir string) (*client.Client, error) {
	quiet := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	st, err := store.Open(ctx, store.Options{Dir: dir, Logger: quiet})
	if err != nil {
		return nil, err
	}
	l.closers = append(l.closers, func() { _ = st.Close() })
	c, stop, err := serve(l.api.count(apiserver.New(apiserver.Options{Store: st, Log: quiet})))
	if err != nil {
		return nil, err
	}
	l.closers = append(l.closers, stop)
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.RunComponents(ctx, server.Components(), server.Settings{}, c.URL(), quiet)
	}()
	l.closers = append(l.closers, func() { cancel(); <-done })
	return c, nil
}

// register makes the record of a cluster and waits until it is ONLINE.
func register(ctx context.Context, clusters client.Set[api.Cluster, *api.Cluster], name string, kubeconfig api.Kubeconfig) error {
	namespace := "bench"
	cluster := api.New[api.Cluster]()
	cluster.Metadata.Name, cluster.Metadata.Namespace = name, &namespace
	cluster.Metadata.Labels = api.Labels{"site": name}
	cluster.Spec.Kubeconfig = kubeconfig
	if _, err := clusters.Create(ctx, cluster); err != nil {
		return err
	}
	for range 600 {
		got, err := clusters.Get(ctx, namespace, name)
		if err != nil {
			return err
		}
		if got.Status.State == api.ClusterOnline {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("cluster %s was not ONLINE within 30 seconds", name)
}

// proxy puts a counter between Krake and a cluster, and returns the kubeconfig that leads there.
func (l *lab) proxy(path string) (api.Kubeconfig, error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		return nil, err
	}
	upstream, err := url.Parse(cfg.Host)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(cfg.CAData)
	forward := httputil.NewSingleHostReverseProxy(upstream)
	forward.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, MaxIdleConnsPerHost: 64}
	forward.FlushInterval = -1
	forward.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	srv := &http.Server{Handler: l.members.count(forward), ReadHeaderTimeout: time.Minute}
	go func() { _ = srv.Serve(listener) }()
	l.closers = append(l.closers, func() { _ = srv.Close() })
	return api.Kubeconfig{
		"apiVersion": "v1", "kind": "Config", "current-context": "x",
		"contexts": []any{map[string]any{"name": "x", "context": map[string]any{"cluster": "x", "user": "x"}}},
		"users":    []any{map[string]any{"name": "x", "user": map[string]any{"token": cfg.BearerToken}}},
		"clusters": []any{map[string]any{"name": "x", "cluster": map[string]any{"server": "http://" + listener.Addr().String()}}},
	}, nil
}

// counter counts requests by what they do.
type counter struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *counter) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		what := r.Method
		if r.URL.Query().Has("watch") {
			what = "watch"
		}
		c.mu.Lock()
		if c.n == nil {
			c.n = map[string]int{}
		}
		c.n[what]++
		c.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

// take returns the counts since the last call.
func (c *counter) take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.n
	c.n = nil
	return out
}
