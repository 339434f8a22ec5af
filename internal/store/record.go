package store

import (
	"context"
	"fmt"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// A Record is what is stored under one key. Value is the JSON document as it
// was put; it may be shared and must not be written to.
type Record struct {
	Key   string
	Value []byte
	// Revision is that of the last write, Created that of the first one since
	// the key was last absent.
	Revision, Created int64
}

// Get reads one key, with everything that was committed before the call. It
// gives ErrNotFound, and a *BrokenError for a value that cannot be read.
func (s *Store) Get(ctx context.Context, key string) (Record, error) {
	answer, err := s.read(ctx, key)
	if err != nil {
		return Record{}, fmt.Errorf("get %s: %w", key, err)
	}
	if len(answer.Kvs) == 0 {
		return Record{}, fmt.Errorf("get %s: %w", key, ErrNotFound)
	}
	return newRecord(answer.Kvs[0])
}

// List reads every key that starts with the prefix, sorted by the bytes of the
// key, as they were at the revision it returns: a watch from there continues
// the list. Broken records are logged and left out.
func (s *Store) List(ctx context.Context, prefix string) ([]Record, int64, error) {
	answer, err := s.read(ctx, prefix, clientv3.WithPrefix())
	if err != nil {
		return nil, 0, fmt.Errorf("list %s: %w", prefix, err)
	}
	records := make([]Record, 0, len(answer.Kvs))
	for _, kv := range answer.Kvs {
		record, err := newRecord(kv)
		if err != nil {
			s.log.ErrorContext(ctx, "skipped a broken record", "key", string(kv.Key), "revision", kv.ModRevision, "error", err)
			continue
		}
		records = append(records, record)
	}
	return records, answer.Header.Revision, nil
}

// Revision gives the revision of the newest committed write.
func (s *Store) Revision(ctx context.Context) (int64, error) {
	// Any key answers; this one is never written, so nothing is read for it.
	answer, err := s.read(ctx, "\x00", clientv3.WithCountOnly())
	if err != nil {
		return 0, fmt.Errorf("read the revision: %w", err)
	}
	return answer.Header.Revision, nil
}

// read is a range request through the log. A read of the member's own state
// would take half the time and see every write whose Commit returned, but not
// always the one whose event was just delivered: etcd tells its watches first.
// A reader that gets an event and then the object must not find the older one.
func (s *Store) read(ctx context.Context, key string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	if err := s.inFlight.enter(); err != nil {
		return nil, err
	}
	defer s.inFlight.leave()
	return s.client.Get(ctx, key, opts...)
}

func newRecord(kv *mvccpb.KeyValue) (Record, error) {
	value, err := decodeFrame(kv.Value)
	if err != nil {
		return Record{}, &BrokenError{Key: string(kv.Key), Revision: kv.ModRevision, Reason: err}
	}
	return Record{Key: string(kv.Key), Value: value, Revision: kv.ModRevision, Created: kv.CreateRevision}, nil
}
