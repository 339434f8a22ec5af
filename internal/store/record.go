package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
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

// A ReadOption changes how a read is done.
type ReadOption int

// Stale reads what is known here, at once: it may be older than what was acknowledged before the call, by
// milliseconds, or by as long as etcd does not answer.
const Stale ReadOption = iota + 1

// Get reads one key, with everything that was committed before the call. It
// gives ErrNotFound, and a *BrokenError for a value that cannot be read.
func (s *Store) Get(ctx context.Context, key string, options ...ReadOption) (Record, error) {
	if err := s.current(ctx, options); err != nil {
		return Record{}, fmt.Errorf("get %s: %w", key, err)
	}
	kv := s.hub.records.get(key)
	if kv == nil {
		return Record{}, fmt.Errorf("get %s: %w", key, ErrNotFound)
	}
	return newRecord(kv)
}

// List reads every key that starts with the prefix, sorted by the bytes of the
// key, as they were at the revision it returns: a watch from there continues
// the list. Broken records are logged and left out.
func (s *Store) List(ctx context.Context, prefix string, options ...ReadOption) ([]Record, int64, error) {
	page, err := s.Page(ctx, Range{Prefix: prefix}, options...)
	return page.Records, page.Revision, err
}

// A Range says which part of a list is wanted.
type Range struct {
	Prefix   string
	After    string // the key behind which it begins, empty for the beginning
	Limit    int    // at most so many records, 0 for any number
	Revision int64  // the state of which the list is to be, 0 for the present one
}

// A Page is a part of a list.
type Page struct {
	Records  []Record
	Revision int64 // the state of which the list is
	// Last is the key at which the page ended and the next one begins, empty when there are no more.
	Last string
}

// Page reads a part of a list. A *CompactedError says that the revision is known no longer, or not yet.
func (s *Store) Page(ctx context.Context, r Range, options ...ReadOption) (Page, error) {
	kvs, more, revision, err := s.within(ctx, r, options)
	if err != nil {
		return Page{}, fmt.Errorf("list %s: %w", r.Prefix, err)
	}
	page := Page{Records: make([]Record, 0, len(kvs)), Revision: revision}
	if more {
		page.Last = string(kvs[len(kvs)-1].Key)
	}
	for _, kv := range kvs {
		record, err := newRecord(kv)
		if err != nil {
			s.counted.broken.Add(1)
			s.log.ErrorContext(ctx, "skipped a broken record", "key", string(kv.Key), "revision", kv.ModRevision, "error", err)
			continue
		}
		page.Records = append(page.Records, record)
	}
	return page, nil
}

// within reads what is stored in a range, from memory if it is of the present.
func (s *Store) within(ctx context.Context, r Range, options []ReadOption) (kvs []*mvccpb.KeyValue, more bool, revision int64, err error) {
	if r.Revision != 0 {
		kvs, more, err = s.history(ctx, r)
		return kvs, more, r.Revision, err
	}
	if err := s.current(ctx, options); err != nil {
		return nil, false, 0, err
	}
	kvs, more, revision = s.hub.records.list(r.Prefix, r.After, r.Limit)
	return kvs, more, revision, nil
}

// history reads a range of an earlier revision, which only etcd has.
func (s *Store) history(ctx context.Context, r Range) ([]*mvccpb.KeyValue, bool, error) {
	if err := s.inFlight.enter(); err != nil {
		return nil, false, err
	}
	defer s.inFlight.leave()
	patient, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	answer, err := s.client.Get(patient, max(r.Prefix, r.After+"\x00"), clientv3.WithRange(clientv3.GetPrefixRangeEnd(r.Prefix)),
		clientv3.WithLimit(int64(r.Limit)), clientv3.WithRev(r.Revision))
	switch {
	case errors.Is(err, rpctypes.ErrCompacted):
		return nil, false, &CompactedError{From: Cursor{Revision: r.Revision}}
	case errors.Is(err, rpctypes.ErrFutureRev):
		return nil, false, &CompactedError{From: Cursor{Revision: r.Revision}, Newest: s.hub.reached()}
	case err != nil:
		return nil, false, unavailable(ctx, err, ErrUnavailable)
	}
	return answer.Kvs, answer.More, nil
}

// Revision gives the revision of the newest committed write.
func (s *Store) Revision(ctx context.Context) (int64, error) {
	if err := s.inFlight.enter(); err != nil {
		return 0, err
	}
	defer s.inFlight.leave()
	revision, err := s.index.read(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the revision: %w", unavailable(ctx, err, ErrUnavailable))
	}
	return revision, nil
}

// current waits until everything is known that was committed before the call.
func (s *Store) current(ctx context.Context, options []ReadOption) (err error) {
	if err := s.inFlight.enter(); err != nil {
		return err
	}
	defer s.inFlight.leave()
	if slices.Contains(options, Stale) {
		return nil
	}
	ctx, end := traced(ctx, "read index")
	defer func() { end(err) }()
	patient, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	revision, err := s.index.read(patient)
	if err == nil {
		err = s.hub.records.wait(patient, s.ctx, revision)
	}
	return unavailable(ctx, err, ErrUnavailable)
}

func newRecord(kv *mvccpb.KeyValue) (Record, error) {
	value, err := decodeFrame(kv.Value)
	if err != nil {
		return Record{}, &BrokenError{Key: string(kv.Key), Revision: kv.ModRevision, Reason: err}
	}
	return Record{Key: string(kv.Key), Value: value, Revision: kv.ModRevision, Created: kv.CreateRevision}, nil
}
