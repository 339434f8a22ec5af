package apiserver

import (
	"context"
	"net/http"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
)

// An Answer answers a question about a namespace; the question is the body that the table of kinds has for it. It must
// not write anything. Its context ends when the server stops, and its errors are told as those of any other request.
type Answer func(ctx context.Context, namespace string, question any) (any, error)

// MountAnswers has questions answered, by their names. It must be called before the server serves.
func (s *Server) MountAnswers(answers map[string]Answer) { s.answers = answers }

// ask is POST of a question.
func (s *Server) ask(w http.ResponseWriter, r *http.Request, t target) error {
	if !t.valid() {
		errs := &wire.Errors{}
		errs.At("metadata").At("namespace").Add("Invalid character in resource namespace.")
		return errs
	}
	question := t.kind.Question(t.question).Body()
	body, err := readBody(w, r, maxUpdate, keysOf(question))
	if err != nil {
		return err
	}
	if err := wire.Decode(body.tree(), question, wire.Create); err != nil {
		return err
	}
	answer, err := s.answered(r, t, t.question, question)
	if err != nil {
		return err
	}
	s.answer(w, http.StatusOK, answer)
	return nil
}

// answered is the answer to a question. Who answers asks the API itself: the request gives its place back before.
func (s *Server) answered(r *http.Request, t target, name string, question any) (any, error) {
	answer := s.answers[name]
	if answer == nil {
		return nil, api.NewProblem(http.StatusNotImplemented, "", "501: Not Implemented: nobody answers this here")
	}
	requestOf(r).release()
	ctx, cancel := s.untilStop(r.Context())
	defer cancel()
	return answer(ctx, t.namespace, question)
}
