package api

// GlobalMetricKind is the kind of metrics that everybody may use.
var GlobalMetricKind = &Kind{
	Group: "core", Name: "GlobalMetric", Plural: "globalmetrics",
	Status: true,
	New:    func() Resource { return &GlobalMetric{} },
}

// MetricKind is the kind of metrics for the objects of one namespace.
var MetricKind = &Kind{
	Group: "core", Name: "Metric", Plural: "metrics",
	Namespaced: true, Status: true,
	New: func() Resource { return &Metric{} },
}

// GlobalMetric is a number that clusters and clouds can be judged by.
type GlobalMetric struct {
	Envelope
	Spec   MetricSpec   `json:"spec" wire:"required"`
	Status MetricStatus `json:"status" wire:"sub,added"`
}

// Metric is a number that clusters and clouds of one namespace can be judged by.
type Metric struct {
	Envelope
	Spec   MetricSpec   `json:"spec" wire:"required"`
	Status MetricStatus `json:"status" wire:"sub,added"`
}

// MetricSpec says where the value of a metric comes from and which values make sense. That Min is below Max is not
// checked: the reference does not.
type MetricSpec struct {
	AllowedValues []int64        `json:"allowed_values" wire:"required"` // none for any
	Min           float64        `json:"min" wire:"required"`
	Max           float64        `json:"max" wire:"required"`
	Provider      MetricProvider `json:"provider" wire:"required"`
	// Direction says which end of the range is the better one. Metric constraints do not depend on it.
	Direction Direction `json:"direction" wire:"added,default=higher"`
	// OutOfRange says what to do with a value below Min or above Max.
	OutOfRange OutOfRange `json:"out_of_range" wire:"added,default=reject"`
}

// Direction is the better end of a range.
type Direction string

// The directions.
const (
	HigherIsBetter Direction = "higher"
	LowerIsBetter  Direction = "lower"
)

// Members lists the directions.
func (Direction) Members() []string { return []string{"higher", "lower"} }

// OutOfRange is what happens to a value that is not in the range of its metric.
type OutOfRange string

// The policies.
const (
	RejectOutOfRange OutOfRange = "reject" // the metric has no value then, as in the reference
	ClampOutOfRange  OutOfRange = "clamp"  // it counts as the nearest value of the range
)

// Members lists the policies.
func (OutOfRange) Members() []string { return []string{"reject", "clamp"} }

// MetricStatus is what was read last of a metric, written when it changes. All of it is null for a metric that nothing uses:
// only what is used is read.
type MetricStatus struct {
	// Value is as the provider gave it, null if it never gave a number.
	Value *float64 `json:"value" wire:"added"`
	// ReadAt is when the value was read. It is not renewed while the same value is read again and again.
	ReadAt *Time `json:"read_at" wire:"added"`
	// Error says why there is no usable value now, null when there is. FailedSince is when that was seen first. The value
	// then is the one before.
	Error       *Reason `json:"error" wire:"added"`
	FailedSince *Time   `json:"failed_since" wire:"added"`
}

// MetricProvider names a metric at its source.
type MetricProvider struct {
	Name   string `json:"name" wire:"required"`   // a GlobalMetricsProvider, for a Metric a MetricsProvider
	Metric string `json:"metric" wire:"required"` // what the provider calls it
}
