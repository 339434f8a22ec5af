package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/apiserver"
	"github.com/rak-n-rok/krake/internal/objectrule"
	"github.com/rak-n-rok/krake/internal/store"
)

// Config says what a process that serves the API does.
type Config struct {
	Listen  string // HOST:PORT; port 0 takes a free one
	DataDir string // of the embedded etcd, which is used unless Etcd has endpoints
	Etcd    store.Etcd
	// EtcdPasswordFile holds the password of Etcd.User: on a command line everybody could read it.
	EtcdPasswordFile string
	// Insecure allows to listen on an address that other machines reach, without TLS and authentication.
	Insecure bool
	// User is who all callers are; anonymous when empty.
	User string
	// Origin is the web origin whose pages may use the API; none when empty.
	Origin string
	// UnsafeNoFsync gives up what was written last when the machine (not the process) dies. For tests.
	UnsafeNoFsync bool
	Version       string // of this program
	// Registry has the metrics of this process, to which the API adds its own; a new one when nil.
	Registry *prometheus.Registry
	// Components run in this process beside the API, by name.
	Components []string
	Settings   Settings
	Log        *slog.Logger
}

// shutdownTimeout is how long requests may take to end when the server stops. Watches, and what else waits on purpose, are
// told at once.
const shutdownTimeout = 5 * time.Second

// checks are the rules of kinds that the API knows only from outside.
var checks = map[*api.Kind]func(next, stored api.Resource) error{api.GlobalObjectRuleKind: objectrule.Check}

// Run serves until ctx ends. ready, if not nil, is called with the address once requests are served.
func Run(ctx context.Context, cfg Config, ready func(address string)) error {
	started := time.Now()
	if err := cfg.Settings.check(); err != nil {
		return err
	}
	open, err := cfg.open()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return listenError(cfg.Listen, err)
	}
	defer listener.Close()
	address := listener.Addr().String()
	st, err := cfg.store(ctx, address)
	if err != nil {
		return err
	}
	defer st.Close()
	handler := apiserver.New(apiserver.Options{
		Store: st, Log: cfg.Log, User: cfg.User, Origin: cfg.Origin, AnyHost: open, Version: cfg.Version,
		Registry: cfg.Registry, Checks: checks,
	})
	local := func(user string) (*client.Client, error) {
		return client.New(client.Config{URL: "http://krake.internal", Transport: handler.Local(user), UserAgent: user})
	}
	ways, endWays, err := mountGateway(handler, local, cfg.Settings, cfg.Log)
	if err != nil {
		return err
	}
	defer endWays()
	look, err := mountPreview(handler, local, cfg.Settings)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	requests, endRequests := context.WithCancel(context.Background())
	defer endRequests()
	failed := make(chan error, 1)
	srv := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 75 * time.Second, MaxHeaderBytes: 1 << 16,
		BaseContext: func(net.Listener) context.Context { return requests },
		ErrorLog:    slog.NewLogLogger(cfg.Log.Handler(), slog.LevelDebug),
	}
	go func() { failed <- srv.Serve(listener) }()
	cfg.Log.Info("ready", "address", "http://"+address, "data", cfg.data(), "components", cfg.Components,
		"took", time.Since(started).Round(time.Millisecond))
	if ready != nil {
		ready(address)
	}
	done := make(chan error, 1)
	go func() {
		defer cancel() // components that cannot start end the server, too
		done <- runComponents(ctx, cfg.Components, cfg.Settings, cfg.holder(), local, look, cfg.Log)
	}()
	select {
	case <-ctx.Done():
		err = nil
	case err = <-failed:
		err = fmt.Errorf("serving on %s: %w", address, err)
	}
	cfg.Log.Info("stopping")
	cancel()
	handler.Stop()
	stopped := <-done // the controllers first: they are clients of the rest
	stop, release := context.WithTimeout(context.Background(), shutdownTimeout)
	defer release()
	if e := srv.Shutdown(stop); e != nil {
		endRequests()
		_ = srv.Close()
	}
	ways.Wait(stop)
	return errors.Join(err, stopped)
}

// store opens the database.
func (cfg Config) store(ctx context.Context, address string) (*store.Store, error) {
	options := store.Options{Dir: cfg.DataDir, Owner: "http://" + address, UnsafeNoFsync: cfg.UnsafeNoFsync, Logger: cfg.Log}
	if len(cfg.Etcd.Endpoints) == 0 {
		return store.Open(ctx, options)
	}
	if cfg.EtcdPasswordFile != "" {
		password, err := os.ReadFile(cfg.EtcdPasswordFile)
		if err != nil {
			return nil, fmt.Errorf("the password of etcd's user: %w", err)
		}
		cfg.Etcd.Password = strings.TrimSpace(string(password))
	}
	return store.Connect(ctx, cfg.Etcd, options)
}

// holder is who this server is to other processes that run the same components.
func (cfg Config) holder() string {
	if len(cfg.Etcd.Endpoints) == 0 {
		return embeddedHolder
	}
	return uniqueHolder()
}

// data says where the database is.
func (cfg Config) data() string {
	if len(cfg.Etcd.Endpoints) > 0 {
		return strings.Join(cfg.Etcd.Endpoints, ",")
	}
	return cfg.DataDir
}

// open says whether other machines can reach the API, and refuses to serve strangers by mistake. On a loopback address
// there are none, whatever the configuration allows: web pages are kept away as ever.
func (cfg Config) open() (bool, error) {
	host, _, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return false, fmt.Errorf("the address to listen on must be HOST:PORT, not %q", cfg.Listen)
	}
	ip := net.ParseIP(host)
	if host == "localhost" || ip != nil && ip.IsLoopback() {
		return false, nil
	}
	if !cfg.Insecure {
		return false, fmt.Errorf("%s can be reached from other machines, and every caller could do everything: "+
			"listen on 127.0.0.1, or say --insecure if the network keeps strangers away", cfg.Listen)
	}
	cfg.Log.Warn("INSECURE: everyone who reaches this address can do everything", "address", cfg.Listen)
	return true, nil
}

func listenError(address string, err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return fmt.Errorf("cannot listen on %s: %w", address, err)
}
