package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"

	"go.etcd.io/etcd/server/v3/embed"
	etcdbackend "go.etcd.io/etcd/server/v3/storage/backend"
)

// quota is the size of the database at which etcd turns read-only.
const quota = 8 << 30

// openEmbedded locks the directory and runs a member of a cluster of one in it.
func openEmbedded(ctx context.Context, o Options) (_ backend, err error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return backend{}, fmt.Errorf("create the data directory: %w", err)
	}
	lock, err := lockDir(o.Dir, o.Owner)
	if err != nil {
		return backend{}, err
	}
	server, err := startServer(ctx, embeddedConfig(o))
	if err != nil {
		lock.release()
		return backend{}, err
	}
	client, closeClient := newInProcessClient(server.Server)
	b := backend{
		client:  client,
		index:   applied(func() int64 { return server.Server.KV().Rev() }),
		room:    func() error { return roomOn(o.Dir) },
		reclaim: func() error { return defragment(server, o.Dir) },
		snapshot: func(_ context.Context, w io.Writer) error {
			return copyDatabase(server.Server.Backend(), w)
		},
		close: func() error {
			closeClient()
			server.Close()
			return lock.release()
		},
	}
	if db := server.Server.Backend(); worthwhile(db.Size(), db.SizeInUse()) {
		if err := b.reclaim(); err != nil {
			o.Logger.WarnContext(ctx, "the database keeps its free space", "error", err)
		}
	}
	return b, nil
}

// embeddedConfig is a member that listens nowhere: all requests are calls in
// this process.
func embeddedConfig(o Options) *embed.Config {
	nowhere := url.URL{Scheme: "http", Host: "127.0.0.1:1"} // must look like an address
	cfg := embed.NewConfig()
	cfg.Name = "krake"
	cfg.Dir = o.Dir
	// A member without others only waits for the time of an election before it
	// serves an existing directory: ten times less than the default.
	cfg.TickMs, cfg.ElectionMs = 10, 100
	cfg.ListenClientUrls, cfg.ListenPeerUrls = nil, nil
	cfg.AdvertiseClientUrls = []url.URL{nowhere}
	cfg.AdvertisePeerUrls = []url.URL{nowhere}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(newZapLogger(o.Logger))
	cfg.UnsafeNoFsync = o.UnsafeNoFsync
	cfg.MaxRequestBytes = maxRequest
	cfg.MaxTxnOps = maxOps
	cfg.QuotaBackendBytes = cmp.Or(o.quota, quota)
	// Etcd keeps this many requests in memory, with their values, for members
	// that lag behind. There are none; the defaults come to 15,000.
	cfg.SnapshotCount, cfg.SnapshotCatchUpEntries = 2000, 100
	cfg.AuthToken = "" // no users of etcd's own, and no warning about their tokens
	return cfg
}

// startServer waits until the member serves.
func startServer(ctx context.Context, cfg *embed.Config) (*embed.Etcd, error) {
	server, err := embed.StartEtcd(cfg)
	if err != nil {
		return nil, fmt.Errorf("start etcd: %w", err)
	}
	select {
	case <-server.Server.ReadyNotify():
		return server, nil
	case err = <-server.Err():
	case <-server.Server.StopNotify():
		err = errors.New("it stopped while starting")
	case <-ctx.Done():
		err = ctx.Err()
	}
	server.Close()
	return nil, fmt.Errorf("start etcd: %w", err)
}

// copyDatabase writes a database and its checksum. Etcd's own snapshots over its client interface cannot be used without
// a connection: their end looks like a failure there.
func copyDatabase(db etcdbackend.Backend, w io.Writer) error {
	copied := db.Snapshot()
	defer copied.Close()
	sum := sha256.New()
	if _, err := copied.WriteTo(io.MultiWriter(w, sum)); err != nil {
		return err
	}
	_, err := w.Write(sum.Sum(nil))
	return err
}
