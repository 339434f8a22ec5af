package apiserver

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
	"github.com/rak-n-rok/krake/internal/failpoint"
	"github.com/rak-n-rok/krake/internal/store"
)

// stored is an object as it lies in the store.
type stored struct {
	api.Resource
	record store.Record
	tree   any // everything in the record, also what our types do not know
}

// load reads an object.
func (s *Server) load(ctx context.Context, t target) (*stored, error) {
	record, err := s.record(ctx, t)
	if err != nil {
		return nil, err
	}
	return decodeRecord(t.kind, record)
}

// record reads what is stored of an object.
func (s *Server) record(ctx context.Context, t target, options ...store.ReadOption) (store.Record, error) {
	if !t.valid() {
		return store.Record{}, t.notFound()
	}
	record, err := s.store.Get(ctx, t.key(), options...)
	if errors.Is(err, store.ErrNotFound) {
		return store.Record{}, t.notFound()
	}
	return record, err
}

func decodeRecord(k *api.Kind, record store.Record) (*stored, error) {
	broken := func(err error) error {
		return &store.BrokenError{Key: record.Key, Revision: record.Revision, Reason: err}
	}
	tree, err := wire.Parse(record.Value)
	if err != nil {
		return nil, broken(err)
	}
	r, err := k.Decode(tree, wire.Stored)
	if err != nil {
		return nil, broken(err)
	}
	api.Meta(r).ResourceVersion = strconv.FormatInt(record.Revision, 10)
	return &stored{Resource: r, record: record, tree: tree}, nil
}

// uidOf gives the UID of a stored object. What this version of the server stored need not be decoded for that.
func uidOf(k *api.Kind, record store.Record) (string, error) {
	if _, ok := spliced(k, record.Value, record.Revision); ok {
		var doc struct {
			Metadata struct {
				UID string `json:"uid"`
			} `json:"metadata"`
		}
		if json.Unmarshal(record.Value, &doc) == nil {
			return doc.Metadata.UID, nil
		}
	}
	obj, err := decodeRecord(k, record)
	if err != nil {
		return "", err
	}
	return api.Meta(obj).UID, nil
}

// copy returns an object that can be changed without changing the stored one.
func (o *stored) copy(k *api.Kind) api.Resource {
	r, err := k.Decode(wire.Clone(o.tree), wire.Stored)
	if err != nil {
		panic(err) // it was decoded from as much
	}
	api.Meta(r).ResourceVersion = api.Meta(o).ResourceVersion
	return r
}

// A change is what becomes of an object.
type change struct {
	next   api.Resource
	keep   bool              // nothing is written, next is the answer
	parts  map[string]any    // parts to write with the object, by name
	given  []store.Condition // that the parts which it was decided on are as they were
	remove bool              // the record goes
	forced bool              // it goes also when not all of it can be read
	dryRun bool              // nothing is written, whatever else is said
	data   []byte            // the stored form of next, once it is stored
}

// attempts is how often a change is tried when others write the same object at the same moment.
const attempts = 20

// change loads an object, lets decide say what becomes of it, and stores that, unless somebody else has changed the
// object meanwhile; then it starts again. check, if not nil, says what is wrong with the request whatever the object is:
// that is told before the object is found to be absent or changed.
func (s *Server) change(r *http.Request, t target, check func() error, decide func(cur *stored, now api.Time) (change, error)) (change, error) {
	dryRun, err := flag(r, "dry_run")
	if err != nil {
		return change{}, err
	}
	defer s.turn(t.key())()
	for i := 0; ; i++ {
		cur, err := s.load(r.Context(), t)
		if err == nil {
			err = precondition(r, api.Meta(cur).ResourceVersion)
		}
		if err != nil {
			if check != nil {
				if invalid := check(); invalid != nil {
					return change{}, invalid
				}
			}
			return change{}, err
		}
		c, err := decide(cur, s.now().Max(api.Meta(cur).Modified)) // times do not go back with the clock
		if err != nil || c.keep {
			return c, err
		}
		c.dryRun = dryRun
		err = s.commit(r.Context(), t, cur, &c)
		if !errors.Is(err, store.ErrConflict) || i == attempts {
			return c, err
		}
		time.Sleep(rand.N(time.Millisecond << min(i, 6))) // let one of the contenders get ahead
	}
}

// precondition compares If-Match with the version of an object or a part.
func precondition(r *http.Request, version string) error {
	match := r.Header.Get("If-Match")
	if match == "" || match == "*" {
		return nil
	}
	for _, tag := range strings.Split(match, ",") {
		if strings.Trim(strings.TrimPrefix(strings.TrimSpace(tag), "W/"), `"`) == version {
			return nil
		}
	}
	return api.NewProblem(http.StatusConflict, api.TitleTransaction,
		"The object has changed: its version is %s, the request was made for %s", version, match)
}

// commit stores a change in one transaction.
func (s *Server) commit(ctx context.Context, t target, cur *stored, c *change) error {
	txn := store.Txn{If: append(c.given, store.Unchanged(cur.record.Key, cur.record.Revision)), DryRun: c.dryRun}
	if settler, ok := c.next.(api.Settler); ok {
		settler.Settle(cur.Resource)
	}
	if c.remove {
		if err := s.removal(ctx, t, cur, c, &txn); err != nil {
			return err
		}
	} else {
		data, err := successor(c.next, cur)
		if err != nil {
			return err
		}
		c.data = data
		txn.Do = append(txn.Do, store.Put(cur.record.Key, data).Lasting(t.kind.Lasts))
		for name, part := range c.parts {
			data, err := json.Marshal(part)
			if err != nil {
				return err
			}
			txn.Do = append(txn.Do, store.Put(t.kind.PartKey(api.Meta(c.next).UID, name), data))
		}
	}
	revision, err := s.store.Commit(ctx, txn)
	if err != nil {
		return err
	}
	if c.dryRun {
		c.data = nil // it has no version
		api.Meta(c.next).ResourceVersion = api.Meta(cur).ResourceVersion
		return nil
	}
	if c.remove {
		failpoint.Hit(failpoint.Removed)
	} else {
		failpoint.Hit(failpoint.Changed)
	}
	api.Meta(c.next).ResourceVersion = strconv.FormatInt(revision, 10)
	return nil
}

// successor gives the stored form of what follows an object. What that had and we do not know stays.
func successor(next api.Resource, cur *stored) ([]byte, error) {
	if !wire.HasUnknown(cur.tree, next) {
		return encode(next, true)
	}
	data, err := encode(next, false)
	if err != nil {
		return nil, err
	}
	return wire.KeepUnknown(data, cur.tree, next)
}

// removal adds to a transaction what the removal of a record means: its parts go with it, and what must not be
// forgotten becomes an object of its own.
func (s *Server) removal(ctx context.Context, t target, cur *stored, c *change, txn *store.Txn) error {
	txn.Do = append(txn.Do, store.Delete(cur.record.Key))
	uid := api.Meta(cur).UID
	if len(t.kind.Parts) == 0 || uid == "" {
		return s.successors(ctx, cur, nil, txn)
	}
	parts := map[string]any{}
	for _, p := range t.kind.Parts {
		key := t.kind.PartKey(uid, p.Name)
		content, revision, err := s.loadPart(ctx, key, p)
		if c.forced && errors.Is(err, store.ErrBroken) {
			s.log.Warn("a broken part is removed with its object", "key", key, "error", err)
			txn.Do = append(txn.Do, store.Delete(key))
			continue
		}
		if err != nil {
			return err
		}
		if revision == 0 {
			txn.If = append(txn.If, store.Absent(key))
			continue
		}
		txn.If = append(txn.If, store.Unchanged(key, revision))
		txn.Do = append(txn.Do, store.Delete(key))
		parts[p.Name] = content
	}
	return s.successors(ctx, cur, parts, txn)
}

func (s *Server) successors(ctx context.Context, cur *stored, parts map[string]any, txn *store.Txn) error {
	remover, ok := cur.Resource.(api.Remover)
	if !ok {
		return nil
	}
	for _, r := range remover.Removed(parts) {
		k := api.KindOf(r)
		s.stamp(r, s.now())
		m := api.Meta(r)
		key := k.Key(m.NamespaceOrEmpty(), m.Name)
		if _, err := s.store.Get(ctx, key); err == nil || errors.Is(err, store.ErrBroken) {
			m.Name += "." + m.UID // the name is taken by an earlier one, which stays
			key = k.Key(m.NamespaceOrEmpty(), m.Name)
		}
		data, err := encode(r, true)
		if err != nil {
			return err
		}
		txn.If = append(txn.If, store.Absent(key))
		txn.Do = append(txn.Do, store.Put(key, data).Lasting(k.Lasts))
	}
	return nil
}

// stamp gives a new object what the server decides.
func (s *Server) stamp(r api.Resource, now api.Time) {
	m := api.Meta(r)
	m.UID = uuid.NewString()
	m.Created, m.Modified, m.Deleted = now, now, nil
	m.Generation = 1
}
