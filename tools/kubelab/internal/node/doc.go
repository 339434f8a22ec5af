// Package node knows what runs on a real node and how it is configured: the
// kubelet and kube-proxy, which are parts of kubelab, and containerd, runc,
// iptables and the network plugins, which come from Debian's packages.
//
// It says what has to be there, what goes into which file, and how each program
// is called. It starts nothing. The configuration files are in the folder files,
// as templates; their paths are those inside the machine (package machine).
package node
