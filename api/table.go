package api

// Kinds is the table of kinds: routes, store keys, client, command line and garbage collection are made from it.
var Kinds = []*Kind{
	ApplicationKind,
	ClusterKind,
	LeftoverKind,
	GlobalMetricsProviderKind,
}
