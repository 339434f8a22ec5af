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

// answer writes a document.
func (s *Server) answer(w http.ResponseWriter, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		panic(err) // our own types always encode
	}
	s.answerBytes(w, status, data)
}

func (s *Server) answerBytes(w http.ResponseWriter, status int, data []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	_, _ = w.Write(data) // a client that is gone needs no answer
}

// answerObject writes one object with its version.
func (s *Server) answerObject(w http.ResponseWriter, r api.Resource) {
	w.Header().Set("ETag", `"`+api.Meta(r).ResourceVersion+`"`)
	s.answer(w, http.StatusOK, r)
}

// answerChange writes an object that was changed, or was not.
func (s *Server) answerChange(w http.ResponseWriter, t target, c change) {
	version := api.Meta(c.next).ResourceVersion
	if revision, err := strconv.ParseInt(version, 10, 64); err == nil && c.data != nil {
		if object, ok := spliced(t.kind, c.data, revision); ok {
			s.answerServed(w, object, version)
			return
		}
	}
	s.answerObject(w, c.next)
}

// answerServed writes one object with its version.
func (s *Server) answerServed(w http.ResponseWriter, object served, version string) {
	w.Header().Set("ETag", `"`+version+`"`)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(object.size()))
	w.WriteHeader(http.StatusOK)
	object.writeTo(w)
}

// fail writes an error as a problem document. It is the one place where errors become status codes.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := s.problem(r, err)
	data, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	if p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("Content-Type", "application/problem+json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(p.Status)
	_, _ = w.Write(data)
}

func (s *Server) problem(r *http.Request, err error) *api.Problem {
	var (
		p       *api.Problem
		invalid *wire.Errors
		large   *store.TooLargeError
	)
	switch {
	case errors.As(err, &p):
	case errors.As(err, &invalid) && !errors.Is(err, store.ErrBroken): // what is stored is not the caller's fault
		p = api.NewProblem(http.StatusUnprocessableEntity, "", "%s", invalid)
	case errors.Is(err, store.ErrConflict):
		p = api.NewProblem(http.StatusConflict, api.TitleTransaction, "Concurrent writes to database")
	case errors.As(err, &large):
		p = tooLarge(large.Limit, large.Size)
	case errors.Is(err, store.ErrCompacted):
		p = api.NewProblem(http.StatusGone, "", "410: Gone: %s; list again", err)
	case errors.Is(err, store.ErrFull):
		p = api.NewProblem(http.StatusInsufficientStorage, "", "507: Insufficient Storage: the database is full")
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, store.ErrUncertain):
		s.log.Warn("the database does not answer", "method", r.Method, "path", r.URL.Path, "request_id", requestOf(r).id, "error", err)
		p = api.NewProblem(http.StatusServiceUnavailable, "", "503: Service Unavailable: %s", reason(err))
	case errors.Is(err, store.ErrClosed), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		p = api.NewProblem(http.StatusServiceUnavailable, "", "503: Service Unavailable: the server is stopping or overloaded")
	default:
		s.log.Error("a request failed", "method", r.Method, "path", r.URL.Path, "request_id", requestOf(r).id, "error", err)
		p = api.NewProblem(http.StatusInternalServerError, "", "500: Internal Server Error: see the server's log")
	}
	return p.WithType(s.problemBase)
}

// reason is what a client is told of a database that does not answer: for a write, that nobody knows.
func reason(err error) error {
	if errors.Is(err, store.ErrUncertain) {
		return store.ErrUncertain
	}
	return store.ErrUnavailable
}

func tooLarge(limit, size int) *api.Problem {
	return api.NewProblem(http.StatusRequestEntityTooLarge, "",
		"Maximum request body size %d exceeded, actual body size %d", limit, size)
}
