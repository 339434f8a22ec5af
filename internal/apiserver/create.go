package apiserver

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
	"github.com/rak-n-rok/krake/internal/failpoint"
	"github.com/rak-n-rok/krake/internal/store"
)

// create is POST on a collection.
func (s *Server) create(w http.ResponseWriter, r *http.Request, t target) error {
	body, err := readBody(w, r, maxCreate)
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
	data, err := encode(obj)
	if err != nil {
		return err
	}
	revision, err := s.store.Commit(r.Context(), store.Txn{
		If: []store.Condition{store.Absent(t.key())}, Do: []store.Op{store.Put(t.key(), data)},
	})
	if errors.Is(err, store.ErrConflict) {
		return exists(t)
	}
	if err != nil {
		return err
	}
	failpoint.Hit(failpoint.Created)
	api.Meta(obj).ResourceVersion = strconv.FormatInt(revision, 10)
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

func exists(t target) error {
	where := ""
	if t.kind.Namespaced {
		where = " in namespace '" + t.namespace + "'"
	}
	return api.NewProblem(http.StatusConflict, api.TitleAlreadyExists, "%s '%s' already exists%s", t.kind.Name, t.name, where)
}

// get is GET on an object.
func (s *Server) get(w http.ResponseWriter, r *http.Request, t target) error {
	cur, err := s.load(r.Context(), t)
	if err != nil {
		return err
	}
	s.answerObject(w, cur.Resource)
	return nil
}
