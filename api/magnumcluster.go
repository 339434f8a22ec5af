package api

import (
	"github.com/rak-n-rok/krake/api/constraint"
	"github.com/rak-n-rok/krake/api/wire"
)

// MagnumClusterKind is the kind of clusters that OpenStack Magnum makes.
var MagnumClusterKind = &Kind{
	Group: "openstack", Name: "MagnumCluster", Plural: "magnumclusters",
	Namespaced: true, Status: true,
	New:    func() Resource { return &MagnumCluster{} },
	Fields: []string{"status.state", "status.project.namespace", "status.project.name"},
	Actions: []Action{
		{Name: "binding", New: func() any { return &MagnumClusterBinding{} }, Apply: bindMagnumCluster, ObjectFirst: true},
	},
}

// MagnumCluster is a cluster that is made in a project.
type MagnumCluster struct {
	Envelope
	Spec   MagnumClusterSpec   `json:"spec" wire:"required"`
	Status MagnumClusterStatus `json:"status" wire:"sub"`
}

// MagnumClusterSpec is what the user asks for. Numbers that are left out are those of the project's template.
type MagnumClusterSpec struct {
	MasterCount *int64              `json:"master_count" wire:"im"`
	NodeCount   *int64              `json:"node_count"`
	Metrics     []MetricRef         `json:"metrics"`
	Constraints *ProjectConstraints `json:"constraints"`
}

// ProjectConstraints say in which projects a cluster may be made.
type ProjectConstraints struct {
	Project *ProjectLabels `json:"project"`
}

// ProjectLabels must all hold for a project to be chosen.
type ProjectLabels struct {
	Labels []constraint.Label `json:"labels" wire:"null"`
}

// MagnumClusterStatus is what Krake knows of a cluster that Magnum makes.
type MagnumClusterStatus struct {
	Reason          *Reason            `json:"reason"`
	State           MagnumClusterState `json:"state" wire:"default=PENDING"`
	Project         *ResourceRef       `json:"project"`
	Template        *string            `json:"template" wire:"im"`
	ClusterID       *string            `json:"cluster_id"`
	NodeCount       *int64             `json:"node_count"`
	APIAddress      *string            `json:"api_address"`
	MasterAddresses []string           `json:"master_addresses" wire:"null"`
	NodeAddresses   []string           `json:"node_addresses" wire:"null"`
	Cluster         *ResourceRef       `json:"cluster"` // the record of the Kubernetes cluster that was made
	Conditions      Conditions         `json:"conditions" wire:"added"`
}

// MagnumClusterState sums up a cluster that Magnum makes.
type MagnumClusterState string

// The states of clusters that Magnum makes.
const (
	MagnumPending     MagnumClusterState = "PENDING"
	MagnumCreating    MagnumClusterState = "CREATING"
	MagnumRunning     MagnumClusterState = "RUNNING"
	MagnumReconciling MagnumClusterState = "RECONCILING"
	MagnumDeleting    MagnumClusterState = "DELETING"
	MagnumFailed      MagnumClusterState = "FAILED"
)

// Members lists the states.
func (MagnumClusterState) Members() []string {
	return []string{"PENDING", "CREATING", "RUNNING", "RECONCILING", "DELETING", "FAILED"}
}

// MagnumClusterBinding is the body of PUT …/binding: the scheduler's decision.
type MagnumClusterBinding struct {
	API      string      `json:"api,omitempty" wire:"default=openstack"`
	Kind     string      `json:"kind,omitempty" wire:"default=MagnumClusterBinding"`
	Project  ResourceRef `json:"project" wire:"required"`
	Template string      `json:"template" wire:"required"`
}

// CheckWire checks api and kind, and that it is a project that is bound to.
func (b *MagnumClusterBinding) CheckWire(e *wire.Errors) {
	checkNames(e, b.API, b.Kind, "openstack", "MagnumClusterBinding")
	checkTarget(e.At("project"), b.Project, ProjectKind)
}

// bindMagnumCluster may change the template, which a write of the status may not.
func bindMagnumCluster(r Resource, body any, _ Time, _ map[string]any) error {
	m, b := r.(*MagnumCluster), body.(*MagnumClusterBinding)
	m.Status.Project, m.Status.Template = &b.Project, &b.Template
	m.Metadata.own(b.Project)
	return nil
}
