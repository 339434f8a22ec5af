package api

// LeaseKind is the kind of claims to do a work that only one process may do at a time.
var LeaseKind = &Kind{
	Group: "core", Name: "Lease", Plural: "leases",
	New: func() Resource { return &Lease{} },
}

// Lease says who does a work, and until when others must keep away from it.
type Lease struct {
	Envelope
	Spec LeaseSpec `json:"spec"`
}

// LeaseSpec is a claim. It holds for Duration after Renewed; whoever looks counts that from when they saw it change, so
// that clocks need not agree.
type LeaseSpec struct {
	Holder      string `json:"holder"`   // the process, empty when it has given the work up
	Duration    int64  `json:"duration"` // seconds
	Acquired    *Time  `json:"acquired"`
	Renewed     *Time  `json:"renewed"`
	Transitions int64  `json:"transitions"` // how often the work went to another process
}
