package fleet

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/rak-n-rok/krake/api"
)

// Options are the settings of a Fleet. The zero value is usable.
type Options struct {
	// Timeout ends every single request to a cluster; default 30 seconds.
	Timeout time.Duration
	// QPS and Burst limit the requests per second to one cluster, however many connections lead there; default 50 and
	// 100. The cluster's own priority and fairness does the rest.
	QPS   float64
	Burst int
	// Parallel is how many objects of one wave are worked on at once; default 8.
	Parallel int
	// Idle is how long a connection is kept that nobody asks for; default 15 minutes. Its informers end with it.
	Idle time.Duration
	// OnChange is told when an object that carries an application's label was created, changed or deleted on the
	// cluster of this identity. It is called by informers and must return at once.
	OnChange func(identity, appUID string)
	// Logger is where informers say what hinders them; default slog.Default().
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.QPS <= 0 {
		o.QPS = 50
	}
	if o.Burst <= 0 {
		o.Burst = int(2 * o.QPS)
	}
	if o.Parallel <= 0 {
		o.Parallel = 8
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

// Fleet holds one connection for each kubeconfig that is in use. Connections that lead to the same cluster share its
// rate limit; they do not share credentials, and so neither transports nor informers, because what one user may see
// need not be what another may.
type Fleet struct {
	options Options
	now     func() time.Time

	mu       sync.Mutex
	closed   bool
	members  map[string]*Member       // by hash of the kubeconfig
	limiters map[string]*rate.Limiter // by identity
}

// New makes a fleet without connections.
func New(options Options) *Fleet {
	return &Fleet{
		options: options.withDefaults(), now: time.Now,
		members: map[string]*Member{}, limiters: map[string]*rate.Limiter{},
	}
}

// Close ends all connections and their informers, and waits for these.
func (f *Fleet) Close() {
	f.mu.Lock()
	f.closed = true
	members := f.members
	f.members = map[string]*Member{}
	f.mu.Unlock()
	for _, m := range members {
		m.close()
	}
}

// errClosed is what a closed fleet says.
var errClosed = errors.New("the connections to clusters have been closed")

// Member returns the connection that a kubeconfig leads to. At first contact, and whenever a new connection had to be
// made since, the identity of the cluster is read. The caller compares it with what it knows: a kubeconfig may lead to
// another cluster than before.
func (f *Fleet) Member(ctx context.Context, kubeconfig api.Kubeconfig) (*Member, error) {
	m, err := f.connection(kubeconfig)
	if err != nil {
		return nil, err
	}
	err = m.verify(ctx)
	var other *IdentityError
	if errors.As(err, &other) { // which has dropped the connection
		if m, err = f.connection(kubeconfig); err != nil {
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
func (f *Fleet) connection(kubeconfig api.Kubeconfig) (*Member, error) {
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
	m := f.members[hash]
	if m == nil {
		if m, err = newMember(f, hash, kubeconfig); err != nil {
			return nil, err
		}
		f.members[hash] = m
	}
	m.used = f.now()
	return m, nil
}

// sweep ends connections that nobody asks for: the kubeconfig was replaced, or the cluster's record is gone.
func (f *Fleet) sweep() {
	for hash, m := range f.members {
		if f.now().Sub(m.used) > f.options.Idle {
			delete(f.members, hash)
			m.stop()
		}
	}
}

// drop ends a connection that leads elsewhere than it did.
func (f *Fleet) drop(m *Member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.members[m.hash] == m {
		delete(f.members, m.hash)
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
