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

// collector is the garbage collector to the API, also that of the Python Krake.
const collector = "system:gc"

// remove is DELETE on an object: it marks the object, and the record goes when nobody has work left. With force=True
// the record goes at once, also one that cannot be read. With cascade=true nobody has named the object: its owners go. That
// takes something away from the request and gives it nothing, so whoever likes may say so; whoever does not has named it.
// Other parameters choose a way of deletion that the kind knows.
func (s *Server) remove(w http.ResponseWriter, r *http.Request, t target) error {
	forced := t.kind.Force && r.URL.Query().Get("force") == "True"
	cascade, err := flag(r, "cascade")
	if err != nil {
		return err
	}
	cascade = cascade || s.userOf(r.Context()) == collector
	how, err := deletionOf(r, t.kind)
	if err != nil {
		return err
	}
	if forced && how != api.DeletePlain {
		return badQuery(how.Parameter(), "Not possible with force, which removes the record alone.")
	}
	wait, err := s.blocking(r, t)
	if err != nil {
		return err
	}
	defer wait.close()
	c, err := s.change(r, t, nil, func(cur *stored, now api.Time) (change, error) {
		next := cur.copy(t.kind)
		if forced {
			api.Meta(next).Deleted = &now
			return change{next: next, remove: true, forced: true}, nil
		}
		news, err := api.AskDeletion(next, how, cascade, now)
		if !news {
			return change{next: cur.Resource, keep: true}, err
		}
		return change{next: next}, nil
	})
	if forced && errors.Is(err, store.ErrBroken) {
		c, err = s.discard(r, t)
	}
	if err != nil {
		return err
	}
	if forced {
		s.answerObject(w, wait.removed(c.next))
		return nil
	}
	if c.dryRun || wait.over(c.next) {
		s.answerChange(w, t, c)
		return nil
	}
	s.answerObject(w, wait.until(r.Context(), c.next))
	return nil
}

// deletionOf reads in which way something is to be deleted.
func deletionOf(r *http.Request, k *api.Kind) (how api.Deletion, err error) {
	for _, way := range k.Deletions {
		asked, err := flag(r, way.Parameter())
		switch {
		case err != nil:
			return how, err
		case asked && how != api.DeletePlain:
			return how, badQuery(way.Parameter(), "Not possible together with "+how.Parameter()+".")
		case asked:
			how = way
		}
	}
	return how, nil
}

// discard removes a record that cannot be read. The answer has its name, and what else was legible.
func (s *Server) discard(r *http.Request, t target) (change, error) {
	dryRun, err := flag(r, "dry_run")
	if err != nil {
		return change{}, err
	}
	cur, err := s.remains(r.Context(), t)
	if err != nil {
		return change{}, err
	}
	if err := precondition(r, api.Meta(cur).ResourceVersion); err != nil {
		return change{}, err
	}
	now := s.now()
	api.Meta(cur).Deleted = &now
	s.log.Warn("a broken record is removed", "key", cur.record.Key)
	c := change{next: cur.Resource, remove: true, forced: true, dryRun: dryRun}
	err = s.commit(r.Context(), t, cur, &c)
	return c, err
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
