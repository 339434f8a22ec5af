package fleet

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
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
	http      *http.Client
	rest      *rest.RESTClient
	transport *http.Transport
	gate      *gate
	dialer    *dialer
	mapper    *mapper
	observer  *observer

	used time.Time // guarded by the fleet

	verifying chan struct{} // a lock that can be waited for with a context
	mu        sync.Mutex
	identity  string
	verified  int64 // how many connections had been made when the identity was last read
}

// newMember prepares a connection. Nothing is sent.
func newMember(f *Fleet, hash string, kubeconfig api.Kubeconfig) (*Member, error) {
	a, err := readKubeconfig(kubeconfig)
	if err != nil {
		return nil, err
	}
	m := &Member{
		fleet: f, hash: hash, host: a.host, namespace: a.namespace, config: a.config,
		log:    f.options.Logger.With("cluster", a.host),
		dialer: &dialer{}, verifying: make(chan struct{}, 1),
	}
	if m.transport, err = newTransport(a.config, m.dialer, f.options.Timeout); err != nil {
		return nil, err
	}
	authenticated, err := rest.HTTPWrappersForConfig(a.config, m.transport)
	if err != nil {
		return nil, &KubeconfigError{"the credentials do not fit together"}
	}
	m.gate = &gate{next: authenticated, breaker: &breaker{now: f.now}}
	m.gate.limiter.Store(f.newLimiter())
	m.http = &http.Client{Transport: m.gate}
	if m.rest, err = newRESTClient(a.config, m.http); err != nil {
		return nil, &KubeconfigError{"the server's address cannot be used"}
	}
	if m.mapper, err = newMapper(m); err != nil {
		return nil, err
	}
	if m.observer, err = newObserver(m); err != nil {
		return nil, err
	}
	return m, nil
}

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

// Identity is the UID of the cluster's namespace kube-system, as it was read at first contact. It never changes: a
// connection that turns out to lead elsewhere answers with IdentityError from then on.
func (m *Member) Identity() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.identity
}

// Host is the host name or address of the API server, by which node ports of the cluster are reached.
func (m *Member) Host() string { return m.host }

// Namespace is the namespace of objects that name none: that of the kubeconfig's context, else "default".
func (m *Member) Namespace() string { return m.namespace }

// verify makes sure that the connection leads to the cluster that it is known to lead to. The identity is read when it
// never was, or when a new connection has been made since.
func (m *Member) verify(ctx context.Context) error {
	return m.identifyUnless(ctx, m.isVerified)
}

// reidentify reads the identity in any case.
func (m *Member) reidentify(ctx context.Context) error {
	return m.identifyUnless(ctx, func() bool { return false })
}

func (m *Member) identifyUnless(ctx context.Context, known func() bool) error {
	if known() {
		return nil
	}
	select {
	case m.verifying <- struct{}{}:
		defer func() { <-m.verifying }()
	case <-ctx.Done():
		return fmt.Errorf("waiting for the identity of the cluster: %w", ctx.Err())
	}
	if known() {
		return nil
	}
	return m.identify(ctx)
}

func (m *Member) isVerified() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.identity != "" && m.verified == m.dialer.made.Load()
}

// identify reads the identity. A connection that leads to another cluster than before is dropped.
func (m *Member) identify(ctx context.Context) error {
	found, err := m.readIdentity(ctx)
	if err != nil {
		return err
	}
	m.mu.Lock()
	known := m.identity
	if known == "" {
		m.identity = found
		m.gate.limiter.Store(m.fleet.limiter(found))
	}
	m.mu.Unlock()
	if known != "" && known != found {
		m.fleet.drop(m)
		return &IdentityError{Host: m.host, Known: known, Found: found}
	}
	return nil
}

// readIdentity reads the UID of the namespace kube-system, and notes which connections that holds for. Where the
// request itself had to make a connection, that one is among them.
func (m *Member) readIdentity(ctx context.Context) (string, error) {
	for range 3 {
		before := m.dialer.made.Load()
		system, err := m.getMeta(ctx, schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}, "", "kube-system")
		if err != nil {
			return "", answer(Key{Kind: "Namespace", Name: "kube-system"}, err)
		}
		if made := m.dialer.made.Load(); made == before {
			m.mu.Lock()
			m.verified = made
			m.mu.Unlock()
			return string(system.GetUID()), nil
		}
	}
	return "", &TransientError{Message: "the connections to the cluster do not last"}
}
