// Package capacity says what applications ask of clusters: it sums the requests of the pods in a manifest, by the rules of
// Kubernetes, and reads what clusters offer. It knows nothing of decisions; those are made with the sums by
// internal/scheduler/core.
//
// What a manifest says of itself is not to be trusted: what is no quantity, no number or no list counts as nothing, and
// nothing counts as more than a bound that keeps sums from overflowing. Workloads are rows of the table in workload.go; a
// further kind that makes pods is a row there.
package capacity
