package apiserver

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
	"github.com/rak-n-rok/krake/internal/store"
)

// remove is DELETE on an object: it marks the object, and the record goes when nobody has work left. With force=True
// the record goes at once, also one that cannot be read.
func (s *Server) remove(w http.ResponseWriter, r *http.Request, t target) error {
	forced := t.kind.Force && r.URL.Query().Get("force") == "True"
	wait, err := s.blocking(r, t)
	if err != nil {
		return err
	}
	defer wait.close()
	obj, err := s.change(r, t, nil, func(cur *stored, now api.Time) (change, error) {
		if !forced && api.Meta(cur).Deleted != nil {
			return change{next: cur.Resource, keep: true}, nil
		}
		next := cur.copy(t.kind)
		if forced {
			api.Meta(next).Deleted = &now
			return change{next: next, remove: true, forced: true}, nil
		}
		if d, ok := next.(api.Deleter); ok {
			d.Deleting(now)
		}
		api.MarkDeleted(next, now)
		return change{next: next}, nil
	})
	if forced && errors.Is(err, store.ErrBroken) {
		obj, err = s.discard(r, t)
	}
	if err != nil {
		return err
	}
	if forced {
		s.answerObject(w, wait.removed(obj))
		return nil
	}
	s.answerObject(w, wait.until(r.Context(), obj))
	return nil
}

// discard removes a record that cannot be read. The answer has its name, and what else was legible.
func (s *Server) discard(r *http.Request, t target) (api.Resource, error) {
	cur, err := s.remains(r.Context(), t)
	if err != nil {
		return nil, err
	}
	if err := precondition(r, api.Meta(cur).ResourceVersion); err != nil {
		return nil, err
	}
	now := s.now()
	api.Meta(cur).Deleted = &now
	s.log.Warn("a broken record is removed", "key", cur.record.Key)
	err = s.commit(r.Context(), t, cur, &change{next: cur.Resource, remove: true, forced: true})
	return cur.Resource, err
}

// remains gives what can be read of a broken record: its uid, which leads to its parts, if at least that is legible.
func (s *Server) remains(ctx context.Context, t target) (*stored, error) {
	record, err := s.store.Get(ctx, t.key())
	var broken *store.BrokenError
	switch {
	case errors.As(err, &broken): // not even the frame
		record = store.Record{Key: broken.Key, Revision: broken.Revision}
	case err != nil:
		return nil, err
	}
	var legible struct{ Metadata struct{ UID string } }
	_ = json.Unmarshal(record.Value, &legible)
	metadata := map[string]any{"name": t.name, "uid": legible.Metadata.UID}
	if t.kind.Namespaced {
		metadata["namespace"] = t.namespace
	}
	r, err := t.kind.Decode(map[string]any{"metadata": metadata}, wire.Stored)
	if err != nil {
		return nil, err
	}
	api.Meta(r).ResourceVersion = strconv.FormatInt(record.Revision, 10)
	return &stored{Resource: r, record: record}, nil
}
