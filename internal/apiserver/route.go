package apiserver

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rak-n-rok/krake/api"
)

// A target is what a path names: a kind's objects, one object, or something below it.
type target struct {
	kind      *api.Kind
	namespace string
	name      string // empty for the collection
	sub       string // a sub-resource, action or part; empty for the object itself
	question  string // asked beside the objects of the namespace; empty for the objects
}

// An operation answers a request to a target.
type operation func(s *Server, w http.ResponseWriter, r *http.Request, t target) error

// fixed are the paths beside the kinds.
var fixed = map[string]func(s *Server, w http.ResponseWriter, r *http.Request){
	"/": func(s *Server, w http.ResponseWriter, _ *http.Request) {
		s.answer(w, http.StatusOK, map[string]string{"version": WireVersion})
	},
	"/me": func(s *Server, w http.ResponseWriter, r *http.Request) {
		s.answer(w, http.StatusOK, map[string]any{"user": s.userOf(r.Context()), "roles": []string{}})
	},
	"/installation": (*Server).showInstallation,
	"/version":      (*Server).showVersion,
	"/openapi":      (*Server).showPage,
	"/openapi.json": (*Server).showDocument,
	"/snapshot":     (*Server).snapshot,
	"/healthz":      (*Server).live,
	"/readyz":       (*Server).ready,
	"/metrics":      func(s *Server, w http.ResponseWriter, r *http.Request) { s.metrics.handler.ServeHTTP(w, r) },
	"/release": func(s *Server, w http.ResponseWriter, _ *http.Request) {
		s.answer(w, http.StatusAccepted, "You released the Krake.")
	},
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if f, ok := fixed[r.URL.EscapedPath()]; ok {
		s.dispatch(w, r, map[string]http.HandlerFunc{http.MethodGet: func(w http.ResponseWriter, r *http.Request) { f(s, w, r) }})
		return
	}
	t, ok := match(r.URL.EscapedPath())
	if !ok {
		s.fail(w, r, api.HTTPProblem(http.StatusNotFound))
		return
	}
	methods := map[string]http.HandlerFunc{}
	for method, op := range operations(t) {
		methods[method] = func(w http.ResponseWriter, r *http.Request) {
			if err := op(s, w, r, t); err != nil {
				s.fail(w, r, err)
			}
		}
	}
	if len(methods) == 0 {
		s.fail(w, r, api.HTTPProblem(http.StatusNotFound))
		return
	}
	known := requestOf(r) // only now: whatever somebody asks for in vain is no name for a metric
	known.kind, known.sub, known.verb = t.kind.Name, cmp.Or(t.sub, t.question), verbOf(t, r.Method)
	for method, h := range methods {
		methods[method] = s.admitted(h)
	}
	s.dispatch(w, r, methods)
}

// dispatch calls the handler of the method; HEAD is GET without a body, which net/http leaves out by itself.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request, methods map[string]http.HandlerFunc) {
	if r.Method == http.MethodOptions {
		s.preflight(w, r)
		return
	}
	s.corsHeaders(w, r)
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if h, ok := methods[method]; ok {
		h(w, r)
		return
	}
	allowed := []string{http.MethodOptions}
	for m := range methods {
		allowed = append(allowed, m)
		if m == http.MethodGet {
			allowed = append(allowed, http.MethodHead)
		}
	}
	slices.Sort(allowed)
	w.Header().Set("Allow", strings.Join(allowed, ","))
	s.fail(w, r, api.HTTPProblem(http.StatusMethodNotAllowed))
}

// verbOf names what is done with a target, as permissions do.
func verbOf(t target, method string) string {
	switch method {
	case http.MethodGet, http.MethodHead:
		if t.name == "" {
			return "list"
		}
		return "get"
	case http.MethodPost:
		return "create"
	case http.MethodPut:
		return "update"
	case http.MethodPatch:
		return "patch"
	case http.MethodDelete:
		return "delete"
	}
	return "other"
}

// operations lists what can be done with a target, by method. None means that there is no such path.
func operations(t target) map[string]operation {
	switch {
	case t.question != "":
		return map[string]operation{http.MethodPost: (*Server).ask}
	case t.name == "" && t.kind.Namespaced && t.namespace == "":
		return map[string]operation{http.MethodGet: (*Server).listOrWatch}
	case t.name == "":
		return map[string]operation{http.MethodGet: (*Server).listOrWatch, http.MethodPost: (*Server).create}
	case t.sub == "":
		return map[string]operation{http.MethodGet: (*Server).get, http.MethodPut: (*Server).update,
			http.MethodPatch: (*Server).patch, http.MethodDelete: (*Server).remove}
	case t.sub == "status" && t.kind.Status:
		return map[string]operation{http.MethodPut: (*Server).updateStatus, http.MethodPatch: (*Server).patchStatus}
	case t.kind.Action(t.sub) != nil:
		return map[string]operation{http.MethodPut: (*Server).act}
	case t.kind.Part(t.sub) != nil:
		return map[string]operation{http.MethodGet: (*Server).getPart, http.MethodPut: (*Server).putPart}
	case t.kind.Passage(t.sub) != nil:
		methods := map[string]operation{http.MethodGet: (*Server).pass}
		if t.kind.Passage(t.sub).Body != nil {
			methods[http.MethodPost] = (*Server).pass
		}
		return methods
	}
	return nil
}

// match finds the kind of a path and takes its variables out. Paths are taken literally: no cleaning, no redirects.
func match(path string) (target, bool) {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, segment := range segments {
		text, err := url.PathUnescape(segment)
		if err != nil || text == "" {
			return target{}, false
		}
		segments[i] = text
	}
	group, rest := segments[0], segments[1:]
	namespace := ""
	namespaced := len(rest) >= 3 && rest[0] == "namespaces"
	if namespaced {
		namespace, rest = rest[1], rest[2:]
	}
	if len(rest) == 0 || len(rest) > 3 {
		return target{}, false
	}
	for _, k := range api.Kinds {
		if k.Group == group && namespaced && len(rest) == 1 && k.Question(rest[0]) != nil {
			return target{kind: k, namespace: namespace, question: rest[0]}, true
		}
		if k.Group != group || k.Plural != rest[0] {
			continue
		}
		if k.Namespaced != namespaced && (namespaced || len(rest) > 1) {
			return target{}, false
		}
		t := target{kind: k, namespace: namespace}
		if len(rest) > 1 {
			t.name = rest[1]
		}
		if len(rest) > 2 {
			t.sub = rest[2]
		}
		return t, true
	}
	return target{}, false
}

// valid says whether an object of these names can exist.
func (t target) valid() bool {
	return (t.namespace == "" || api.ValidName(t.namespace)) && (t.name == "" || api.ValidName(t.name))
}

func (t target) key() string { return t.kind.Key(t.namespace, t.name) }

func (t target) notFound() error {
	namespace := "None"
	if t.kind.Namespaced {
		namespace = "'" + t.namespace + "'"
	}
	return api.NewProblem(http.StatusNotFound, api.TitleNotFound, "'%s' '%s' does not exist in namespace %s",
		t.kind.Name, t.name, namespace)
}
