package fleet

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"github.com/rak-n-rok/krake/api"
)

// Member is a connection to one member cluster with the rights of one kubeconfig. It is safe for concurrent use.
type Member struct {
	fleet     *Fleet
	log       *slog.Logger
	hash      string
	host      string
	namespace string

	config    *rest.Config
	http      *http.Client     // through gate and guard
	rest      *rest.RESTClient // over http
	bare      *rest.RESTClient // without them, for the guard's own question
	transport *http.Transport
	gate      *gate
	guard     *guard
	dialer    *dialer
	mapper    *mapper
	observer  *observer

	used time.Time // guarded by the fleet

	mu       sync.Mutex
	identity string
	verified int64 // how many connections had been made when Fleet.Member last made sure of the identity
}

// newMember prepares a connection. Nothing is sent.
func newMember(f *Fleet, hash string, kubeconfig api.Kubeconfig) (*Member, error) {
	a, err := readKubeconfig(kubeconfig)
	if err != nil {
		return nil, err
	}
	m := &Member{
		fleet: f, hash: hash, host: a.host, namespace: a.namespace, config: a.config,
		log: f.options.Logger.With("cluster", a.host), dialer: &dialer{},
	}
	if m.transport, err = newTransport(a.config, m.dialer, f.options.Timeout); err != nil {
		return nil, err
	}
	authenticated, err := rest.HTTPWrappersForConfig(a.config, m.transport)
	if err != nil {
		return nil, &KubeconfigError{"the credentials do not fit together"}
	}
	m.guard = &guard{next: authenticated, identify: m.identify}
	m.guard.distrust()
	m.gate = &gate{next: m.guard, breaker: &breaker{now: f.now}}
	m.gate.limiter.Store(f.newLimiter())
	m.http = &http.Client{Transport: m.gate}
	if m.rest, err = newRESTClient(a.config, m.http); err != nil {
		return nil, errAddress
	}
	if m.bare, err = newRESTClient(a.config, &http.Client{Transport: authenticated}); err != nil {
		return nil, errAddress
	}
	m.mapper = newMapper(m)
	if m.observer, err = newObserver(m); err != nil {
		return nil, err
	}
	return m, nil
}

var errAddress = &KubeconfigError{"the server's address cannot be used"}

// stop ends the informers without waiting for them; requests that are under way finish.
func (m *Member) stop() {
	m.observer.stop()
	m.transport.CloseIdleConnections()
}

// close ends the informers and waits for them.
func (m *Member) close() {
	m.stop()
	m.observer.wait()
}

// Identity is the UID of the cluster's namespace kube-system, as it was read at first contact. It never changes:
// whatever is asked of a connection that turns out to lead elsewhere fails with *IdentityError.
func (m *Member) Identity() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.identity
}

// Host is the host name or address of the API server, by which node ports of the cluster are reached.
func (m *Member) Host() string { return m.host }

// Namespace is the namespace of objects that name none: that of the kubeconfig's context, else "default".
func (m *Member) Namespace() string { return m.namespace }

// verify asks for the identity if a connection was made since that was last done.
func (m *Member) verify(ctx context.Context) error {
	made := m.dialer.made.Load()
	m.mu.Lock()
	known := m.identity != "" && m.verified == made
	m.mu.Unlock()
	if known {
		return nil
	}
	if err := m.reidentify(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.verified = made
	return nil
}

// reidentify asks for the identity in any case. Also where each request may be sent on to another cluster, behind
// connections that last, this notices.
func (m *Member) reidentify(ctx context.Context) error {
	system, err := m.getMeta(ctx, namespaces, "", "kube-system")
	if err != nil {
		return answer(systemNamespace, unidentified(err))
	}
	return m.settle(string(system.GetUID()))
}

// identify asks for the identity over whatever connection there is, and vouches for that one. It is what the guard does
// with new connections.
func (m *Member) identify(ctx context.Context) error {
	var used atomic.Pointer[conn]
	ctx, cancel := context.WithTimeout(traced(ctx, &used), m.fleet.options.Timeout)
	defer cancel()
	request := m.bare.Get().AbsPath(pathOf(namespaces, "", "kube-system")...).SetHeader("Accept", metaOnly)
	round := m.guard.round.Load()
	system, _, err := readAnswer(ctx, request)
	if err != nil {
		return unidentified(err)
	}
	if err := m.settle(string(system.GetUID())); err != nil {
		return err
	}
	if c := used.Load(); c != nil {
		c.vouched.Store(round) // not the present one: distrust may have come meanwhile
	}
	return nil
}

// settle compares an identity that was read with the one that is known. A connection that leads to another cluster is
// dropped, and trusts no one from then on.
func (m *Member) settle(found string) error {
	m.mu.Lock()
	if m.identity == "" {
		m.identity = found
		m.gate.limiter.Store(m.fleet.limiter(found))
	}
	known := m.identity
	m.mu.Unlock()
	if known == found {
		return nil
	}
	m.guard.distrust()
	m.fleet.drop(m)
	return &IdentityError{Host: m.host, Known: known, Found: found}
}

// unidentified is the error of a cluster that does not tell its identity. What that comes from has nothing to do with
// any manifest, so it is never final.
func unidentified(err error) error {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return err
	}
	t := &TransientError{Message: "the cluster does not tell its identity: " + err.Error(), cause: err}
	if apierrors.IsForbidden(err) {
		t.Message += " (the right to get the namespace kube-system is needed)"
	}
	return t
}
