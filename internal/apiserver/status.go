package apiserver

import (
	"maps"
	"net/http"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
)

// updateStatus is PUT on the status: all of the reference's fields are replaced, those that were added stay unless the
// body mentions them.
func (s *Server) updateStatus(w http.ResponseWriter, r *http.Request, t target) error {
	body, err := readBody(w, r, maxUpdate, keysOf(t.kind.New()))
	if err != nil {
		return err
	}
	check := func() error { _, err := decodeUpdate(body, t, nil); return err }
	c, err := s.change(r, t, check, func(cur *stored, _ api.Time) (change, error) {
		next, err := decodeUpdate(body, t, cur)
		if err != nil {
			return change{}, err
		}
		return inheritAllButStatus(next, cur)
	})
	if err != nil {
		return err
	}
	s.answerChange(w, t, c)
	return nil
}

func inheritAllButStatus(next api.Resource, cur *stored) (change, error) {
	if field := wire.Inherit(next, cur.Resource, true); field != "" {
		return change{}, api.NewProblem(http.StatusBadRequest, api.TitleUpdate,
			"Trying to update an immutable field: %s", field)
	}
	return change{next: next}, nil
}

// patchStatus is PATCH on the status: a merge patch of the form {"status": {…}}. A key "parts" may hold parts to
// replace in the same transaction. A patch that changes nothing is not written.
func (s *Server) patchStatus(w http.ResponseWriter, r *http.Request, t target) error {
	body, err := readBody(w, r, maxUpdate, patchKeys(t.kind))
	if err != nil {
		return err
	}
	c, err := s.change(r, t, nil, func(cur *stored, _ api.Time) (change, error) {
		next, patch, err := patched(body, t, cur)
		if err != nil {
			return change{}, err
		}
		c, err := inheritAllButStatus(next, cur)
		if err != nil {
			return c, err
		}
		if c.parts, err = decodeParts(t.kind, patch["parts"]); err != nil {
			return c, err
		}
		if len(c.parts) == 0 && wire.Equal(next, cur.Resource) {
			return change{next: cur.Resource, keep: true}, nil
		}
		return c, nil
	})
	if err != nil {
		return err
	}
	s.answerChange(w, t, c)
	return nil
}

// patchKeys is the strict check of a patch of the status, beside which there may be parts.
func patchKeys(k *api.Kind) func(tree any) error {
	return func(tree any) error {
		object, _ := tree.(map[string]any)
		parts, _ := object["parts"].(map[string]any)
		object = maps.Clone(object)
		delete(object, "parts")
		if err := wire.Unknown(object, k.New()); err != nil {
			return err
		}
		for _, p := range k.Parts {
			if err := wire.Unknown(parts[p.Name], p.New()); err != nil {
				return err
			}
		}
		return nil
	}
}

// act is PUT on an action.
func (s *Server) act(w http.ResponseWriter, r *http.Request, t target) error {
	action := t.kind.Action(t.sub)
	if action.ObjectFirst {
		if _, err := s.load(r.Context(), t); err != nil {
			return err
		}
	}
	var body any
	if action.New != nil {
		body = action.New()
		data, err := readBody(w, r, maxUpdate, keysOf(body))
		if err != nil {
			return err
		}
		if err := wire.Decode(data.tree(), body, wire.Create); err != nil {
			return err
		}
	}
	c, err := s.change(r, t, nil, func(cur *stored, now api.Time) (change, error) {
		c := change{next: cur.copy(t.kind), parts: map[string]any{}}
		for _, name := range action.Reads {
			if err := s.readPart(r.Context(), t.kind, name, &c); err != nil {
				return c, err
			}
		}
		err := action.Apply(c.next, body, now, c.parts)
		return c, err
	})
	if err != nil {
		return err
	}
	s.answerChange(w, t, c)
	return nil
}
