// Package cluster knows where the files of a cluster are, what they say, and
// how to reach the cluster's supervisor. The commands and the supervisor both
// use it; it starts no process and knows nothing of Kubernetes.
//
// In the folder that the user names, DIR, a cluster called NAME has
//
//	DIR/NAME.kubeconfig   what users need
//	DIR/NAME/             all the rest, its home:
//	  cluster.json        the Spec: nodes, address, ports, token
//	  alive               locked as long as any process of the cluster lives
//	  control.sock        the supervisor listens here
//	  pki/ etcd/ logs/    certificates, data, logs of the parts
//	  node/               what a real node has on its disks
package cluster
