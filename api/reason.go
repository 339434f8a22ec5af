package api

// A Reason says why an object is in the state it is in.
type Reason struct {
	Code    ReasonCode `json:"code" wire:"required"`
	Message string     `json:"message" wire:"required"`
}

// Unplaced says whether the reason is that no place was found.
func (r *Reason) Unplaced() bool { return r != nil && r.Code == NoSuitableResource }

// ReasonCode is the machine-readable part of a Reason.
type ReasonCode string

// The reason codes. The wire knows no others.
const (
	InternalError              ReasonCode = "INTERNAL_ERROR"
	InvalidResource            ReasonCode = "INVALID_RESOURCE"
	UnsupportedResource        ReasonCode = "UNSUPPORTED_RESOURCE"
	InvalidCustomResource      ReasonCode = "INVALID_CUSTOM_RESOURCE"
	InvalidToscaManifest       ReasonCode = "INVALID_TOSCA_MANIFEST"
	ClusterNotReachable        ReasonCode = "CLUSTER_NOT_REACHABLE"
	NoSuitableResource         ReasonCode = "NO_SUITABLE_RESOURCE"
	KubernetesError            ReasonCode = "KUBERNETES_ERROR"
	CreateFailed               ReasonCode = "CREATE_FAILED"
	ReconcileFailed            ReasonCode = "RECONCILE_FAILED"
	ReconfigureFailed          ReasonCode = "RECONFIGURE_FAILED"
	DeleteFailed               ReasonCode = "DELETE_FAILED"
	RetrieveFailed             ReasonCode = "RETRIEVE_FAILED"
	NotFound                   ReasonCode = "NOT_FOUND"
	OpenstackError             ReasonCode = "OPENSTACK_ERROR"
	InvalidClusterTemplate     ReasonCode = "INVALID_CLUSTER_TEMPLATE"
	InvalidMetric              ReasonCode = "INVALID_METRIC"
	UnreachableMetricsProvider ReasonCode = "UNREACHABLE_METRICS_PROVIDER"
	UnknownMetric              ReasonCode = "UNKNOWN_METRIC"
	UnknownMetricsProvider     ReasonCode = "UNKNOWN_METRICS_PROVIDER"
)

// Members lists the codes.
func (ReasonCode) Members() []string {
	return []string{"INTERNAL_ERROR", "INVALID_RESOURCE", "UNSUPPORTED_RESOURCE", "INVALID_CUSTOM_RESOURCE",
		"INVALID_TOSCA_MANIFEST", "CLUSTER_NOT_REACHABLE", "NO_SUITABLE_RESOURCE", "KUBERNETES_ERROR", "CREATE_FAILED",
		"RECONCILE_FAILED", "RECONFIGURE_FAILED", "DELETE_FAILED", "RETRIEVE_FAILED", "NOT_FOUND", "OPENSTACK_ERROR",
		"INVALID_CLUSTER_TEMPLATE", "INVALID_METRIC", "UNREACHABLE_METRICS_PROVIDER", "UNKNOWN_METRIC",
		"UNKNOWN_METRICS_PROVIDER"}
}
