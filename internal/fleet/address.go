package fleet

import (
	"net"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// pending stands for what a load balancer has not been given yet.
const pending = "<pending>"

// ServiceAddress returns where a live Service is reached from outside of its cluster, as HOST:PORT, and whether it is:
// one without node port or load balancer is not. Only the first port counts. host is that of the cluster's API server,
// where node ports are assumed to be reachable.
func ServiceAddress(service *unstructured.Unstructured, host string) (address string, ok bool) {
	if groupKind(service) != serviceKind {
		return "", false
	}
	var first map[string]any
	if ports := listAt(service.Object, "spec", "ports"); len(ports) > 0 {
		first = ports[0]
	}
	if textAt(service.Object, "spec", "type") == "LoadBalancer" {
		return net.JoinHostPort(balancer(service), port(first, "port", pending)), true
	}
	node := port(first, "nodePort", "")
	if node == "" {
		return "", false
	}
	return net.JoinHostPort(host, node), true
}

func port(of map[string]any, field, otherwise string) string {
	if n := numberAt(of, 0, field); n > 0 {
		return strconv.FormatInt(n, 10)
	}
	return otherwise
}

// balancer is the address of the load balancer: of some clouds an IP address, of others a host name.
func balancer(service *unstructured.Unstructured) string {
	if ingress := listAt(service.Object, "status", "loadBalancer", "ingress"); len(ingress) > 0 {
		for _, field := range []string{"ip", "hostname"} {
			if text := textAt(ingress[0], field); text != "" {
				return text
			}
		}
	}
	return pending
}
