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
//   - fleet, kubeconfig, transport, breaker, member, identity, guard: reaching a cluster, and being sure which one it is
//   - discovery, kinds, mark, home, resolve: from a manifest to objects that can be applied
//   - plan, deviation: what is to be created, updated, kept and removed, and what is not as it should be; no I/O
//   - check, apply, delete: the only writes there are
//   - watch, poll, observe, drift, meaning: what is live, and what of it was changed by others
//   - tunnel, runs, logs, exec, forward: pods, and streams to them
//   - compare, differences: what an apply would change
//   - health, rule, pods, address, twice: what live objects and manifests mean; no I/O
//   - probe: the state of the cluster itself
//   - errors, answers, rights: what can go wrong, and which answer of an API server means what
//
// A kubeconfig needs no rights beyond some namespaces: see identity, rights and poll for how its user gets on with
// little.
package fleet
