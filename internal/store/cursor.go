package store

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Cursor is a position in the history of the whole keyspace: everything up to
// and including it was seen.
//
// Index counts the events of one revision from 1, over all keys, in the order
// in which etcd stores them (that of the operations in the transaction, for a
// deleted prefix that of the keys). Index 0 stands for the whole revision, so
// the last event of a revision, and any plain revision, is a cursor without an
// index. Because all keys count, a cursor means the same for every prefix.
//
// The zero Cursor is no position: Watch takes it for "from now on".
type Cursor struct {
	Revision int64
	Index    int
}

// String gives the text that ParseCursor reads: "rev" or "rev.index".
func (c Cursor) String() string {
	if c.Index == 0 {
		return strconv.FormatInt(c.Revision, 10)
	}
	return strconv.FormatInt(c.Revision, 10) + "." + strconv.Itoa(c.Index)
}

// ParseCursor reads what Cursor.String wrote and nothing else: no signs, no
// leading zeros, no zero revision.
func ParseCursor(text string) (Cursor, error) {
	revision, index, indexed := strings.Cut(text, ".")
	var c Cursor
	var err error
	if c.Revision, err = strconv.ParseInt(revision, 10, 64); err != nil {
		return Cursor{}, fmt.Errorf("invalid cursor %q", text)
	}
	if indexed {
		if c.Index, err = strconv.Atoi(index); err != nil {
			return Cursor{}, fmt.Errorf("invalid cursor %q", text)
		}
	}
	if !c.valid() || c.String() != text {
		return Cursor{}, fmt.Errorf("invalid cursor %q", text)
	}
	return c, nil
}

// Compare orders cursors by how much of the history they cover.
func (c Cursor) Compare(d Cursor) int {
	if by := cmp.Compare(c.Revision, d.Revision); by != 0 {
		return by
	}
	return cmp.Compare(c.order(), d.order())
}

// order puts the whole revision behind each of its events.
func (c Cursor) order() int {
	if c.Index == 0 {
		return math.MaxInt
	}
	return c.Index
}

func (c Cursor) valid() bool { return c.Revision > 0 && c.Index >= 0 }

// next is the first revision of which something was not seen.
func (c Cursor) next() int64 {
	if c.Index == 0 {
		return c.Revision + 1
	}
	return c.Revision
}
