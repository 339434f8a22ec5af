package apiserver

import (
	"context"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/rak-n-rok/krake/api"
)

// slowRequest is how long a request may take before the log mentions it. Those that wait on purpose are left out.
const slowRequest = time.Second

// A request is what is known of one while it is served: for the log and for the metrics.
type request struct {
	id   string
	kind string // of the objects, empty for paths that are not about any
	verb string // what is done with them
	sub  string // the sub-resource
	long bool   // it waits on purpose
	// release gives the place back that the request has among those at work. It may be called more than once.
	release func()
}

type requestKey struct{}

// requestOf returns what is known of a request; what handlers find out is added to it.
func requestOf(r *http.Request) *request {
	if known, ok := r.Context().Value(requestKey{}).(*request); ok {
		return known
	}
	return &request{release: func() {}}
}

var requestID = regexp.MustCompile(`\A[A-Za-z0-9._:-]{1,64}\z`)

// observed gives a request its name, counts it and logs what is worth it: answers that old clients expect, such as 404
// or 409, are nothing to worry about.
func (s *Server) observed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		known := &request{id: r.Header.Get(api.RequestIDHeader), verb: "other", release: func() {}}
		if !requestID.MatchString(known.id) {
			known.id = uuid.NewString()
		}
		w.Header().Set(api.RequestIDHeader, known.id)
		out := &recorder{ResponseWriter: w, known: known}
		ctx, span := beginTrace(r)
		r = r.WithContext(context.WithValue(ctx, requestKey{}, known))
		started := time.Now()
		s.metrics.inFlight.Inc()
		defer func() {
			s.metrics.inFlight.Dec()
			took := time.Since(started)
			s.metrics.observe(known, out.code(), took)
			s.logRequest(r, known, out, took)
			endTrace(span, known, s.userOf(r.Context()), out.code())
		}()
		next.ServeHTTP(out, r)
	})
}

func (s *Server) logRequest(r *http.Request, known *request, out *recorder, took time.Duration) {
	level := slog.LevelDebug
	switch {
	case r.Context().Err() != nil: // nobody waits for the answer any more
	case out.code() >= http.StatusInternalServerError:
		level = slog.LevelWarn // what is the matter was logged as an error
	case took > slowRequest && !known.long:
		level = slog.LevelWarn
	}
	if !s.log.Enabled(r.Context(), level) {
		return
	}
	s.log.Log(r.Context(), level, "request", "method", r.Method, "path", r.URL.Path, "status", out.code(), "bytes", out.bytes,
		"took", took.Round(time.Microsecond), "user", s.userOf(r.Context()), "agent", r.UserAgent(), "remote", r.RemoteAddr,
		"request_id", known.id)
}

// A recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	known  *request
	status int
	bytes  int64
}

// WriteHeader begins the answer. The work is done then: who takes the answer slowly keeps no place from others, and is cut
// off when it is too slow.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
		r.known.release()
		if !r.known.long { // a watch has a deadline of its own for every line
			size, _ := strconv.ParseInt(r.Header().Get("Content-Length"), 10, 64) // 0 if it is not known
			_ = http.NewResponseController(r.ResponseWriter).SetWriteDeadline(time.Now().Add(answerPatience + atMinimalRate(size)))
		}
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(data []byte) (int, error) {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
	n, err := r.ResponseWriter.Write(data)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController find what the writer below can do.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) code() int {
	if r.status == 0 {
		return http.StatusOK
	}
	return r.status
}
