package store

import (
	"context"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// A lease of etcd is shared by the values that are written within a sixtieth of its time, up to so many: each lease costs
// etcd memory and a write, and all values of one go in one transaction.
const (
	termShare  = 60
	termValues = 1000
)

// terms gives out the leases of etcd under which values are kept for a time.
type terms struct {
	client *clientv3.Client

	mu      sync.Mutex
	current map[time.Duration]*term
}

// A term is a lease that is still given out.
type term struct {
	id    clientv3.LeaseID
	until time.Time // it is given out
	left  int       // how many more values it takes
}

// attach puts those operations under a lease whose values last for a time only.
func (t *terms) attach(ctx context.Context, operations []Op, encoded []clientv3.Op) error {
	for i, op := range operations {
		if op.lasts == 0 {
			continue
		}
		id, err := t.lease(ctx, op.lasts)
		if err != nil {
			return err
		}
		clientv3.WithLease(id)(&encoded[i])
	}
	return nil
}

// lease returns a lease that lasts for at least so long.
func (t *terms) lease(ctx context.Context, lasts time.Duration) (clientv3.LeaseID, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if c := t.current[lasts]; c != nil && c.left > 0 && now.Before(c.until) {
		c.left--
		return c.id, nil
	}
	share := lasts / termShare
	seconds := int64((lasts + share + time.Second - 1) / time.Second)
	granted, err := t.client.Grant(ctx, seconds)
	if err != nil {
		return 0, err
	}
	t.current[lasts] = &term{id: granted.ID, until: now.Add(share), left: termValues - 1}
	return granted.ID, nil
}

// forget makes the next value get a new lease: the one at hand may have been lost, with the data of its time.
func (t *terms) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.current)
}
