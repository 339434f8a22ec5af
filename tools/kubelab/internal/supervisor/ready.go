package supervisor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/cluster"
	"github.com/rak-n-rok/krake/tools/kubelab/internal/node"
)

const (
	readyPoll  = 50 * time.Millisecond
	askTimeout = 5 * time.Second // for one look at one condition
)

// A condition is something that a cluster must show before it counts as ready.
type condition struct {
	part string                      // whose log tells why it may not
	what string                      // completes "waiting for"
	met  func(context.Context) error // nil, or what is missing
}

// await waits for the conditions, one after the other. Its error says which one
// was not met, and what was missing.
func await(ctx context.Context, conditions ...condition) error {
	for _, c := range conditions {
		if err := c.await(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c condition) await(ctx context.Context) error {
	missing := errors.New("not looked at yet")
	for {
		once, cancel := context.WithTimeout(ctx, askTimeout)
		err := c.met(once)
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			missing = err // else it may only say that time was up
		}
		select {
		case <-ctx.Done():
			cause := context.Cause(ctx)
			if _, ok := errors.AsType[*partError](cause); ok {
				return cause
			}
			return &partError{c.part, fmt.Errorf("%w, waiting for %s: %w", cause, c.what, missing)}
		case <-time.After(readyPoll):
		}
	}
}

// observer looks at a starting cluster. In one that starts again, the objects of
// its earlier life say that all is well, so it asks the parts themselves, and of
// kwok it wants a sign that is newer than since.
type observer struct {
	client kubernetes.Interface
	probe  *http.Client
	spec   cluster.Spec
	since  time.Time
}

func newObserver(config *rest.Config, client kubernetes.Interface, spec cluster.Spec) (*observer, error) {
	probe, err := rest.HTTPClientFor(rest.AnonymousClientConfig(config))
	if err != nil {
		return nil, err
	}
	return &observer{client: client, probe: probe, spec: spec, since: time.Now()}, nil
}

// apiServer is the condition for starting what needs the API server.
func (o *observer) apiServer() condition {
	return condition{apiServer, "kube-apiserver to be ready", o.healthy(o.spec.Ports.APIServer, "/readyz")}
}

// rest are the conditions for the control plane to be ready, once the API server
// is.
func (o *observer) rest() []condition {
	return []condition{
		{controllerManager, "kube-controller-manager to be healthy", o.healthy(o.spec.Ports.ControllerManager, "/healthz")},
		{scheduler, "kube-scheduler to be ready", o.healthy(o.spec.Ports.Scheduler, "/readyz")},
		{controllerManager, "the service account default", o.hasServiceAccount},
	}
}

// simulated are the conditions for simulated nodes to be ready.
func (o *observer) simulated() []condition {
	return []condition{
		{kwok, "kwok to renew the leases of the nodes", o.hasLeases},
		{controllerManager, "the nodes to be ready", o.hasReadyNodes},
	}
}

// real are the conditions for a real node to be ready, and for services to be
// reached there.
func (o *observer) real(n node.Config) []condition {
	return []condition{
		{kubelet, "kubelet to be healthy", o.answers(n.KubeletHealth())},
		{kubelet, "the node to report to the API server", o.hasReported},
		{kubelet, "the node to be ready", o.hasReadyNodes},
		{kubeProxy, "kube-proxy to have the rules for services", o.answers(n.ProxyHealth())},
	}
}

// healthy asks a part of the control plane itself, at an address that needs no
// authentication.
func (o *observer) healthy(port int, path string) func(context.Context) error {
	return o.answers(fmt.Sprintf("https://%s%s", netip.AddrPortFrom(o.spec.Address, uint16(port)), path))
}

// answers is met when a request is answered well.
func (o *observer) answers(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := o.probe.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("it answers %s", response.Status)
		}
		return nil
	}
}

// hasServiceAccount is met when pods can be created in the default namespace:
// admission refuses them before.
func (o *observer) hasServiceAccount(ctx context.Context) error {
	_, err := o.client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
	return err
}

func (o *observer) hasLeases(ctx context.Context) error {
	nodes, err := o.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	leases, err := o.client.CoordinationV1().Leases(corev1.NamespaceNodeLease).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	fresh := map[string]bool{}
	for _, lease := range leases.Items {
		if renewed := lease.Spec.RenewTime; renewed != nil && renewed.After(o.since) {
			fresh[lease.Name] = true
		}
	}
	for _, node := range nodes.Items {
		if !fresh[node.Name] {
			return fmt.Errorf("node %s has no fresh lease", node.Name)
		}
	}
	return nil
}

// hasReported is met when all that is known of the nodes is newer than the start.
// Times of conditions are whole seconds.
func (o *observer) hasReported(ctx context.Context) error {
	nodes, err := o.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	if len(nodes.Items) == 0 {
		return errors.New("no node has registered")
	}
	for _, node := range nodes.Items {
		for _, c := range node.Status.Conditions {
			if c.Type == corev1.NodeReady && c.LastHeartbeatTime.Time.Before(o.since.Truncate(time.Second)) {
				return fmt.Errorf("node %s was last heard of at %v", node.Name, c.LastHeartbeatTime)
			}
		}
	}
	return nil
}

// hasReadyNodes is met when pods can be scheduled to every node.
func (o *observer) hasReadyNodes(ctx context.Context) error {
	nodes, err := o.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, node := range nodes.Items {
		if reason := notReady(node); reason != "" {
			return fmt.Errorf("node %s %s", node.Name, reason)
		}
	}
	return nil
}

// notReady says why pods cannot be scheduled to the node, if they cannot. The
// taints are the controller manager's and go some time after the node has
// become ready. Others, such as that of a cordoned node, are users' business.
func notReady(node corev1.Node) string {
	ready := false
	for _, c := range node.Status.Conditions {
		ready = ready || c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	}
	if !ready {
		return "is not ready"
	}
	for _, taint := range node.Spec.Taints {
		if taint.Key == corev1.TaintNodeNotReady || taint.Key == corev1.TaintNodeUnreachable {
			return "has the taint " + taint.Key
		}
	}
	return ""
}
