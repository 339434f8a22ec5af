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
	Parts: []Part{{Name: PlacementPart, New: func() any { return &Placement{} }}},
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
	// UID and Generation, when given, must be those of the cluster that was decided on, and Expected the project that it was
	// bound to then. Placement, when given, replaces the part of that name.
	UID        string      `json:"uid" wire:"added"`
	Generation int64       `json:"generation" wire:"added"`
	Expected   Expectation `json:"expected,omitzero" wire:"added"`
	Placement  *Placement  `json:"placement" wire:"added"`
}

// CheckWire checks api and kind, and that it is a project that is bound to.
func (b *MagnumClusterBinding) CheckWire(e *wire.Errors) {
	checkNames(e, b.API, b.Kind, "openstack", "MagnumClusterBinding")
	checkTarget(e.At("project"), b.Project, ProjectKind)
}

// bindMagnumCluster may change the template, which a write of the status may not.
func bindMagnumCluster(r Resource, body any, now Time, parts map[string]any) error {
	m, b := r.(*MagnumCluster), body.(*MagnumClusterBinding)
	if b.UID != "" && b.UID != m.Metadata.UID || b.Generation != 0 && b.Generation != m.Metadata.Generation ||
		!b.Expected.holds(m.Status.Project) {
		return stale("The cluster has changed since the decision was made.")
	}
	m.Status.Project, m.Status.Template = &b.Project, &b.Template
	m.Metadata.own(b.Project)
	m.Status.Conditions = m.Status.Conditions.With(placedFor(&m.Metadata), now)
	if b.Placement != nil {
		parts[PlacementPart] = b.Placement
	}
	return nil
}

// placedFor is the condition that comes with a binding.
func placedFor(m *Metadata) Condition {
	return Condition{Type: Scheduled, Status: True, Reason: "Placed", ObservedGeneration: m.Generation}
}

// Settle recomputes the state when a condition has changed.
func (m *MagnumCluster) Settle(before Resource) {
	old, _ := before.(*MagnumCluster)
	if old == nil {
		old = &MagnumCluster{}
	}
	if !conditionsChanged(m.Status.Conditions, old.Status.Conditions) {
		return
	}
	switch scheduled := m.Status.Conditions.Get(Scheduled); {
	case scheduled.Status == False && m.Status.State == MagnumPending:
		m.Status.State, m.Status.Reason = MagnumFailed, scheduled.asReason()
	case scheduled.Status == False && m.Status.State == MagnumFailed && m.Status.Reason.Unplaced():
		m.Status.Reason = scheduled.asReason()
	case scheduled.Status == True && m.Status.State == MagnumFailed && m.Status.Reason.Unplaced():
		m.Status.State, m.Status.Reason = MagnumPending, nil
	}
}
