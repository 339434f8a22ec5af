package apiserver

import (
	"net/http"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
)

// A Passage answers requests to a sub-resource that leads beyond the API, such as the log of an application. The object is
// as it is stored, and must not be changed; the body is what the table of kinds says of one, nil for a GET. The context of
// the request ends when the server stops. An error is told as that of any other request, as long as nothing was answered.
type Passage func(w http.ResponseWriter, r *http.Request, object api.Resource, body any) error

// Mount has requests to sub-resources answered by passages, by their permissions, such as applications/log. It must be
// called before the server serves.
func (s *Server) Mount(passages map[string]Passage) { s.passages = passages }

// pass is a request to a passage.
func (s *Server) pass(w http.ResponseWriter, r *http.Request, t target) error {
	passage := s.passages[t.kind.Permission(t.sub)]
	if passage == nil {
		return api.NewProblem(http.StatusNotImplemented, "", "501: Not Implemented: this server has no way to clusters")
	}
	body, err := s.passageBody(w, r, t)
	if err != nil {
		return err
	}
	object, err := s.load(r.Context(), t)
	if err != nil {
		return err
	}
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK)
		return nil
	}
	known, client := requestOf(r), s.clientOf(r)
	known.long = true
	known.release() // what answers asks the API itself
	if !s.passing.add(client, s.limits.Passages) {
		return tooMany("%d ways to clusters are open for you", s.limits.Passages)
	}
	defer s.passing.remove(client)
	ctx, cancel := s.untilStop(r.Context())
	defer cancel()
	return passage(w, r.WithContext(ctx), object.Resource, body)
}

// passageBody reads the document of a POST.
func (s *Server) passageBody(w http.ResponseWriter, r *http.Request, t target) (any, error) {
	if r.Method != http.MethodPost {
		return nil, nil
	}
	into := t.kind.Passage(t.sub).Body()
	b, err := readBody(w, r, maxUpdate, keysOf(into))
	if err != nil {
		return nil, err
	}
	return into, wire.Decode(b.tree(), into, wire.Create)
}
