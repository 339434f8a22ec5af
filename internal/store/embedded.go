package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
)

const (
	// quota is the size of the database at which etcd turns read-only.
	quota = 8 << 30
	// defragmentFrom is the size below which it is not worth the time.
	defragmentFrom = 16 << 20
)

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
		client: client,
		close: func() error {
			closeClient()
			server.Close()
			return lock.release()
		},
	}
	if err := reclaim(ctx, server, client); err != nil {
		b.close()
		return backend{}, err
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
	cfg.QuotaBackendBytes = quota
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

// reclaim gives free pages back to the file system when they are more than half
// of the database, which etcd never does by itself, and lifts the alarm that
// made a full database read-only if it is no longer full.
func reclaim(ctx context.Context, server *embed.Etcd, client *clientv3.Client) error {
	db := server.Server.Backend()
	if size := db.Size(); size >= defragmentFrom && db.SizeInUse() < size/2 {
		if err := server.Server.Defragment(); err != nil {
			return fmt.Errorf("defragment: %w", err)
		}
	}
	alarms, err := client.AlarmList(ctx)
	if err != nil {
		return fmt.Errorf("list alarms: %w", err)
	}
	for _, alarm := range alarms.Alarms {
		if alarm.Alarm != etcdserverpb.AlarmType_NOSPACE || db.Size() >= quota {
			continue
		}
		if _, err := client.AlarmDisarm(ctx, (*clientv3.AlarmMember)(alarm)); err != nil {
			return fmt.Errorf("lift the alarm: %w", err)
		}
	}
	return nil
}
