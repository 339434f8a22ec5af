// Package cgroup makes and removes the control group of a real node. The
// kubelet puts the groups of its pods below it, so that removing it removes all
// that the node has in /sys/fs/cgroup.
//
// It knows both versions of control groups: the first, with a hierarchy for each
// controller, and the second, with one for all.
package cgroup
