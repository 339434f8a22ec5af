package api

// Resources tells of each object of an application how it is doing, and whether it is as it was asked for. It is at most
// 16 KiB of JSON: the objects that are worst off come first, and those that find no room are only counted.
type Resources struct {
	Objects []ResourceReport `json:"objects"`
	// Health counts all objects by their health, InSync by whether they are as asked for.
	Health map[string]int64 `json:"health"`
	InSync map[string]int64 `json:"in_sync"`
	// Omitted is how many objects are only counted.
	Omitted int64 `json:"omitted"`
}

// ResourceReport tells of one object.
type ResourceReport struct {
	Cluster   string `json:"cluster"` // name of the record, or the identity of a cluster that has none
	Group     string `json:"group"`
	Version   string `json:"version"`
	Kind      string `json:"kind" wire:"required"`
	Namespace string `json:"namespace"` // empty for cluster-wide objects
	Name      string `json:"name" wire:"required"`
	// Health is the word of kstatus: Current, InProgress, Terminating, NotFound, Failed or Unknown. Message says what is
	// wrong with an object that is not Current.
	Health  string `json:"health"`
	Message string `json:"message"`
	// InSync says whether the object is as it was asked for, Reason in what way it is not: Missing, Outdated, Drifted,
	// Contested or Surplus.
	InSync ConditionStatus `json:"in_sync" wire:"default=Unknown"`
	Reason string          `json:"reason"`
	// Fields are those that differ, Managers the field managers that have changed them, if they can be known.
	Fields   []string `json:"fields"`
	Managers []string `json:"managers"`
	// Since is when it was first seen not to be as asked for.
	Since *Time `json:"since"`
	// Repairs counts how often it was put right in a row, Repaired is when for the last time, Failure why it could not be.
	Repairs  int64  `json:"repairs"`
	Repaired *Time  `json:"repaired"`
	Failure  string `json:"failure"`
}
