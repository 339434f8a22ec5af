package supervisor

import (
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/cluster"
	"github.com/rak-n-rok/krake/tools/kubelab/internal/machine"
	"github.com/rak-n-rok/krake/tools/kubelab/internal/node"
)

// The parts of a cluster.
const (
	etcd              = "etcd"
	apiServer         = "kube-apiserver"
	controllerManager = "kube-controller-manager"
	scheduler         = "kube-scheduler"
	kwok              = "kwok"

	// Of clusters with a real node only.
	nodeSweeper = "node-sweeper" // cleans up after all others
	nodeInit    = machine.Part   // holds the node's machine
	containerd  = "containerd"
	kubelet     = "kubelet"
	kubeProxy   = "kube-proxy"
)

// partArgs returns the arguments of a part of the control plane, or of kwok.
// Paths are relative to the cluster's home.
func partArgs(part string, c cluster.Cluster, spec cluster.Spec) []string {
	ports := spec.Ports
	switch part {
	case etcd:
		return []string{
			"--name=" + c.Name,
			"--data-dir=etcd",
			"--listen-client-urls=" + etcdSocket,
			"--listen-peer-urls=unix://etcd-peer.sock",
			// A single member talks to no peer and nobody looks it up, but etcd
			// wants addresses to advertise, and no sockets among them.
			"--advertise-client-urls=http://127.0.0.1:1",
			"--initial-advertise-peer-urls=http://127.0.0.1:1",
			"--initial-cluster=" + c.Name + "=http://127.0.0.1:1",
			"--unsafe-no-fsync", // survives the end of processes, not of the machine
			"--log-level=warn",
		}
	case apiServer:
		return append(apiServerNodeArgs(spec),
			"--etcd-servers="+etcdSocket,
			"--bind-address="+spec.Address.String(),
			"--advertise-address="+spec.Address.String(),
			"--secure-port="+strconv.Itoa(ports.APIServer),
			"--cert-dir=pki",
			"--tls-cert-file="+servingCert,
			"--tls-private-key-file="+servingKey,
			"--client-ca-file="+caCert,
			"--token-auth-file="+tokenFile,
			"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
			"--service-account-key-file="+serviceAccountKey,
			"--service-account-signing-key-file="+serviceAccountKey,
			"--service-cluster-ip-range="+node.ServiceRange.String(),
			"--authorization-mode=RBAC",
			"--allow-privileged",
		)
	case controllerManager:
		return append(controlPlaneArgs(c, spec.Address, ports.ControllerManager),
			"--service-account-private-key-file="+serviceAccountKey,
			"--root-ca-file="+caCert,
			"--cluster-signing-cert-file="+caCert,
			"--cluster-signing-key-file="+caKey,
			"--flex-volume-plugin-dir=flexvolume", // created if missing; the default is in /usr
		)
	case scheduler:
		return controlPlaneArgs(c, spec.Address, ports.Scheduler)
	case kwok:
		return []string{
			"--kubeconfig=" + c.Kubeconfig(),
			"--config=" + stagesFile,
			"--manage-all-nodes=true",
			fmt.Sprintf("--node-lease-duration-seconds=%d", leaseDuration/time.Second),
		}
	}
	panic("no such part: " + part)
}

// apiServerNodeArgs are what depends on the kind of the nodes.
func apiServerNodeArgs(spec cluster.Spec) []string {
	if !spec.RealNode {
		return []string{"--endpoint-reconciler-type=none"} // endpoints cannot be loopback
	}
	return []string{ // for the logs of containers, and commands in them
		"--kubelet-preferred-address-types=InternalIP",
		"--kubelet-client-certificate=" + servingCert,
		"--kubelet-client-key=" + servingKey,
	}
}

// controlPlaneArgs are what the controller manager and the scheduler have in
// common.
func controlPlaneArgs(c cluster.Cluster, address netip.Addr, port int) []string {
	return []string{
		"--kubeconfig=" + c.Kubeconfig(),
		"--leader-elect=false", // there is one of each
		"--bind-address=" + address.String(),
		"--secure-port=" + strconv.Itoa(port),
		"--tls-cert-file=" + servingCert,
		"--tls-private-key-file=" + servingKey,
	}
}
