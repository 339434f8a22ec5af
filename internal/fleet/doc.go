// Package fleet holds the connections to member clusters: the Kubernetes clusters that applications are placed on. It
// is the only package that speaks to them.
//
// It owns the way there (kubeconfigs, transports, rate limits, deadlines, circuit breakers, discovery), the identity of
// a cluster, the form in which an application's objects are applied, and what may be taken, overwritten or deleted
// there. It knows the wire types of package api, and nothing of the server, the store, the controllers and their
// queues: what is to run where is decided by its callers, which also keep the inventory.
//
// The subjects, one file each:
//
//   - fleet, kubeconfig, transport, breaker, member: reaching a cluster, and being sure which one it is
//   - discovery, kinds, mark, resolve: from a manifest to objects that can be applied
//   - plan: what is to be created, updated, kept and removed; no I/O
//   - check, apply, delete: the only writes there are
//   - watch, observe, drift: what is live, and what of it was changed by others
//   - health, pods, address, twice: what live objects and manifests mean; no I/O
//   - probe: the state of the cluster itself
//   - errors, answers: what can go wrong, and which answer of an API server means what
//
// A kubeconfig needs the right to get the namespace kube-system, whose UID is the identity of the cluster. Everything
// else can be limited to namespaces.
package fleet
