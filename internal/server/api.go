package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/apiserver"
	"github.com/rak-n-rok/krake/internal/store"
)

// Config says what a process that serves the API does.
type Config struct {
	Listen  string // HOST:PORT; port 0 takes a free one
	DataDir string
	// Insecure allows to listen on an address that other machines reach, without TLS and authentication.
	Insecure bool
	// User is who all callers are; anonymous when empty.
	User string
	// Origin is the web origin whose pages may use the API; none when empty.
	Origin string
	// UnsafeNoFsync gives up what was written last when the machine (not the process) dies. For tests.
	UnsafeNoFsync bool
	// Components run in this process beside the API, by name.
	Components []string
	Settings   Settings
	Log        *slog.Logger
}

// shutdownTimeout is how long requests may take to end when the server stops. Watches are ended at once.
const shutdownTimeout = 5 * time.Second

// Run serves until ctx ends. ready, if not nil, is called with the address once requests are served.
func Run(ctx context.Context, cfg Config, ready func(address string)) error {
	started := time.Now()
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
	st, err := store.Open(ctx, store.Options{
		Dir: cfg.DataDir, Owner: "http://" + address, UnsafeNoFsync: cfg.UnsafeNoFsync, Logger: cfg.Log,
	})
	if err != nil {
		return err
	}
	defer st.Close()
	handler := apiserver.New(apiserver.Options{
		Store: st, Log: cfg.Log, User: cfg.User, Origin: cfg.Origin, AnyHost: open,
	})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 1)
	srv := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 75 * time.Second, MaxHeaderBytes: 1 << 16,
		BaseContext: func(net.Listener) context.Context { return ctx }, // ends watches when the server stops
		ErrorLog:    slog.NewLogLogger(cfg.Log.Handler(), slog.LevelDebug),
	}
	go func() { failed <- srv.Serve(listener) }()
	cfg.Log.Info("ready", "address", "http://"+address, "data", cfg.DataDir, "components", cfg.Components,
		"took", time.Since(started).Round(time.Millisecond))
	if ready != nil {
		ready(address)
	}
	local := func(user string) (*client.Client, error) {
		return client.New(client.Config{URL: "http://krake.internal", Transport: handler.Local(user), UserAgent: user})
	}
	done := make(chan error, 1)
	go func() {
		defer cancel() // components that cannot start end the server, too
		done <- runComponents(ctx, cfg.Components, cfg.Settings, local, cfg.Log)
	}()
	select {
	case <-ctx.Done():
		err = nil
	case err = <-failed:
		err = fmt.Errorf("serving on %s: %w", address, err)
	}
	cfg.Log.Info("stopping")
	cancel()
	stopped := <-done // the controllers first: they are clients of the rest
	stop, release := context.WithTimeout(context.Background(), shutdownTimeout)
	defer release()
	if e := srv.Shutdown(stop); e != nil {
		_ = srv.Close()
	}
	return errors.Join(err, stopped)
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
