package kubernetes

import (
	"context"
	"fmt"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/fleet"
)

// connect returns the connection that a cluster's record leads to. It refuses one that leads to another cluster than
// the record did at first contact: nothing may be applied or deleted there.
func connect(ctx context.Context, f *fleet.Fleet, cluster *api.Cluster) (*fleet.Member, error) {
	m, err := f.Member(ctx, cluster.Spec.Kubeconfig)
	if err != nil {
		return nil, err
	}
	switch known := cluster.Status.Identity; known {
	case "":
		return nil, &waitError{fmt.Sprintf("the cluster %s has not been looked at yet", cluster.Metadata.Name)}
	case m.Identity():
		return m, nil
	default:
		return nil, &waitError{fmt.Sprintf("the kubeconfig of the cluster %s leads to another cluster than before", cluster.Metadata.Name)}
	}
}

// waitError says that nothing can be done until something else has happened.
type waitError struct{ message string }

func (e *waitError) Error() string { return e.message }

// clusterOf returns the record that a reference names, nil when there is none.
func (c *Applications) clusterOf(ref *api.ResourceRef) *api.Cluster {
	if ref == nil {
		return nil
	}
	return c.clusters.Get(ref.NamespaceOrEmpty(), ref.Name)
}

// memberByIdentity finds a connection to the cluster of this identity, by whatever record of the namespace leads there:
// those of other namespaces are other people's rights. It returns nil when no record does.
func memberByIdentity(ctx context.Context, f *fleet.Fleet, clusters clusterLister, namespace, identity string) (*fleet.Member, error) {
	var last error
	for _, c := range clusters.List(leadsTo(namespace, identity)) {
		m, err := connect(ctx, f, c)
		if err == nil {
			return m, nil
		}
		last = err
	}
	return nil, last
}

// leadsTo approves of the records of a namespace that lead to the cluster of this identity.
func leadsTo(namespace, identity string) func(*api.Cluster) bool {
	return func(c *api.Cluster) bool {
		return c.Metadata.NamespaceOrEmpty() == namespace && c.Status.Identity == identity && len(c.Spec.Kubeconfig) > 0
	}
}

// clusterLister is the part of a cache that is needed to find clusters.
type clusterLister interface {
	List(keep func(*api.Cluster) bool) []*api.Cluster
}
