package supervisor

import (
	"fmt"
	"strconv"
	"time"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/cluster"
)

// The parts of a cluster.
const (
	etcd              = "etcd"
	apiServer         = "kube-apiserver"
	controllerManager = "kube-controller-manager"
	scheduler         = "kube-scheduler"
	kwok              = "kwok"
)

// serviceRange is where Services get their addresses. Nothing routes them here.
const serviceRange = "10.96.0.0/16"

// partArgs returns the arguments of a part. Paths are relative to the cluster's
// home.
func partArgs(part string, c cluster.Cluster, ports cluster.Ports) []string {
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
		return []string{
			"--etcd-servers=" + etcdSocket,
			"--bind-address=127.0.0.1",
			"--advertise-address=127.0.0.1",
			"--endpoint-reconciler-type=none", // endpoints cannot be loopback
			"--secure-port=" + strconv.Itoa(ports.APIServer),
			"--cert-dir=pki",
			"--tls-cert-file=" + servingCert,
			"--tls-private-key-file=" + servingKey,
			"--client-ca-file=" + caCert,
			"--token-auth-file=" + tokenFile,
			"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
			"--service-account-key-file=" + serviceAccountKey,
			"--service-account-signing-key-file=" + serviceAccountKey,
			"--service-cluster-ip-range=" + serviceRange,
			"--authorization-mode=RBAC",
			"--allow-privileged",
		}
	case controllerManager:
		return append(controlPlaneArgs(c, ports.ControllerManager),
			"--service-account-private-key-file="+serviceAccountKey,
			"--root-ca-file="+caCert,
			"--cluster-signing-cert-file="+caCert,
			"--cluster-signing-key-file="+caKey,
			"--flex-volume-plugin-dir=flexvolume", // created if missing; the default is in /usr
		)
	case scheduler:
		return controlPlaneArgs(c, ports.Scheduler)
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

// controlPlaneArgs are what the controller manager and the scheduler have in
// common.
func controlPlaneArgs(c cluster.Cluster, port int) []string {
	return []string{
		"--kubeconfig=" + c.Kubeconfig(),
		"--leader-elect=false", // there is one of each
		"--bind-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(port),
		"--tls-cert-file=" + servingCert,
		"--tls-private-key-file=" + servingKey,
	}
}
