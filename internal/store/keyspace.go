package store

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/google/btree"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// A keyspace holds every record in memory as of a revision, in the order of the
// keys. The hub brings it up to date before it tells any watch, so a reader who
// was told of an event never finds the record from before it. Values are kept as
// etcd has them, and shared with the events that brought them.
type keyspace struct {
	mu       sync.RWMutex
	records  *btree.BTreeG[*mvccpb.KeyValue]
	revision int64
	moved    chan struct{} // closed and replaced when the revision grows
}

// degree of the tree: the usual one for pointers.
const degree = 32

func newKeyspace() *keyspace {
	return &keyspace{records: newTree(), moved: make(chan struct{})}
}

func newTree() *btree.BTreeG[*mvccpb.KeyValue] {
	return btree.NewG(degree, func(a, b *mvccpb.KeyValue) bool { return string(a.Key) < string(b.Key) })
}

func at(key string) *mvccpb.KeyValue { return &mvccpb.KeyValue{Key: []byte(key)} }

// pageSize is how many records are read from etcd at once.
const pageSize = 1000

// load reads everything from etcd, in pages of one revision.
func (k *keyspace) load(ctx context.Context, client *clientv3.Client) error {
	records, revision := newTree(), int64(0)
	for from := "\x00"; ; {
		answer, err := client.Get(ctx, from, clientv3.WithFromKey(), clientv3.WithLimit(pageSize), clientv3.WithRev(revision))
		if err != nil {
			return fmt.Errorf("read all records: %w", err)
		}
		if revision == 0 {
			revision = answer.Header.Revision
		}
		for _, kv := range answer.Kvs {
			records.ReplaceOrInsert(kv)
		}
		if !answer.More {
			break
		}
		from = string(answer.Kvs[len(answer.Kvs)-1].Key) + "\x00"
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.records = records
	k.reach(revision)
	return nil
}

// apply adds events that follow what is known; those that are known already, after a load, change nothing.
func (k *keyspace) apply(events []*clientv3.Event, revision int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range events {
		switch {
		case e.Kv.ModRevision <= k.revision:
		case e.Type == clientv3.EventTypeDelete:
			k.records.Delete(e.Kv)
		default:
			k.records.ReplaceOrInsert(e.Kv)
		}
	}
	k.reach(revision)
}

func (k *keyspace) reach(revision int64) {
	if revision <= k.revision {
		return
	}
	k.revision = revision
	close(k.moved)
	k.moved = make(chan struct{})
}

// wait returns once a revision is reached.
func (k *keyspace) wait(ctx, lifetime context.Context, revision int64) error {
	for {
		k.mu.RLock()
		reached, moved := k.revision, k.moved
		k.mu.RUnlock()
		if reached >= revision {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		case <-lifetime.Done():
			return ErrClosed
		}
	}
}

// get returns a record as etcd has it, nil if there is none.
func (k *keyspace) get(key string) *mvccpb.KeyValue {
	k.mu.RLock()
	defer k.mu.RUnlock()
	kv, _ := k.records.Get(at(key))
	return kv
}

// list returns up to limit records behind a key that have a prefix, whether there are more, and as of which revision.
// Without a limit, which is 0, all are returned.
func (k *keyspace) list(prefix, after string, limit int) (kvs []*mvccpb.KeyValue, more bool, revision int64) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	k.records.AscendGreaterOrEqual(at(max(prefix, after)), func(kv *mvccpb.KeyValue) bool {
		key := string(kv.Key)
		if !strings.HasPrefix(key, prefix) {
			return false
		}
		if key == after {
			return true
		}
		if limit > 0 && len(kvs) == limit {
			more = true
			return false
		}
		kvs = append(kvs, kv)
		return true
	})
	return kvs, more, k.revision
}
