package fleet

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"

	"k8s.io/client-go/rest"
)

// A tunnel is a connection to the cluster for one stream that goes both ways. What is sent there cannot be withheld, as the
// guard does with bodies: a command is in the address. So the identity of the cluster is read first, over the one
// connection that there will ever be.
type tunnel struct {
	authenticated http.RoundTripper // over transport
	transport     *http.Transport
}

// RoundTrip sends a request. The transport would have one for a WebSocket begin with another connection; it does not look
// for the header in this spelling, which means the same.
func (t *tunnel) RoundTrip(r *http.Request) (*http.Response, error) {
	if upgrade := r.Header.Values("Upgrade"); len(upgrade) > 0 {
		r = r.Clone(r.Context())
		r.Header.Del("Upgrade")
		r.Header["upgrade"] = upgrade
	}
	return t.authenticated.RoundTrip(r)
}

// errSecondConnection says that the cluster has closed the connection of which it was known where it leads.
var errSecondConnection = errors.New("the connection to the cluster did not last")

// tunnel makes one.
func (m *Member) tunnel(ctx context.Context) (*tunnel, error) {
	d := &dialer{}
	transport, err := newTransport(m.config, d, m.fleet.options.Timeout)
	if err != nil {
		return nil, err
	}
	var identified atomic.Bool
	transport.ForceAttemptHTTP2 = false // there are no upgrades in HTTP/2
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if identified.Load() {
			return nil, errSecondConnection
		}
		return d.dial(ctx, network, address)
	}
	authenticated, err := rest.HTTPWrappersForConfig(m.config, transport)
	if err != nil {
		return nil, &KubeconfigError{"the credentials do not fit together"}
	}
	t := &tunnel{authenticated, transport}
	if err := m.identifyTunnel(ctx, t); err != nil {
		t.close()
		return nil, err
	}
	identified.Store(true)
	return t, nil
}

func (m *Member) identifyTunnel(ctx context.Context, t *tunnel) error {
	client, err := newRESTClient(m.config, &http.Client{Transport: t})
	if err != nil {
		return errAddress
	}
	ctx, cancel := context.WithTimeout(ctx, m.fleet.options.Timeout)
	defer cancel()
	live, _, err := readAnswer(ctx, client.Get().AbsPath(pathOf(namespaces, "", m.way.anchor)...).SetHeader("Accept", metaOnly))
	if err != nil {
		return answer(Key{Kind: "Namespace", Name: m.way.anchor}, m.unidentified(err))
	}
	return m.settle(string(live.GetUID()))
}

// close ends the connection, unless a stream has taken it over.
func (t *tunnel) close() { t.transport.CloseIdleConnections() }

// address is the URL of something about a pod.
func (m *Member) address(p Pod, sub string, parameters map[string][]string) string {
	request := m.rest.Get().AbsPath(pathOf(podsResource, p.Namespace, p.Name)...).Suffix(sub)
	for name, values := range parameters {
		for _, value := range values {
			request = request.Param(name, value)
		}
	}
	return request.URL().String()
}

// keyOfPod names a pod in errors.
func keyOfPod(p Pod) Key { return Key{Kind: "Pod", Namespace: p.Namespace, Name: p.Name} }
