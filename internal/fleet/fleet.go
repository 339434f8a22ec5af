package fleet

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rak-n-rok/krake/api"
)

// Options are the settings of a Fleet. The zero value is usable.
type Options struct {
	// Timeout ends every single request to a cluster; default 30 seconds.
	Timeout time.Duration
	// QPS and Burst limit the requests per second to one cluster, however many connections lead there; default 1000
	// and 2000, which no cluster answers: what it can take, it says by its own priority and fairness, with 429.
	QPS   float64
	Burst int
	// Parallel is how many objects of one wave are worked on at once; default 8.
	Parallel int
	// Poll is how often objects are read one by one where the user may neither list nor watch them; default 5 seconds.
	Poll time.Duration
	// Idle is how long a connection is kept that nobody asks for; default 15 minutes. Its informers end with it.
	Idle time.Duration
	// OnChange is told when an object that carries an application's label was created, changed or deleted on the
	// cluster of this identity. It is called by informers and must return at once.
	OnChange func(identity, appUID string)
	// MayWrite is asked right before every request that changes something on a cluster; an error keeps it from being sent.
	MayWrite func(ctx context.Context) error
	// Logger is where informers say what hinders them; default slog.Default().
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.MayWrite == nil {
		o.MayWrite = func(context.Context) error { return nil }
	}
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.QPS <= 0 {
		o.QPS = 1000
	}
	if o.Burst <= 0 {
		o.Burst = int(2 * o.QPS)
	}
	if o.Parallel <= 0 {
		o.Parallel = 8
	}
	if o.Poll <= 0 {
		o.Poll = 5 * time.Second
	}
	if o.Idle <= 0 {
		o.Idle = 15 * time.Minute
	}
	if o.OnChange == nil {
		o.OnChange = func(string, string) {}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Fleet holds one connection for each kubeconfig that is in use, and for each way to tell the identity of its cluster. Connections that lead to the same cluster share its
// rate limit; they do not share credentials, and so neither transports nor informers, because what one user may see
// need not be what another may.
type Fleet struct {
	options Options
	now     func() time.Time

	mu       sync.Mutex
	closed   bool
	members  map[way]*Member
	limiters map[string]*rate.Limiter // by identity
}

// New makes a fleet without connections.
func New(options Options) *Fleet {
	return &Fleet{
		options: options.withDefaults(), now: time.Now,
		members: map[way]*Member{}, limiters: map[string]*rate.Limiter{},
	}
}

// closeWithin is how long Close waits for informers. One that pauses because its cluster does not answer ends by itself
// after its pause, of up to half a minute, which cannot be cut short.
const closeWithin = time.Second

// Close ends all connections and their informers, and waits a moment for these. OnChange is not called any more.
func (f *Fleet) Close() {
	f.mu.Lock()
	f.closed = true
	members := f.members
	f.members = map[way]*Member{}
	f.mu.Unlock()
	for _, m := range members {
		m.stop()
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for _, m := range members {
			m.observer.wait()
		}
	}()
	select {
	case <-ended:
	case <-time.After(closeWithin):
	}
}

// errClosed is what a closed fleet says.
var errClosed = errors.New("the connections to clusters have been closed")

// Member returns the connection that a kubeconfig leads to, of whose cluster nothing is known yet. At first contact, and
// whenever a new connection had to be made since, the identity of the cluster is read.
func (f *Fleet) Member(ctx context.Context, kubeconfig api.Kubeconfig) (*Member, error) {
	m, err := f.member(ctx, kubeconfig, system)
	if !apierrors.IsForbidden(err) {
		return m, err
	}
	a, unreadable := readKubeconfig(kubeconfig)
	if unreadable != nil {
		return nil, unreadable
	}
	return f.member(ctx, kubeconfig, a.namespace)
}

// MemberOf is Member for a cluster whose identity is known: it is read in the way of then, whatever the user may read by
// now. The caller compares what was read with what it knows: a kubeconfig may lead to another cluster than before.
func (f *Fleet) MemberOf(ctx context.Context, kubeconfig api.Kubeconfig, identity string) (*Member, error) {
	if identity == "" {
		return f.Member(ctx, kubeconfig)
	}
	return f.member(ctx, kubeconfig, anchorOf(identity))
}

func (f *Fleet) member(ctx context.Context, kubeconfig api.Kubeconfig, anchor string) (*Member, error) {
	m, err := f.connection(kubeconfig, anchor)
	if err != nil {
		return nil, err
	}
	err = m.verify(ctx)
	var other *IdentityError
	if errors.As(err, &other) { // which has dropped the connection
		if m, err = f.connection(kubeconfig, anchor); err != nil {
			return nil, err
		}
		err = m.verify(ctx)
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

// connection finds or makes the connection for a kubeconfig, without speaking to the cluster.
func (f *Fleet) connection(kubeconfig api.Kubeconfig, anchor string) (*Member, error) {
	hash, err := hashKubeconfig(kubeconfig)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, errClosed
	}
	f.sweep()
	to := way{hash, anchor}
	m := f.members[to]
	if m == nil {
		if m, err = newMember(f, to, kubeconfig); err != nil {
			return nil, err
		}
		f.members[to] = m
	}
	m.used = f.now()
	return m, nil
}

// sweep ends connections that nobody asks for: the kubeconfig was replaced, or the cluster's record is gone.
func (f *Fleet) sweep() {
	for to, m := range f.members {
		if f.now().Sub(m.used) > f.options.Idle {
			delete(f.members, to)
			m.stop()
		}
	}
}

// drop ends a connection that leads elsewhere than it did.
func (f *Fleet) drop(m *Member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.members[m.way] == m {
		delete(f.members, m.way)
	}
	m.stop()
}

// limiter returns the rate limit of the cluster of this identity.
func (f *Fleet) limiter(identity string) *rate.Limiter {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.limiters[identity]
	if l == nil {
		l = f.newLimiter()
		f.limiters[identity] = l
	}
	return l
}

func (f *Fleet) newLimiter() *rate.Limiter {
	return rate.NewLimiter(rate.Limit(f.options.QPS), f.options.Burst)
}
