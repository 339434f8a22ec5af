package apiserver

import (
	"net/http"
	"slices"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
)

// update is PUT on an object: everything but what the server decides and the status is replaced.
func (s *Server) update(w http.ResponseWriter, r *http.Request, t target) error {
	body, err := readBody(w, r, maxUpdate, keysOf(t.kind.New()))
	if err != nil {
		return err
	}
	wait, err := s.blocking(r, t)
	if err != nil {
		return err
	}
	defer wait.close()
	check := func() error { _, err := s.replacement(body, t, nil); return err }
	c, err := s.change(r, t, check, func(cur *stored, now api.Time) (change, error) {
		next, err := s.replacement(body, t, cur)
		if err != nil {
			return change{}, err
		}
		if err := finalizersOnlyShrink(next, cur); err != nil {
			return change{}, err
		}
		if wire.Equal(next, cur.Resource) {
			if t.kind.QuietUpdate {
				return change{next: cur.Resource, keep: true}, nil
			}
			return change{}, api.NewProblem(http.StatusBadRequest, api.TitleUpdate, "The body contained no update.")
		}
		return replace(next, cur, now)
	})
	if err != nil {
		return err
	}
	if c.dryRun || wait.over(c.next) {
		s.answerChange(w, t, c)
		return nil
	}
	s.answerObject(w, wait.until(r.Context(), c.next))
	return nil
}

// replacement reads the body of an update and checks it by all the rules of its kind.
func (s *Server) replacement(b *body, t target, cur *stored) (api.Resource, error) {
	next, err := decodeUpdate(b, t, cur)
	if err != nil {
		return nil, err
	}
	var before api.Resource
	if cur != nil {
		before = cur.Resource
	}
	return next, s.check(t.kind, next, before)
}

// decodeUpdate reads the body of an update. Added fields that it does not mention are those of cur, and what it leaves as
// it is there is asked for no rules.
func decodeUpdate(b *body, t target, cur *stored) (api.Resource, error) {
	doc := b.tree()
	if cur == nil {
		return t.kind.Decode(doc, wire.Update)
	}
	wire.KeepAdded(doc, cur.Resource)
	return t.kind.DecodeUpdate(doc, cur.Resource)
}

func finalizersOnlyShrink(next api.Resource, cur *stored) error {
	m := api.Meta(cur)
	if m.Deleted == nil {
		return nil
	}
	for _, f := range api.Meta(next).Finalizers {
		if !slices.Contains(m.Finalizers, f) {
			return api.NewProblem(http.StatusConflict, api.TitleUpdate,
				"Finalizers can only be removed if a deletion is in progress.")
		}
	}
	return nil
}

// replace completes an updated object with what the server decides. What changes nothing is not written: a new time of
// modification would send the object through the scheduler again.
func replace(next api.Resource, cur *stored, now api.Time) (change, error) {
	if field := wire.Inherit(next, cur.Resource, false); field != "" {
		return change{}, api.NewProblem(http.StatusBadRequest, api.TitleUpdate,
			"Trying to update an immutable field: %s", field)
	}
	m := api.Meta(next)
	done := m.Deleted != nil && len(m.Finalizers) == 0
	if wire.Equal(next, cur.Resource) && !done {
		return change{next: cur.Resource, keep: true}, nil
	}
	m.Modified = now.Max(m.Modified)
	if !wire.EqualBody(next, cur.Resource) {
		m.Generation++
	}
	return change{next: next, remove: done}, nil
}

// patch is PATCH on an object: a merge patch of everything but what the server decides and the status. A patch of
// metadata alone is not a change of what the user asked for: it moves neither the time of modification nor the
// generation.
func (s *Server) patch(w http.ResponseWriter, r *http.Request, t target) error {
	body, err := readBody(w, r, maxUpdate, keysOf(t.kind.New()))
	if err != nil {
		return err
	}
	c, err := s.change(r, t, nil, func(cur *stored, now api.Time) (change, error) {
		next, _, err := patched(body, t, cur)
		if err == nil {
			err = s.check(t.kind, next, cur.Resource)
		}
		if err != nil {
			return change{}, err
		}
		if err := finalizersOnlyShrink(next, cur); err != nil {
			return change{}, err
		}
		c, err := replace(next, cur, now)
		if err == nil && !c.keep && wire.EqualBody(next, cur.Resource) {
			api.Meta(next).Modified = api.Meta(cur).Modified
		}
		return c, err
	})
	if err != nil {
		return err
	}
	s.answerChange(w, t, c)
	return nil
}

// patched applies a merge patch and returns the object and the patch.
func patched(b *body, t target, cur *stored) (api.Resource, map[string]any, error) {
	patch, ok := b.tree().(map[string]any)
	if !ok {
		errs := &wire.Errors{}
		errs.AddSchema("Invalid input type.")
		return nil, nil, errs
	}
	next, err := t.kind.DecodeUpdate(wire.Patch(wire.Clone(cur.tree), patch), cur.Resource)
	return next, patch, err
}
