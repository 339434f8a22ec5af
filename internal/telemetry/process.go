package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/sdk/trace"
)

// Options say what a process tells of itself.
type Options struct {
	Version string
	Log     *slog.Logger
	// Debug is the loopback address, HOST:PORT, on which profiles and metrics are served; none when empty.
	Debug string
}

// A Process is where the telemetry of a process goes.
type Process struct {
	Log      *slog.Logger
	Registry *prometheus.Registry

	traces *trace.TracerProvider // nil when nobody takes them
	debug  *http.Server          // nil without an address
}

// Start begins what the options and the environment ask for. Stop must follow.
func Start(ctx context.Context, o Options) (*Process, error) {
	p := &Process{Log: o.Log, Registry: registry(o.Version)}
	listener, err := listenLocally(o.Debug)
	if err != nil {
		return nil, err
	}
	if p.traces, err = startTracing(ctx, o.Version, o.Log); err != nil {
		if listener != nil {
			_ = listener.Close()
		}
		return nil, err
	}
	if listener != nil {
		p.debug = &http.Server{Handler: p.handler(), ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug)}
		go func() { _ = p.debug.Serve(listener) }() // until Stop closes it
		o.Log.Info("serving profiles", "address", "http://"+listener.Addr().String())
	}
	return p, nil
}

// Stop sends what was not sent yet.
func (p *Process) Stop() error {
	var errs []error
	if p.debug != nil {
		errs = append(errs, p.debug.Close())
	}
	if p.traces != nil {
		errs = append(errs, flush(p.traces))
	}
	return errors.Join(errs...)
}

// registry returns a registry with what is known of every process: its version, its memory, threads and files, and Go's
// runtime.
func registry(version string) *prometheus.Registry {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "krake_build_info", Help: "Always 1; the labels say what runs.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	info.Set(1)
	r := prometheus.NewRegistry()
	r.MustRegister(info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// listenLocally listens on a loopback address: profiles show what is in memory, passwords included.
func listenLocally(address string) (net.Listener, error) {
	if address == "" {
		return nil, nil
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("--debug-listen must be HOST:PORT, not %q", address)
	}
	if !loopback(host) {
		return nil, fmt.Errorf("--debug-listen %s can be reached from other machines, and profiles show what is in memory: use 127.0.0.1", address)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--debug-listen: %w", err)
	}
	return listener, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// handler serves profiles and metrics, to programs and not to web pages: a page can make its own name point here, so
// only a loopback name in the Host header is answered.
func (p *Process) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.Handle("GET /metrics", promhttp.HandlerFor(p.Registry, promhttp.HandlerOpts{}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if !loopback(host) {
			http.Error(w, "only loopback names are answered", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}
