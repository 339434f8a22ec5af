package api

import (
	"fmt"
	"strings"
)

// LeftoverKind is the kind of what remains on clusters after the records that knew of it are gone.
var LeftoverKind = &Kind{
	Group: "kubernetes", Name: "Leftover", Plural: "leftovers",
	Namespaced: true, Status: true, Force: true,
	New:     func() Resource { return &Leftover{} },
	Actions: []Action{removalApproval(func(r Resource) *Conditions { return &r.(*Leftover).Status.Conditions })},
	Parts:   []Part{{Name: RemovalPart, New: func() any { return &Removal{} }}},
	Fields:  []string{"spec.identity", "spec.application_uid"},
	Secrets: []string{"spec.kubeconfig"},
}

// Leftover says what is still on a cluster and how to get there. It is removed when everything is gone.
type Leftover struct {
	Envelope
	Spec   LeftoverSpec   `json:"spec" wire:"required"`
	Status LeftoverStatus `json:"status" wire:"sub"`
}

// LeftoverSpec is what is to be removed.
type LeftoverSpec struct {
	Cause string `json:"cause"` // a sentence for people
	// Cluster is the record that the cluster had, Identity what tells it from other clusters.
	Cluster  *ResourceRef `json:"cluster"`
	Identity string       `json:"identity" wire:"required"`
	// Kubeconfig leads to the cluster when no record does; it is empty when a record was left.
	Kubeconfig Kubeconfig `json:"kubeconfig"`
	// Application is whose objects these were, ApplicationUID tells it from a later one of the same name.
	Application    *ResourceRef      `json:"application"`
	ApplicationUID string            `json:"application_uid"`
	Objects        []InventoryObject `json:"objects"`
	// Cleared says that no removal of these objects needs an approval: somebody asked for it by name, or the application
	// has them elsewhere.
	Cleared bool `json:"cleared"`
	// Keep says that the objects are not to be removed, but to be nobody's any more.
	Keep bool `json:"keep"`
	// KeepUntil is when the objects are removed, unless somebody approves it before; null for as soon as possible.
	KeepUntil *Time `json:"keep_until"`
}

// LeftoverStatus is how the removal is going.
type LeftoverStatus struct {
	Attempts   int64      `json:"attempts"`
	Message    string     `json:"message"` // why the last attempt did not finish, empty when none was made
	Conditions Conditions `json:"conditions"`
}

// Removed hands on what an application still has on clusters when its record goes, one leftover for each cluster.
func (a *Application) Removed(parts map[string]any) []Resource {
	inventory, _ := parts[InventoryPart].(*Inventory)
	if inventory == nil {
		return nil
	}
	var out []Resource
	byCluster := map[string]*Leftover{}
	for _, o := range inventory.Objects {
		l := byCluster[o.Cluster]
		if l == nil {
			l = NewLeftover(a, o.Cluster, "The application's record was removed before its objects.")
			byCluster[o.Cluster] = l
			out = append(out, l)
		}
		l.Spec.Objects = append(l.Spec.Objects, o)
	}
	return out
}

// kept is at the end of the name of a leftover whose objects are to stay.
const kept = ".kept"

// NewLeftover makes a leftover for what an application has on the cluster with this identity. Its name depends on
// both, and on whether the application was deleted so that all stays, alone: making it twice gives the same object.
func NewLeftover(a *Application, identity, cause string) *Leftover {
	ref := ApplicationKind.Ref(a.Metadata.NamespaceOrEmpty(), a.Metadata.Name)
	l := New[Leftover]()
	l.Metadata.Name = fmt.Sprintf("%s.%s", a.Metadata.UID, identity)
	l.Metadata.Namespace = a.Metadata.Namespace
	l.Spec.Cause, l.Spec.Identity = cause, identity
	l.Spec.Application, l.Spec.ApplicationUID = &ref, a.Metadata.UID
	if a.Metadata.Deletion == KeepWorkloads { // beside what is to be removed there since an earlier move
		l.Metadata.Name, l.Spec.Keep = l.Metadata.Name+kept, true
	}
	return l
}

// files is at the end of the name of a leftover that keeps claims for a while.
const files = ".data"

// NewKeptFiles makes a leftover for the claims that an application has left on the cluster with this identity, and for what
// they are in. It is beside the one for all other objects there.
func NewKeptFiles(a *Application, identity, cause string, until Time) *Leftover {
	l := NewLeftover(a, identity, cause)
	l.Metadata.Name = fmt.Sprintf("%s.%s%s", a.Metadata.UID, identity, files)
	l.Spec.Keep, l.Spec.KeepUntil, l.Spec.Cleared = false, &until, true
	return l
}

// KeepsFiles says whether a leftover keeps claims, or has kept them until now.
func (l *Leftover) KeepsFiles() bool { return strings.HasSuffix(l.Metadata.Name, files) }

// Removed keeps the way to a cluster whose record was removed: applications may still have objects there, that of a move
// which has gone on, or of leftovers. The controller of leftovers removes it as soon as nobody needs it.
func (c *Cluster) Removed(map[string]any) []Resource {
	if c.Status.Identity == "" || len(c.Spec.Kubeconfig) == 0 {
		return nil
	}
	ref := ClusterKind.Ref(c.Metadata.NamespaceOrEmpty(), c.Metadata.Name)
	l := New[Leftover]()
	l.Metadata.Name = "cluster." + c.Metadata.UID
	l.Metadata.Namespace = c.Metadata.Namespace
	l.Spec.Cause = "The cluster's record was removed."
	l.Spec.Cluster, l.Spec.Identity, l.Spec.Kubeconfig = &ref, c.Status.Identity, c.Spec.Kubeconfig
	return []Resource{l}
}
