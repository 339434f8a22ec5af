package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
)

// mapper knows where a cluster serves which kind. What it knows is read once, and again when a kind is not found: kinds
// come with custom resource definitions at any time.
type mapper struct {
	client *discovery.DiscoveryClient

	mu    sync.Mutex
	known *kinds
}

// kinds is what a cluster serves at one time.
type kinds struct {
	served map[schema.GroupVersionKind]mapping
	// unknown are the groups and versions that should be there and did not answer, such as those of an extension
	// server that is down.
	unknown map[schema.GroupVersion]error
}

// mapping is where a kind is served.
type mapping struct {
	resource   schema.GroupVersionResource
	namespaced bool
}

// errNoKind says that the cluster does not serve a kind.
var errNoKind = errors.New("the cluster does not know the kind")

// errNoKubernetes tells a proxy that has lost its cluster from a cluster that serves nothing: objects of kinds that are
// not served count as gone.
var errNoKubernetes = errors.New("what answers there is not the API of Kubernetes")

func newMapper(m *Member) (*mapper, error) {
	client, err := discovery.NewDiscoveryClientForConfigAndClient(m.config, m.http)
	if err != nil {
		return nil, errAddress
	}
	return &mapper{client: client}, nil
}

// lookup is one piece of work's view of the kinds: it reads them anew at most once.
type lookup struct {
	mapper *mapper
	before *kinds // what was known before they were read anew
}

// find returns where a kind is served, errNoKind when it is not.
func (l *lookup) find(ctx context.Context, kind schema.GroupVersionKind) (mapping, error) {
	known, err := l.mapper.current(ctx, l.before)
	if err != nil {
		return mapping{}, err
	}
	found, err := known.find(kind)
	if errors.Is(err, errNoKind) && l.before == nil {
		l.before = known
		return l.find(ctx, kind)
	}
	return found, err
}

func (k *kinds) find(kind schema.GroupVersionKind) (mapping, error) {
	if found, ok := k.served[kind]; ok {
		return found, nil
	}
	if cause := k.unknown[kind.GroupVersion()]; cause != nil {
		message := fmt.Sprintf("the cluster cannot say what is in %s now: %v", kind.GroupVersion(), cause)
		return mapping{}, &TransientError{Message: message, cause: cause}
	}
	return mapping{}, errNoKind
}

// current returns what the cluster serves, newer than the given.
func (m *mapper) current(ctx context.Context, than *kinds) (*kinds, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known != nil && m.known != than {
		return m.known, nil
	}
	if err := ctx.Err(); err != nil { // discovery itself knows no context; the transport bounds it
		return nil, err
	}
	fresh, err := m.read()
	if err != nil {
		return nil, answer(Key{Kind: "the list of kinds"}, err)
	}
	m.known = fresh
	return fresh, nil
}

// forget makes the next look-up read anew.
func (m *mapper) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known = nil
}

func (m *mapper) read() (*kinds, error) {
	_, lists, err := m.client.ServerGroupsAndResources()
	unknown, partial := discovery.GroupDiscoveryFailedErrorGroups(err)
	if err != nil && !partial {
		return nil, err
	}
	k := &kinds{served: map[schema.GroupVersionKind]mapping{}, unknown: unknown}
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			continue
		}
		for _, r := range list.APIResources {
			if strings.Contains(r.Name, "/") {
				continue // a part of objects, such as their status
			}
			if kind := version.WithKind(r.Kind); k.served[kind].resource.Empty() {
				k.served[kind] = mapping{version.WithResource(r.Name), r.Namespaced}
			}
		}
	}
	if k.served[schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}].resource.Empty() {
		return nil, errNoKubernetes
	}
	return k, nil
}
