package api

import "time"

// RemovalBudgetKind is the kind of what was removed from a cluster lately without anybody having asked for it by name. The
// controllers count there, so that neither a restart nor a second process lets more pass than one would. A budget goes
// when nothing was counted for a while.
var RemovalBudgetKind = &Kind{
	Group: "kubernetes", Name: "RemovalBudget", Plural: "removalbudgets",
	New:   func() Resource { return &RemovalBudget{} },
	Lasts: 2 * RemovalWindow,
}

// RemovalWindow is the time in which removals that nobody asked for by name are added up.
const RemovalWindow = 5 * time.Minute

// RemovalBudget is called like the identity of its cluster.
type RemovalBudget struct {
	Envelope
	Spec RemovalBudgetSpec `json:"spec" wire:"required"`
}

// RemovalBudgetSpec lists what was counted, the oldest first.
type RemovalBudgetSpec struct {
	Removals []CountedRemoval `json:"removals"`
}

// CountedRemoval says that a number of objects was allowed to go at a time.
type CountedRemoval struct {
	Time  Time  `json:"time" wire:"required"`
	Count int64 `json:"count" wire:"required"`
}
