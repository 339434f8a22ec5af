package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	// maxValue is the largest document, in bytes before compression: what a
	// PUT accepts (a document carries its manifest up to three times).
	maxValue = 8 << 20
	// maxRequest is what etcd takes in one request: a document and its parts.
	maxRequest = 12 << 20
	// etcdDefault is what an etcd takes in one request if nobody said otherwise.
	etcdDefault = 1536 << 10
	// maxOps is the number of operations in one transaction. Etcd's default of
	// 128 would be enough for an object and its parts; a cascade may need more.
	maxOps = 1024
	// opOverhead is more than what the encoding of one operation adds to its
	// key and value.
	opOverhead = 64
)

// A Txn is written as a whole when all of its conditions hold, and not at all
// otherwise. No key may be written twice in it.
type Txn struct {
	If []Condition
	Do []Op
	// DryRun checks sizes and conditions, and writes nothing.
	DryRun bool
}

// A Condition is a statement about one key at the moment of the transaction.
type Condition struct {
	kind     conditionKind
	key      string
	revision int64
}

type conditionKind int

const (
	keyAbsent conditionKind = iota
	keyPresent
	keyUnchanged
)

// Absent holds while the key does not exist.
func Absent(key string) Condition { return Condition{kind: keyAbsent, key: key} }

// Present holds while the key exists.
func Present(key string) Condition { return Condition{kind: keyPresent, key: key} }

// Unchanged holds while the key exists and its modification revision is the
// given one, that of the Record or Event it was read from.
func Unchanged(key string, revision int64) Condition {
	return Condition{kind: keyUnchanged, key: key, revision: revision}
}

// compare is the condition in etcd's terms.
func (c Condition) compare() clientv3.Cmp {
	switch c.kind {
	case keyAbsent:
		return clientv3.Compare(clientv3.ModRevision(c.key), "=", 0)
	case keyPresent:
		return clientv3.Compare(clientv3.ModRevision(c.key), ">", 0)
	default:
		return clientv3.Compare(clientv3.ModRevision(c.key), "=", c.revision)
	}
}

// holds is the same for the modification revision of a key, 0 for none.
func (c Condition) holds(modified int64) bool {
	switch c.kind {
	case keyAbsent:
		return modified == 0
	case keyPresent:
		return modified > 0
	default:
		return modified == c.revision
	}
}

// An Op is one write of a transaction.
type Op struct {
	kind  opKind
	key   string
	value []byte
	// lasts is how long a value is kept; forever if zero.
	lasts time.Duration
}

type opKind int

const (
	opPut opKind = iota
	opDelete
	opDeletePrefix
)

// Put writes a value, a JSON document.
func Put(key string, value []byte) Op { return Op{kind: opPut, key: key, value: value} }

// Lasting makes a put one of a value that goes by itself after a time, at the earliest; zero is for ever. Watches see it
// go as they see a deletion.
func (op Op) Lasting(d time.Duration) Op {
	op.lasts = d
	return op
}

// Delete removes a key; it is no error when the key does not exist.
func Delete(key string) Op { return Op{kind: opDelete, key: key} }

// DeletePrefix removes every key that starts with the prefix.
func DeletePrefix(prefix string) Op { return Op{kind: opDeletePrefix, key: prefix} }

// Commit carries out a transaction and returns its revision, that of every
// event it caused. A transaction that changes nothing (it deletes what is not
// there) makes no event and returns the newest revision.
//
// Errors: *ConflictError when a condition does not hold, *TooLargeError when a
// value or the transaction is over its limit, ErrFull when the database or
// the disk is, ErrUncertain when nobody can say whether it was written.
func (s *Store) Commit(ctx context.Context, t Txn) (revision int64, err error) {
	ctx, end := traced(ctx, "commit")
	defer func() { end(err) }()
	ops, err := t.operations()
	if err != nil {
		return 0, fmt.Errorf("commit: %w", err)
	}
	compares, probes, err := t.conditions()
	if err != nil {
		return 0, fmt.Errorf("commit: %w", err)
	}
	if err := s.inFlight.enter(); err != nil {
		return 0, fmt.Errorf("commit: %w", err)
	}
	defer s.inFlight.leave()
	if s.room != nil && t.grows() {
		if err := s.room(); err != nil {
			return 0, fmt.Errorf("commit: %w", err)
		}
	}
	patient, cancel := context.WithTimeout(ctx, commitWithin)
	defer cancel()
	if t.DryRun {
		ops = nil
	} else if err := s.terms.attach(patient, t.Do, ops); err != nil {
		return 0, fmt.Errorf("commit: %w", unavailable(ctx, err, ErrUnavailable))
	}
	answer, err := s.client.Txn(patient).If(compares...).Then(ops...).Else(probes...).Commit()
	switch {
	case errors.Is(err, rpctypes.ErrNoSpace):
		return 0, fmt.Errorf("commit: %w", ErrFull)
	case errors.Is(err, rpctypes.ErrLeaseNotFound):
		s.terms.forget()
		return 0, fmt.Errorf("commit: %w: the time of a value was over before it was written", ErrUnavailable)
	case errors.Is(err, rpctypes.ErrRequestTooLarge): // the limit of an etcd that others look after is not known
		return 0, fmt.Errorf("commit: %w", t.tooLarge())
	case err != nil:
		return 0, fmt.Errorf("commit: %w", unavailable(ctx, err, ErrUncertain))
	case !answer.Succeeded:
		s.counted.conflicts.Add(1)
		return 0, t.conflict(answer)
	}
	s.counted.commits.Add(1)
	return answer.Header.Revision, nil
}

// grows says whether something is written. What is removed is let through to a full disk.
func (t Txn) grows() bool {
	return slices.ContainsFunc(t.Do, func(op Op) bool { return op.kind == opPut })
}

// conditions gives the compares, and for each of them a read of the key that
// etcd does in the same step when one fails, so that a conflict names its key.
func (t Txn) conditions() ([]clientv3.Cmp, []clientv3.Op, error) {
	compares := make([]clientv3.Cmp, len(t.If))
	probes := make([]clientv3.Op, len(t.If))
	for i, c := range t.If {
		if c.key == "" {
			return nil, nil, errors.New("a condition without a key")
		}
		if c.kind == keyUnchanged && c.revision <= 0 {
			return nil, nil, fmt.Errorf("%s unchanged since revision %d: use Absent for a key that does not exist", c.key, c.revision)
		}
		compares[i] = c.compare()
		probes[i] = clientv3.OpGet(c.key, clientv3.WithKeysOnly())
	}
	return compares, probes, nil
}

// operations encodes the values and checks the sizes. Etcd counts conditions
// and probes too, so they are part of the sum.
func (t Txn) operations() ([]clientv3.Op, error) {
	ops := make([]clientv3.Op, len(t.Do))
	size := 2 * opOverhead * len(t.If)
	for _, c := range t.If {
		size += 2 * len(c.key)
	}
	for i, op := range t.Do {
		if op.key == "" {
			return nil, errors.New("an operation without a key")
		}
		if len(op.value) > maxValue {
			return nil, &TooLargeError{Key: op.key, Size: len(op.value), Limit: maxValue}
		}
		var stored int
		ops[i], stored = op.encode()
		size += opOverhead + len(op.key) + stored
	}
	if size > maxRequest {
		return nil, &TooLargeError{Size: size, Limit: maxRequest}
	}
	return ops, nil
}

// tooLarge is the error of a transaction that etcd refuses for its size.
func (t Txn) tooLarge() error {
	size := 0
	for _, op := range t.Do {
		size += len(op.value)
	}
	return &TooLargeError{Size: size, Limit: etcdDefault}
}

// encode gives the operation in etcd's terms and the size of its stored value.
func (op Op) encode() (clientv3.Op, int) {
	switch op.kind {
	case opPut:
		stored := encodeFrame(op.value)
		return clientv3.OpPut(op.key, string(stored)), len(stored)
	case opDelete:
		return clientv3.OpDelete(op.key), 0
	default:
		return clientv3.OpDelete(op.key, clientv3.WithPrefix()), 0
	}
}

// conflict finds the condition that failed in the state that etcd saw.
func (t Txn) conflict(answer *clientv3.TxnResponse) error {
	for i, c := range t.If {
		var modified int64
		if kvs := answer.Responses[i].GetResponseRange().GetKvs(); len(kvs) > 0 {
			modified = kvs[0].ModRevision
		}
		if !c.holds(modified) {
			return &ConflictError{Key: c.key, Revision: modified}
		}
	}
	return ErrConflict
}
