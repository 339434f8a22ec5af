package fleet

import (
	"log/slog"
	"net/http"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"github.com/rak-n-rok/krake/api"
)

// Member is a connection to one member cluster with the rights of one kubeconfig. It is safe for concurrent use.
type Member struct {
	fleet     *Fleet
	log       *slog.Logger
	way       way
	host      string
	namespace string

	config    *rest.Config
	http      *http.Client     // through gate and guard
	rest      *rest.RESTClient // over http
	bare      *rest.RESTClient // without them, for the guard's own question
	lasting   *rest.RESTClient // for streams, see newLasting
	transport *http.Transport
	streams   *http.Transport // of lasting
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
func newMember(f *Fleet, to way, kubeconfig api.Kubeconfig) (*Member, error) {
	a, err := readKubeconfig(kubeconfig)
	if err != nil {
		return nil, err
	}
	m := &Member{
		fleet: f, way: to, host: a.host, namespace: a.namespace, config: a.config,
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
	if m.lasting, m.streams, err = m.newLasting(); err != nil {
		return nil, err
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
	m.streams.CloseIdleConnections()
}

// Identity tells the cluster from all others, as it was read at first contact. It never changes: whatever is asked
// of a connection that turns out to lead elsewhere fails with *IdentityError.
func (m *Member) Identity() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.identity
}

// Host is the host name or address of the API server, by which node ports of the cluster are reached.
func (m *Member) Host() string { return m.host }

// Namespace is the namespace of objects that name none: that of the kubeconfig's context, else "default".
func (m *Member) Namespace() string { return m.namespace }
