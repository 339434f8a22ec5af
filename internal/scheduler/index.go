package scheduler

import (
	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/controller"
)

// index finds the applications that a change of a cluster may concern, without going through all of them.
type index struct {
	bound    *client.IndexOf[controller.Key, *api.Application] // by cluster
	placed   *client.IndexOf[string, *api.Application]         // by namespace: those with a place
	identity *client.IndexOf[string, *api.Cluster]             // the records of clusters by what they lead to
	waiting  *client.IndexOf[string, *api.Application]         // by namespace: those without a place, or that should leave theirs and cannot
}

func newIndex(apps *client.Cache[api.Application, *api.Application], clusters *client.Cache[api.Cluster, *api.Cluster]) index {
	return index{bound: client.Index(apps, boundTo), placed: client.Index(apps, placedIn), waiting: client.Index(apps, waitingIn),
		identity: client.Index(clusters, identityOf)}
}

func boundTo(a *api.Application) []controller.Key {
	ref := a.Status.ScheduledTo
	if ref == nil || a.Metadata.Deleted != nil {
		return nil
	}
	return []controller.Key{{Namespace: ref.NamespaceOrEmpty(), Name: ref.Name}}
}

func placedIn(a *api.Application) []string {
	if a.Status.ScheduledTo == nil || a.Metadata.Deleted != nil {
		return nil
	}
	return []string{a.Metadata.NamespaceOrEmpty()}
}

func waitingIn(a *api.Application) []string {
	c := a.Status.Conditions.Get(api.Scheduled)
	if a.Metadata.Deleted != nil || c.Status == api.True && c.Message == "" {
		return nil
	}
	return []string{a.Metadata.NamespaceOrEmpty()}
}
