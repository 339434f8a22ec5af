package store

import (
	clientv3 "go.etcd.io/etcd/client/v3"
)

// A backend is an etcd to work with, wherever it runs: what differs between a
// member in this process and a cluster elsewhere, and nothing more.
type backend struct {
	client *clientv3.Client
	// close ends the client and whatever was started for it.
	close func() error
}
