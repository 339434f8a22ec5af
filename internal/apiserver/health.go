package apiserver

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/openapi"
)

// readyWithin is how long the database may take to answer a server that calls itself ready.
const readyWithin = time.Second

// live is GET /healthz: the process serves requests.
func (s *Server) live(w http.ResponseWriter, _ *http.Request) {
	s.answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

// ready is GET /readyz: requests that need the database can be served.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyWithin)
	defer cancel()
	var problems []string
	if s.ending.Err() != nil {
		problems = append(problems, "the server is stopping")
	}
	// Nothing is stored under this key; the read waits for all that was written.
	if _, _, err := s.store.List(ctx, installationKey+"/"); err != nil {
		problems = append(problems, "the database does not answer: "+err.Error())
	} else if health, err := s.store.Health(ctx); err != nil {
		problems = append(problems, err.Error())
	} else if len(health.Alarms) > 0 {
		problems = append(problems, fmt.Sprintf("the database has raised %s, at %d of %d bytes", strings.Join(health.Alarms, ", "),
			health.Size, health.Quota))
	}
	if len(problems) > 0 {
		s.fail(w, r, api.NewProblem(http.StatusServiceUnavailable, "", "503: Service Unavailable: %s", strings.Join(problems, "; ")))
		return
	}
	s.answer(w, http.StatusOK, map[string]string{"status": "ready"})
}

// snapshot is GET /snapshot: a copy of the database, for krake snapshot save.
func (s *Server) snapshot(w http.ResponseWriter, r *http.Request) {
	requestOf(r).long = true
	w.Header().Set("Content-Type", "application/octet-stream")
	if r.Method == http.MethodHead {
		return
	}
	begun := &recorder{ResponseWriter: w, known: requestOf(r)}
	err := s.store.Snapshot(r.Context(), begun)
	switch {
	case err == nil:
	case begun.bytes == 0:
		s.fail(w, r, err)
	default: // the reader must not take what it has for all
		s.log.Error("a snapshot was cut off", "error", err)
		panic(http.ErrAbortHandler)
	}
}

// showDocument is GET /openapi.json.
func (s *Server) showDocument(w http.ResponseWriter, r *http.Request) {
	document, err := openapi.Document(s.version)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answerBytes(w, http.StatusOK, document)
}

// showPage is GET /openapi: the document for people. It may load nothing from elsewhere.
func (s *Server) showPage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'self' 'unsafe-inline'")
	_, _ = w.Write(openapi.Page)
}

// showVersion is GET /version.
func (s *Server) showVersion(w http.ResponseWriter, _ *http.Request) {
	s.answer(w, http.StatusOK, map[string]string{"version": s.version, "wire": WireVersion, "go": runtime.Version()})
}
