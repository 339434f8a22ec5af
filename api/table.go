package api

// Kinds is the table of kinds: routes, store keys, client, command line and garbage collection are made from it.
var Kinds = []*Kind{
	RoleKind,
	RoleBindingKind,
	GlobalMetricKind,
	MetricKind,
	GlobalMetricsProviderKind,
	MetricsProviderKind,
	LeaseKind,
	EventKind,

	ApplicationKind,
	ClusterKind,
	LeftoverKind,
	RemovalBudgetKind,
	GlobalObjectRuleKind,

	GlobalInfrastructureProviderKind,
	InfrastructureProviderKind,
	GlobalCloudKind,
	CloudKind,

	ProjectKind,
	MagnumClusterKind,
}
