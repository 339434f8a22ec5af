package store

import (
	"errors"
	"fmt"
)

// The sentinels that callers compare with errors.Is. The typed errors below
// match them and carry what a message needs.
var (
	// ErrNotFound says that a key does not exist.
	ErrNotFound = errors.New("not found")
	// ErrConflict says that a condition of a transaction did not hold and that
	// nothing was written. See ConflictError.
	ErrConflict = errors.New("conflict")
	// ErrTooLarge says that a value or a transaction is over the limit and was
	// not sent to etcd. See TooLargeError.
	ErrTooLarge = errors.New("too large")
	// ErrCompacted says that a watch cannot be resumed from its cursor: list
	// again. See CompactedError.
	ErrCompacted = errors.New("cursor cannot be resumed")
	// ErrSlow says that a reader was cut off because it did not keep up; the
	// watch can be resumed. See SlowError.
	ErrSlow = errors.New("reader is too slow")
	// ErrClosed says that the store or the watch was closed.
	ErrClosed = errors.New("closed")
	// ErrBroken says that a stored value cannot be read. See BrokenError.
	ErrBroken = errors.New("broken record")
	// ErrUnavailable says that etcd did not answer, or could not, in time. What
	// was to be read was not.
	ErrUnavailable = errors.New("the database does not answer")
	// ErrUncertain says the same of a write: it may have been carried out or
	// not.
	ErrUncertain = errors.New("the database did not answer: it may have been written or not")
	// ErrFull says that the database reached its quota and takes no more
	// writes until something is deleted, compacted and defragmented.
	ErrFull = errors.New("database is full")
)

// LockedError says that another process works in the data directory.
type LockedError struct {
	Dir string
	// Holder is what the other process wrote into the lock file: its process
	// id and Options.Owner. It may be empty when it had no time to.
	Holder string
}

func (e *LockedError) Error() string {
	holder := e.Holder
	if holder == "" {
		holder = "another process"
	}
	return fmt.Sprintf("data directory %s is in use by %s", e.Dir, holder)
}

// ConflictError names the first condition that did not hold when etcd refused
// the transaction.
type ConflictError struct {
	Key string
	// Revision is the modification revision that the key had then; 0 when it
	// did not exist.
	Revision int64
}

func (e *ConflictError) Error() string {
	if e.Revision == 0 {
		return fmt.Sprintf("conflict: %s does not exist", e.Key)
	}
	return fmt.Sprintf("conflict: %s is at revision %d", e.Key, e.Revision)
}

// Is makes the error match ErrConflict.
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// TooLargeError gives sizes in bytes. Key is empty when not one value but the
// transaction as a whole is over the limit.
type TooLargeError struct {
	Key         string
	Size, Limit int
}

func (e *TooLargeError) Error() string {
	what := "transaction"
	if e.Key != "" {
		what = "value of " + e.Key
	}
	return fmt.Sprintf("%s is too large: %d bytes, the limit is %d", what, e.Size, e.Limit)
}

// Is makes the error match ErrTooLarge.
func (e *TooLargeError) Is(target error) bool { return target == ErrTooLarge }

// CompactedError says why a watch cannot go on from a cursor.
type CompactedError struct {
	From Cursor
	// Oldest is the smallest revision from which a watch can be resumed, 0 if that is not known.
	Oldest int64
	// Newest is set instead when the cursor lies in the future: it comes from
	// another database, or from this one before an older copy was put back.
	Newest int64
}

func (e *CompactedError) Error() string {
	if e.Newest != 0 {
		return fmt.Sprintf("cannot resume from %s: the newest revision is %d", e.From, e.Newest)
	}
	if e.Oldest == 0 {
		return fmt.Sprintf("cannot resume from %s: what was then is forgotten", e.From)
	}
	return fmt.Sprintf("cannot resume from %s: the oldest revision to resume from is %d", e.From, e.Oldest)
}

// Is makes the error match ErrCompacted.
func (e *CompactedError) Is(target error) bool { return target == ErrCompacted }

// SlowError is the end of a watch whose reader did not keep up. Everything up
// to Cursor was delivered; a new watch from Cursor misses and repeats nothing.
type SlowError struct {
	Cursor Cursor
}

func (e *SlowError) Error() string {
	return fmt.Sprintf("reader is too slow, cut off after %s", e.Cursor)
}

// Is makes the error match ErrSlow.
func (e *SlowError) Is(target error) bool { return target == ErrSlow }

// BrokenError says why a stored value cannot be read. Revision is that of its
// last write, so that it can be removed on condition that it is still broken.
type BrokenError struct {
	Key      string
	Revision int64
	Reason   error
}

func (e *BrokenError) Error() string {
	return fmt.Sprintf("broken record %s: %v", e.Key, e.Reason)
}

// Is makes the error match ErrBroken.
func (e *BrokenError) Is(target error) bool { return target == ErrBroken }

// Unwrap returns the reason.
func (e *BrokenError) Unwrap() error { return e.Reason }
