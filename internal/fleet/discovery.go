package fleet

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
)

// mapper knows where a cluster serves which kind. What it knows is read once, and again when a kind is not found: kinds
// come with custom resource definitions at any time.
type mapper struct {
	config  *rest.Config
	next    http.RoundTripper
	timeout time.Duration // for all of a reading

	reading chan struct{} // holds an element while somebody reads
	known   atomic.Pointer[kinds]
}

// kinds is what a cluster serves at one time.
type kinds struct {
	served map[schema.GroupVersionKind]mapping
	// any is where a kind is served in the version that the cluster names first.
	any map[schema.GroupKind]mapping
	// unknown are the groups and versions that should be there and did not answer, such as those of an extension
	// server that is down.
	unknown map[schema.GroupVersion]error
}

func newKinds(unknown map[schema.GroupVersion]error) *kinds {
	return &kinds{served: map[schema.GroupVersionKind]mapping{}, any: map[schema.GroupKind]mapping{}, unknown: unknown}
}

// add notes where a kind is served. Of several resources with the same kind the first counts whose objects are kept.
func (k *kinds) add(groupVersion string, r metav1.APIResource) {
	version, err := schema.ParseGroupVersion(groupVersion)
	if err != nil || strings.Contains(r.Name, "/") {
		return // a part of objects, such as their status
	}
	passing := slices.ContainsFunc(keepable, func(verb string) bool { return !slices.Contains(r.Verbs, verb) })
	where, kind := mapping{version.WithResource(r.Name), r.Namespaced, passing}, version.WithKind(r.Kind)
	if known, ok := k.served[kind]; !ok || known.passing && !passing {
		k.served[kind] = where
	}
	if known, ok := k.any[kind.GroupKind()]; !ok || known.passing && !passing {
		k.any[kind.GroupKind()] = where
	}
}

// mapping is where a kind is served.
type mapping struct {
	resource   schema.GroupVersionResource
	namespaced bool
	// passing says that its objects are not kept: they are requests that the cluster answers, such as a TokenReview.
	passing bool
}

// keepable is what has to be possible with an object that is to be kept on a cluster.
var keepable = metav1.Verbs{"get", "patch", "delete"}

// errNoKind says that the cluster does not serve a kind.
var errNoKind = errors.New("the cluster does not know the kind")

// errNoKubernetes tells a proxy that has lost its cluster from a cluster that serves nothing: objects of kinds that are
// not served count as gone.
var errNoKubernetes = errors.New("what answers there is not the API of Kubernetes")

func newMapper(m *Member) *mapper {
	return &mapper{config: m.config, next: m.gate, timeout: m.fleet.options.Timeout, reading: make(chan struct{}, 1)}
}

// lookup is one piece of work's view of the kinds: it reads them anew at most once.
type lookup struct {
	mapper *mapper
	before *kinds // what was known before they were read anew
}

// find returns where a kind is served, errNoKind when it is not.
func (l *lookup) find(ctx context.Context, kind schema.GroupVersionKind) (mapping, error) {
	return l.search(ctx, kind, (*kinds).find)
}

// findStored returns where the objects of a kind are served that were made with one of its versions: every served version
// has all of them. Only a kind that is not served at all has no objects.
func (l *lookup) findStored(ctx context.Context, kind schema.GroupVersionKind) (mapping, error) {
	return l.search(ctx, kind, (*kinds).findStored)
}

func (l *lookup) search(ctx context.Context, kind schema.GroupVersionKind, find func(*kinds, schema.GroupVersionKind) (mapping, error)) (mapping, error) {
	known, err := l.mapper.current(ctx, l.before)
	if err != nil {
		return mapping{}, err
	}
	found, err := find(known, kind)
	if errors.Is(err, errNoKind) && l.before == nil {
		l.before = known
		return l.search(ctx, kind, find)
	}
	return found, err
}

func (k *kinds) findStored(kind schema.GroupVersionKind) (mapping, error) {
	if found, ok := k.any[kind.GroupKind()]; ok && k.served[kind].resource.Empty() {
		return found, nil
	}
	for version := range k.unknown {
		if version.Group == kind.Group {
			kind.Version = version.Version // it may be served there
		}
	}
	return k.find(kind)
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

// current returns what the cluster serves, newer than the given. One caller reads at a time; none waits longer than a
// reading may take, its own included.
func (m *mapper) current(ctx context.Context, than *kinds) (*kinds, error) {
	if known := m.known.Load(); known != nil && known != than {
		return known, nil
	}
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	select {
	case m.reading <- struct{}{}:
		defer func() { <-m.reading }()
	case <-ctx.Done():
		return nil, answer(listOfKinds, ctx.Err())
	}
	if known := m.known.Load(); known != nil && known != than {
		return known, nil // somebody else has read it meanwhile
	}
	fresh, err := m.read(ctx)
	if err != nil {
		return nil, answer(listOfKinds, err)
	}
	m.known.Store(fresh)
	return fresh, nil
}

var listOfKinds = Key{Kind: "the list of kinds"}

// forget makes the next look-up read anew.
func (m *mapper) forget() { m.known.Store(nil) }

// within gives requests a context. The discovery client has none of its own, and a cluster that stops in the middle of
// an answer would hold it for ever.
type within struct {
	ctx  context.Context
	next http.RoundTripper
}

func (w within) RoundTrip(r *http.Request) (*http.Response, error) {
	return w.next.RoundTrip(r.WithContext(w.ctx))
}

func (m *mapper) read(ctx context.Context) (*kinds, error) {
	client, err := discovery.NewDiscoveryClientForConfigAndClient(m.config, &http.Client{Transport: within{ctx, m.next}})
	if err != nil {
		return nil, errAddress
	}
	_, lists, err := client.ServerGroupsAndResources()
	unknown, partial := discovery.GroupDiscoveryFailedErrorGroups(err)
	if err != nil && !partial {
		return nil, err
	}
	k := newKinds(unknown)
	for _, list := range lists {
		for _, r := range list.APIResources {
			k.add(list.GroupVersion, r)
		}
	}
	if k.served[schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}].resource.Empty() {
		return nil, errNoKubernetes
	}
	return k, nil
}
