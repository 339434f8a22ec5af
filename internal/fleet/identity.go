package fleet

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
)

// The identity of a cluster is the UID of its namespace kube-system: every cluster has that namespace, and it is never
// made anew. A user with rights in a few namespaces only may not read it; then the identity is "NAMESPACE:UID" of the
// namespace that the kubeconfig's context names. Both are of one cluster alone. A cluster that is known by the one is
// never asked for the other: rights that come or go change no identity.
const system = "kube-system"

// way is how a cluster is reached and recognised.
type way struct {
	hash   string // of the kubeconfig
	anchor string // the namespace whose UID is read
}

// anchorOf is the namespace by which a cluster of this identity is recognised.
func anchorOf(identity string) string {
	if namespace, _, ok := strings.Cut(identity, ":"); ok {
		return namespace
	}
	return system
}

func identityOf(anchor, uid string) string {
	if anchor == system {
		return uid
	}
	return anchor + ":" + uid
}

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
	live, err := m.getMeta(ctx, namespaces, "", m.way.anchor)
	if err != nil {
		return answer(Key{Kind: "Namespace", Name: m.way.anchor}, m.unidentified(err))
	}
	return m.settle(string(live.GetUID()))
}

// identify asks for the identity over whatever connection there is, and vouches for that one. It is what the guard does
// with new connections.
func (m *Member) identify(ctx context.Context) error { return m.identifyOver(ctx, m.guard, m.bare) }

// identifyOver does so for a guard and the client without it.
func (m *Member) identifyOver(ctx context.Context, g *guard, bare *rest.RESTClient) error {
	var used atomic.Pointer[conn]
	ctx, cancel := context.WithTimeout(traced(ctx, &used), m.fleet.options.Timeout)
	defer cancel()
	request := bare.Get().AbsPath(pathOf(namespaces, "", m.way.anchor)...).SetHeader("Accept", metaOnly)
	round := g.round.Load()
	live, _, err := readAnswer(ctx, request)
	if err != nil {
		return m.unidentified(err)
	}
	if err := m.settle(string(live.GetUID())); err != nil {
		return err
	}
	if c := used.Load(); c != nil {
		c.vouched.Store(round) // not the present one: distrust may have come meanwhile
	}
	return nil
}

// settle compares an identity that was read with the one that is known. A connection that leads to another cluster is
// dropped, and trusts no one from then on.
func (m *Member) settle(uid string) error {
	found := identityOf(m.way.anchor, uid)
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
func (m *Member) unidentified(err error) error {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return err
	}
	return &TransientError{Message: "the cluster does not tell its identity: " + err.Error() + remedy(err), cause: err}
}
