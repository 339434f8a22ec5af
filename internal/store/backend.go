package store

import (
	"context"
	"io"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// A backend is an etcd to work with, wherever it runs: what differs between a
// member in this process and a cluster elsewhere, and nothing more.
type backend struct {
	client *clientv3.Client
	index  readIndex
	// room says whether there is room for writes, and reclaim gives free space back; nil for an etcd elsewhere.
	room    func() error
	reclaim func() error
	// snapshot writes a copy of everything, in etcd's format.
	snapshot func(ctx context.Context, w io.Writer) error
	// close ends the client and whatever was started for it.
	close func() error
}
