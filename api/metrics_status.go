package api

// MetricsStatus is what Krake knows of a place where clusters can be made, a cloud or a project: whether its metrics can
// be read.
type MetricsStatus struct {
	State          MetricsState      `json:"state" wire:"default=ONLINE"`
	MetricsReasons map[string]Reason `json:"metrics_reasons"` // by metric, why it cannot be read
	Conditions     Conditions        `json:"conditions" wire:"added"`
}

// MetricsState says whether the metrics of a place can be read.
type MetricsState string

// The states.
const (
	MetricsOnline  MetricsState = "ONLINE"
	MetricsFailing MetricsState = "FAILING_METRICS"
)

// Members lists the states.
func (MetricsState) Members() []string { return []string{"ONLINE", "FAILING_METRICS"} }

// settle recomputes the state when a condition has changed: by the table in docs/states.md.
func (s *MetricsStatus) settle(before MetricsStatus) {
	if !conditionsChanged(s.Conditions, before.Conditions) {
		return
	}
	switch s.Conditions.Get(MetricsReadable).Status {
	case True:
		s.State = MetricsOnline
	case False:
		s.State = MetricsFailing
	}
}
