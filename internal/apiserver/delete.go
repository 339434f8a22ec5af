package apiserver

import (
	"net/http"

	"github.com/rak-n-rok/krake/api"
)

// remove is DELETE on an object: it marks the object, and the record goes when nobody has work left. With force=True
// the record goes at once.
func (s *Server) remove(w http.ResponseWriter, r *http.Request, t target) error {
	forced := t.kind.Force && r.URL.Query().Get("force") == "True"
	wait, err := s.blocking(r, t, "")
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
			return change{next: next, remove: true}, nil
		}
		if d, ok := next.(api.Deleter); ok {
			d.Deleting()
		}
		api.MarkDeleted(next, now)
		return change{next: next}, nil
	})
	if err != nil {
		return err
	}
	s.answerObject(w, wait.until(r.Context(), obj))
	return nil
}
