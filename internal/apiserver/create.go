package apiserver

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
	"github.com/rak-n-rok/krake/internal/failpoint"
	"github.com/rak-n-rok/krake/internal/store"
)

// create is POST on a collection.
func (s *Server) create(w http.ResponseWriter, r *http.Request, t target) error {
	body, err := readBody(w, r, maxCreate, keysOf(t.kind.New()))
	if err != nil {
		return err
	}
	dry, err := flag(r, "dry_run")
	if err != nil {
		return err
	}
	obj, err := s.newObject(body, &t)
	if err != nil {
		return err
	}
	wait, err := s.blocking(r, t)
	if err != nil {
		return err
	}
	defer wait.close()
	data, err := encode(obj, true)
	if err != nil {
		return err
	}
	others, err := s.outlived(r.Context(), t)
	if err != nil {
		return err
	}
	revision, err := s.store.Commit(r.Context(), store.Txn{
		If: []store.Condition{store.Absent(t.key())}, Do: append(others, store.Put(t.key(), data).Lasting(t.kind.Lasts)), DryRun: dry,
	})
	if errors.Is(err, store.ErrConflict) {
		return exists(t)
	}
	if err != nil {
		return err
	}
	if dry {
		s.answerObject(w, obj)
		return nil
	}
	failpoint.Hit(failpoint.Created)
	api.Meta(obj).ResourceVersion = strconv.FormatInt(revision, 10)
	if wait.over(obj) {
		s.answerChange(w, t, change{next: obj, data: data})
		return nil
	}
	s.answerObject(w, wait.until(r.Context(), obj))
	return nil
}

// newObject reads and completes the object to create, and puts its name into the target.
func (s *Server) newObject(b *body, t *target) (api.Resource, error) {
	if t.kind.Namespaced && !api.ValidName(t.namespace) {
		errs := &wire.Errors{}
		errs.At("metadata").At("namespace").Add("Invalid character in resource namespace.")
		return nil, errs
	}
	obj, err := t.kind.Decode(b.tree(), wire.Create)
	if err == nil {
		err = s.check(t.kind, obj, nil)
	}
	if err != nil {
		return nil, err
	}
	m := api.Meta(obj)
	m.Namespace = nil
	if t.kind.Namespaced {
		m.Namespace = &t.namespace
	}
	s.stamp(obj, s.now())
	if settler, ok := obj.(api.Settler); ok {
		settler.Settle(nil)
	}
	t.name = m.Name
	return obj, nil
}

// outlived removes the objects for which there is no room any more beside a new one.
func (s *Server) outlived(ctx context.Context, t target) ([]store.Op, error) {
	if t.kind.Crowd == 0 {
		return nil, nil
	}
	alike, _, _ := strings.Cut(t.name, ".")
	records, _, err := s.store.List(ctx, t.kind.Key(t.namespace, alike+"."))
	if err != nil || len(records) < t.kind.Crowd {
		return nil, err
	}
	slices.SortFunc(records, func(a, b store.Record) int { return cmp.Compare(a.Revision, b.Revision) })
	var ops []store.Op
	for _, r := range records[:len(records)-t.kind.Crowd+1] {
		ops = append(ops, store.Delete(r.Key))
	}
	return ops, nil
}

func exists(t target) error {
	where := ""
	if t.kind.Namespaced {
		where = " in namespace '" + t.namespace + "'"
	}
	return api.NewProblem(http.StatusConflict, api.TitleAlreadyExists, "%s '%s' already exists%s", t.kind.Name, t.name, where)
}

// get is GET on an object.
func (s *Server) get(w http.ResponseWriter, r *http.Request, t target) error {
	v, err := viewOf(r.URL.Query())
	if err != nil {
		return err
	}
	record, err := s.record(r.Context(), t, freshness(r.URL.Query())...)
	if err != nil {
		return err
	}
	object, err := readable(t.kind, record)
	if err != nil {
		return err
	}
	s.answerServed(w, v.of(object), strconv.FormatInt(record.Revision, 10))
	return nil
}
