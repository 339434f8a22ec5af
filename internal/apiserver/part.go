package apiserver

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
	"github.com/rak-n-rok/krake/internal/store"
)

// getPart is GET on a part. One that was never written is empty and has version 0.
func (s *Server) getPart(w http.ResponseWriter, r *http.Request, t target) error {
	record, err := s.record(r.Context(), t)
	if err != nil {
		return err
	}
	uid, err := uidOf(t.kind, record)
	if err != nil {
		return err
	}
	part := t.kind.Part(t.sub)
	content, revision, err := s.loadPart(r.Context(), t.kind.PartKey(uid, part.Name), *part)
	if err != nil {
		return err
	}
	return s.answerPart(w, content, revision)
}

// loadPart reads a part; revision 0 means that it was never written.
func (s *Server) loadPart(ctx context.Context, key string, part api.Part) (content any, revision int64, err error) {
	content = part.New()
	record, err := s.store.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		wire.Default(content)
		return content, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	if err := wire.Into(record.Value, content); err != nil {
		return nil, 0, &store.BrokenError{Key: key, Reason: err}
	}
	return content, record.Revision, nil
}

// readPart adds a part to what a change is decided on.
func (s *Server) readPart(ctx context.Context, k *api.Kind, name string, c *change) error {
	key := k.PartKey(api.Meta(c.next).UID, name)
	content, revision, err := s.loadPart(ctx, key, *k.Part(name))
	if err != nil {
		return err
	}
	c.parts[name] = content
	c.given = append(c.given, unchangedPart(key, revision))
	return nil
}

// unchangedPart is the condition that a part is as it was read.
func unchangedPart(key string, revision int64) store.Condition {
	if revision == 0 {
		return store.Absent(key)
	}
	return store.Unchanged(key, revision)
}

func (s *Server) answerPart(w http.ResponseWriter, content any, revision int64) error {
	data, err := json.Marshal(content)
	if err != nil {
		return err
	}
	var doc api.PartDocument
	doc.Content = data
	doc.Metadata.ResourceVersion = strconv.FormatInt(revision, 10)
	w.Header().Set("ETag", `"`+doc.Metadata.ResourceVersion+`"`)
	s.answer(w, http.StatusOK, doc)
	return nil
}

// putPart is PUT on a part. The parameter uid, when given, must be that of the object: a part must not be written to a
// later object of the same name.
func (s *Server) putPart(w http.ResponseWriter, r *http.Request, t target) error {
	part := t.kind.Part(t.sub)
	body, err := readBody(w, r, maxUpdate, keysOf(part.New()))
	if err != nil {
		return err
	}
	content, err := decodePart(*part, body)
	if err != nil {
		return err
	}
	data, err := json.Marshal(content)
	if err != nil {
		return err
	}
	defer s.turn(t.key())()
	for i := 0; ; i++ {
		revision, err := s.storePart(r, t, *part, data)
		if err == nil {
			return s.answerPart(w, content, revision)
		}
		if !errors.Is(err, store.ErrConflict) || i == attempts {
			return err
		}
		time.Sleep(rand.N(time.Millisecond << min(i, 6)))
	}
}

func (s *Server) storePart(r *http.Request, t target, part api.Part, data []byte) (int64, error) {
	cur, err := s.record(r.Context(), t)
	if err != nil {
		return 0, err
	}
	uid, err := uidOf(t.kind, cur)
	if err != nil {
		return 0, err
	}
	if want := r.URL.Query().Get("uid"); want != "" && want != uid {
		return 0, t.notFound()
	}
	key := t.kind.PartKey(uid, part.Name)
	_, revision, err := s.loadPart(r.Context(), key, part)
	if err != nil {
		return 0, err
	}
	if err := precondition(r, strconv.FormatInt(revision, 10)); err != nil {
		return 0, err
	}
	dryRun, err := flag(r, "dry_run")
	if err != nil {
		return 0, err
	}
	written, err := s.store.Commit(r.Context(), store.Txn{
		If: []store.Condition{store.Unchanged(cur.Key, cur.Revision), unchangedPart(key, revision)},
		Do: []store.Op{store.Put(key, data)}, DryRun: dryRun,
	})
	if dryRun {
		written = revision
	}
	return written, err
}

func decodePart(part api.Part, b *body) (any, error) {
	content := part.New()
	return content, wire.Decode(b.tree(), content, wire.Create)
}

// decodeParts reads the parts in a status patch.
func decodeParts(k *api.Kind, raw any) (map[string]any, error) {
	if raw == nil {
		return nil, nil
	}
	errs := &wire.Errors{}
	docs, ok := raw.(map[string]any)
	if !ok {
		errs.At("parts").Add("Not a valid mapping type.")
		return nil, errs
	}
	out := map[string]any{}
	for name, doc := range docs {
		part := k.Part(name)
		if part == nil {
			errs.At("parts").At(name).Add("Unknown part.")
			continue
		}
		content := part.New()
		if err := wire.Decode(doc, content, wire.Create); err != nil {
			errs.At("parts").At(name).Add(err.Error())
		}
		out[name] = content
	}
	return out, errs.Err()
}
