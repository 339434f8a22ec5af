package apiserver

import (
	"cmp"
	"context"
	"hash/maphash"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/fairness"
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
	Limits   Limits
	// Checks are the rules of kinds for which package api would need more than it imports. One is asked about an object that
	// is well-formed, and what is stored in its place, nil if nothing is; its error is a *wire.Errors.
	Checks map[*api.Kind]func(next, stored api.Resource) error
	// Version is that of this program.
	Version string
	// Registry is what GET /metrics shows, the server's own metrics included; a new one when nil.
	Registry *prometheus.Registry
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
	version     string
	checks      map[*api.Kind]func(next, stored api.Resource) error
	metrics     *metrics
	limits      Limits
	gate        *fairness.Gate
	watching    tally
	passages    map[string]Passage // by permission, such as applications/log
	passing     tally
	answers     map[string]Answer // by question
	ending      context.Context   // ends with Stop
	end         context.CancelFunc
	streams     atomic.Int64    // open watches
	handler     http.Handler    // for callers from outside
	inside      http.Handler    // for callers in this process
	turns       [256]sync.Mutex // see turn
	seed        maphash.Seed
}

// New returns the API over a store.
func New(o Options) *Server {
	s := &Server{store: o.Store, log: o.Log, user: o.User, problemBase: o.ProblemBase, origin: o.Origin, clock: o.Now, checks: o.Checks,
		patience: cmp.Or(o.Patience, defaultPatience), seed: maphash.MakeSeed(), version: cmp.Or(o.Version, "dev")}
	s.limits = o.Limits.withDefaults()
	s.gate = fairness.New(fairness.Limits{AtWork: s.limits.AtWork, Share: max(1, s.limits.AtWork*3/4),
		Crowd: max(1, s.limits.AtWork/8), Long: longLine, Waiting: s.limits.Waiting})
	s.watching.n, s.passing.n = map[fairness.Client]int{}, map[fairness.Client]int{}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	s.metrics = newMetrics(o.Registry, s.store, s.gate)
	s.ending, s.end = context.WithCancel(context.Background())
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
	s.inside = s.observed(s.recovering(http.HandlerFunc(s.serve)))
	s.handler = s.observed(s.recovering(s.protected(o.AnyHost, http.HandlerFunc(s.serve))))
	return s
}

// ServeHTTP serves callers from outside the process.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Stop ends watches, with a last cursor for those that can be resumed, and whatever else waits on purpose; /readyz says
// that this server is to get no more requests. What it gets is served all the same.
func (s *Server) Stop() { s.end() }

// untilStop returns a context for what waits on purpose.
func (s *Server) untilStop(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.ending, cancel)
	return ctx, func() { stop(); cancel() }
}

// turn makes the writers of one object in this process wait for each other. Correctness does not rest on it: a transaction
// that comes too late, because another process wrote, is tried again. But of many writers at once some would be too
// late every time.
func (s *Server) turn(key string) (over func()) {
	m := &s.turns[maphash.String(s.seed, key)%uint64(len(s.turns))]
	m.Lock()
	return m.Unlock
}

// check asks the rules of a kind that package api does not hold itself.
func (s *Server) check(k *api.Kind, next, stored api.Resource) error {
	if check := s.checks[k]; check != nil {
		return check(next, stored)
	}
	return nil
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
			s.log.Error("a request panicked", "method", r.Method, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()),
				"request_id", requestOf(r).id)
			s.fail(w, r, api.HTTPProblem(http.StatusInternalServerError))
		}()
		next.ServeHTTP(w, r)
	})
}
