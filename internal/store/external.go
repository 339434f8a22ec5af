package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// An Etcd is a cluster that others look after.
type Etcd struct {
	// Endpoints are the addresses of its members, such as https://10.0.0.1:2379.
	Endpoints []string
	// CA, Cert and Key are files: whom to trust, and who we are. Empty ones are the system's authorities and nobody.
	CA, Cert, Key string
	// User and Password are etcd's own, empty for none.
	User, Password string
}

// connectWithin is how long the cluster may take to answer for the first time.
const connectWithin = 10 * time.Second

// Connect uses an etcd elsewhere, which several servers may do at once. It returns when the cluster has answered.
func Connect(ctx context.Context, etcd Etcd, o Options) (*Store, error) {
	o = o.withDefaults()
	s, err := connect(ctx, etcd, o)
	if err != nil {
		return nil, fmt.Errorf("connect to etcd at %s: %w", strings.Join(etcd.Endpoints, ", "), err)
	}
	return s, nil
}

func connect(ctx context.Context, etcd Etcd, o Options) (*Store, error) {
	security, err := etcd.tls()
	if err != nil {
		return nil, err
	}
	client, err := clientv3.New(clientv3.Config{
		Endpoints: etcd.Endpoints, TLS: security, Username: etcd.User, Password: etcd.Password,
		DialTimeout: connectWithin, DialKeepAliveTime: 5 * time.Second, DialKeepAliveTimeout: 3 * time.Second,
		MaxCallSendMsgSize: maxRequest + 1<<20, Logger: zap.NewNop(), // the store tells of outages itself
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{Backoff: again, MinConnectTimeout: connectWithin})},
	})
	if err != nil {
		return nil, explained(err)
	}
	b := backend{client: client, index: &asked{client: client}, close: client.Close, snapshot: func(ctx context.Context, w io.Writer) error {
		return copySnapshot(ctx, client, w)
	}}
	first, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	s, err := newStore(first, b, o)
	if err != nil {
		b.close()
		return nil, explained(err)
	}
	return s, nil
}

// copySnapshot writes what a member sends.
func copySnapshot(ctx context.Context, client *clientv3.Client, w io.Writer) error {
	answer, err := client.SnapshotWithVersion(ctx)
	if err != nil {
		return err
	}
	defer answer.Snapshot.Close()
	_, err = io.Copy(w, answer.Snapshot)
	return err
}

// again is how long is waited between attempts to reach a member. gRPC's own pauses grow to two minutes, for which a server
// would be of no use after a long outage.
var again = backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second}

// explained says what to look at where gRPC says little.
func explained(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %s; look at the addresses, and whether https and the certificates are right: %w", connectWithin, err)
	}
	return err
}

func (e Etcd) tls() (*tls.Config, error) {
	secure := e.CA != "" || e.Cert != "" || e.Key != ""
	for _, endpoint := range e.Endpoints {
		secure = secure || strings.HasPrefix(endpoint, "https://")
	}
	if !secure {
		return nil, nil
	}
	info := transport.TLSInfo{TrustedCAFile: e.CA, CertFile: e.Cert, KeyFile: e.Key}
	config, err := info.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("the certificates: %w", err)
	}
	return config, nil
}
