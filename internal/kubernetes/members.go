package kubernetes

import (
	"context"
	"fmt"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/fleet"
)

// Connect returns the connection that a cluster's record leads to. It refuses one that leads to another cluster than
// the record did at first contact: nothing may be applied or deleted there.
func Connect(ctx context.Context, f *fleet.Fleet, cluster *api.Cluster) (*fleet.Member, error) {
	m, err := f.MemberOf(ctx, cluster.Spec.Kubeconfig, cluster.Status.Identity)
	if err != nil {
		return nil, err
	}
	switch known := cluster.Status.Identity; known {
	case "":
		return nil, &WaitError{fmt.Sprintf("the cluster %s has not been looked at yet", cluster.Metadata.Name)}
	case m.Identity():
		return m, nil
	default:
		return nil, &WaitError{fmt.Sprintf("the kubeconfig of the cluster %s leads to another cluster than before", cluster.Metadata.Name)}
	}
}

// elsewhere says whether an object of a cluster is also in an inventory under another identity. Then both are one cluster,
// which was registered once by a user who may read kube-system and once by one who may not, and the object stays.
func elsewhere(ctx context.Context, m *fleet.Member, e api.InventoryObject, inventory []api.InventoryObject) (bool, error) {
	for _, o := range inventory {
		if o.Cluster == e.Cluster || o.UID == "" || fleet.KeyOf(o) != fleet.KeyOf(e) {
			continue
		}
		uid := e.UID
		if uid == "" {
			live, err := m.Live(ctx, e)
			if err != nil {
				return false, err
			}
			if live != nil {
				uid = string(live.GetUID())
			}
		}
		if o.UID == uid {
			return true, nil
		}
	}
	return false, nil
}

// WaitError says that nothing can be done until something else has happened.
type WaitError struct{ message string }

func (e *WaitError) Error() string { return e.message }

// clusterOf returns the record that a reference names, nil when there is none.
func (c *Applications) clusterOf(ref *api.ResourceRef) *api.Cluster {
	if ref == nil {
		return nil
	}
	return c.clusters.Get(ref.NamespaceOrEmpty(), ref.Name)
}

// A place is a cluster as it is known in a namespace: the records of other namespaces are other people's rights.
type place struct{ namespace, identity string }

// ways finds the records that lead to a cluster.
type ways = *client.IndexOf[place, *api.Cluster]

// identified is where a record leads.
func identified(c *api.Cluster) []place {
	if c.Status.Identity == "" || len(c.Spec.Kubeconfig) == 0 {
		return nil
	}
	return []place{{c.Metadata.NamespaceOrEmpty(), c.Status.Identity}}
}

// clusterName is what people call a cluster: the name of a record that leads there, or its identity if none does.
func (p *pass) clusterName(identity string) string {
	if records := p.ways.Get(place{p.app.Metadata.NamespaceOrEmpty(), identity}); len(records) > 0 {
		return records[0].Metadata.Name
	}
	return identity
}

// memberByIdentity finds a connection to a cluster, by whatever record leads there. It returns nil when none does.
func memberByIdentity(ctx context.Context, f *fleet.Fleet, ways ways, to place) (*fleet.Member, error) {
	var last error
	for _, c := range ways.Get(to) {
		m, err := Connect(ctx, f, c)
		if err == nil {
			return m, nil
		}
		last = err
	}
	return nil, last
}
