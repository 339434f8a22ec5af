// Package supervisor is the process that owns a running cluster. It prepares
// the cluster's files, starts the parts as its children, waits until the cluster
// can be used, and then answers requests until it is told to stop.
//
// It runs detached from the command that started it. What ties things together:
//
//   - The parts die with the supervisor, whatever kills it: they ask Linux for
//     that (Pdeathsig), which is why kubelab runs on Linux only.
//   - The supervisor and all parts hold the cluster's alive lock, so the lock is
//     free exactly when nothing of the cluster is left.
//   - A pipe to the starting command carries one Outcome: ready, or why not.
package supervisor
