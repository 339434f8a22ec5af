package api

// A Condition is what one component knows of an object. Each component writes only its own conditions; the state that
// old clients read is computed from all of them.
type Condition struct {
	Type    ConditionType   `json:"type" wire:"required"`
	Status  ConditionStatus `json:"status" wire:"required"`
	Reason  string          `json:"reason"`
	Message string          `json:"message"`
	// LastTransition is when Status last changed.
	LastTransition *Time `json:"last_transition"`
	// ObservedGeneration is the generation of the object that this was found for.
	ObservedGeneration int64 `json:"observed_generation"`
}

// ConditionType names what a condition is about.
type ConditionType string

// The conditions and who writes them.
const (
	Scheduled    ConditionType = "Scheduled"    // scheduler: a place was found
	Applied      ConditionType = "Applied"      // application controller: the cluster accepted the whole manifest
	Migrating    ConditionType = "Migrating"    // application controller: a move is under way
	ShuttingDown ConditionType = "ShuttingDown" // API server, for DELETE and the hooks: a graceful shutdown is under way
	Healthy      ConditionType = "Healthy"      // observer: everything is ready; for a cluster: its nodes are
	InSync       ConditionType = "InSync"       // observer: the cluster holds what was asked for; the state does not depend on it
	Reachable    ConditionType = "Reachable"    // cluster controller: the cluster answers
	Cleaned      ConditionType = "Cleaned"      // application controller: the objects on the clusters are gone
	Drained      ConditionType = "Drained"      // application controller: nothing is left on a cluster that applications are to leave

	// AwaitingApproval is of whoever removes objects from clusters, and of the API server when they are approved.
	AwaitingApproval ConditionType = "AwaitingApproval"

	CapacityKnown ConditionType = "CapacityKnown" // cluster controller: it is known how much room a cluster has, if that counts

	MetricsReadable ConditionType = "MetricsReadable" // whoever reads the metrics of a cloud or project: they have values
)

// ConditionStatus says whether a condition holds.
type ConditionStatus string

// The statuses.
const (
	True    ConditionStatus = "True"
	False   ConditionStatus = "False"
	Unknown ConditionStatus = "Unknown"
)

// Members lists the statuses.
func (ConditionStatus) Members() []string { return []string{"True", "False", "Unknown"} }

// Conditions is the list of an object's conditions, one per type.
type Conditions []Condition

// Get returns the condition of a type; one with status Unknown and no reason when there is none.
func (cs Conditions) Get(t ConditionType) Condition {
	for _, c := range cs {
		if c.Type == t {
			return c
		}
	}
	return Condition{Type: t, Status: Unknown}
}

// With returns the list with one condition replaced or added. The time of the last transition is kept when the status
// stays the same. The receiver is not changed.
func (cs Conditions) With(c Condition, now Time) Conditions {
	c.LastTransition = &now
	out := make(Conditions, 0, len(cs)+1)
	placed := false
	for _, old := range cs {
		if old.Type != c.Type {
			out = append(out, old)
			continue
		}
		if old.Status == c.Status && old.LastTransition != nil {
			c.LastTransition = old.LastTransition
		}
		out = append(out, c)
		placed = true
	}
	if !placed {
		out = append(out, c)
	}
	return out
}

// Without returns the list without the condition of a type. The receiver is not changed.
func (cs Conditions) Without(t ConditionType) Conditions {
	out := make(Conditions, 0, len(cs))
	for _, c := range cs {
		if c.Type != t {
			out = append(out, c)
		}
	}
	return out
}
