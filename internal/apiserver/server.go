package apiserver

import (
	"cmp"
	"context"
	"hash/maphash"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/store"
)

// WireVersion is what GET / answers: the version of the reference whose wire this is.
const WireVersion = "1.0.1"

// Anonymous is the user of requests that nobody vouches for.
const Anonymous = "system:anonymous"

// Options say how the server behaves. The zero value of each field but Store is usable.
type Options struct {
	Store *store.Store
	Log   *slog.Logger
	// User is who all callers from outside are; Anonymous when empty.
	User string
	// ProblemBase is where the titles of problem documents are explained; the reference's page when empty.
	ProblemBase string
	// Origin is the web origin whose pages may read answers; none when empty, * for all.
	Origin string
	// AnyHost serves requests whatever their Host header says. Without it only loopback names are served, so that no
	// web page can reach the API by pointing a name of its own at this machine.
	AnyHost bool
	// Patience is how long the client of a watch may take nothing before it is cut off; 30 s when zero.
	Patience time.Duration
	// Now replaces the clock.
	Now func() time.Time
}

const defaultPatience = 30 * time.Second

// Server is the API as an http.Handler.
type Server struct {
	store       *store.Store
	log         *slog.Logger
	user        string
	problemBase string
	origin      string
	patience    time.Duration
	clock       func() time.Time
	handler     http.Handler
	turns       [256]sync.Mutex // see turn
	seed        maphash.Seed
}

// New returns the API over a store.
func New(o Options) *Server {
	s := &Server{store: o.Store, log: o.Log, user: o.User, problemBase: o.ProblemBase, origin: o.Origin, clock: o.Now,
		patience: cmp.Or(o.Patience, defaultPatience), seed: maphash.MakeSeed()}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.user == "" {
		s.user = Anonymous
	}
	if s.problemBase == "" {
		s.problemBase = api.DefaultProblemBase
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	s.handler = s.recovering(s.protected(o.AnyHost, http.HandlerFunc(s.serve)))
	return s
}

// ServeHTTP serves callers from outside the process.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// turn makes the writers of one object in this process wait for each other. Correctness does not rest on it: a transaction
// that comes too late, because another process wrote, is tried again. But of many writers at once some would be too
// late every time.
func (s *Server) turn(key string) (over func()) {
	m := &s.turns[maphash.String(s.seed, key)%uint64(len(s.turns))]
	m.Lock()
	return m.Unlock
}

func (s *Server) now() api.Time { return api.At(s.clock()) }

type userKey struct{}

// userOf returns who is calling.
func (s *Server) userOf(ctx context.Context) string {
	if user, ok := ctx.Value(userKey{}).(string); ok {
		return user
	}
	return s.user
}

// recovering turns a panic in one request into an answer to it.
func (s *Server) recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.log.Error("a request panicked", "method", r.Method, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
			s.fail(w, r, api.HTTPProblem(http.StatusInternalServerError))
		}()
		next.ServeHTTP(w, r)
	})
}
