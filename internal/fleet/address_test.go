package fleet

import (
	"strings"
	"testing"
)

func TestServiceAddresses(t *testing.T) {
	for name, c := range map[string]struct{ service, want string }{
		"B1 a node port":               {"spec: {type: NodePort, ports: [{port: 80, nodePort: 1234}, {port: 81, nodePort: 1235}]}", "127.0.0.1:1234"},
		"B2 a cluster's own address":   {"spec: {type: ClusterIP, ports: [{port: 80}]}", ""},
		"B2 a node port that is open":  {"spec: {type: NodePort, ports: [{port: 80}]}", ""},
		"B2 no ports":                  {"spec: {type: NodePort}", ""},
		"B2 an empty list of ports":    {"spec: {type: NodePort, ports: []}", ""},
		"B2 no specification":          {"status: {}", ""},
		"B3 a balancer with address":   {"spec: {type: LoadBalancer, ports: [{port: 80, nodePort: 1234}]}\nstatus: {loadBalancer: {ingress: [{ip: 10.0.0.1}]}}", "10.0.0.1:80"},
		"B6 a balancer with host name": {"spec: {type: LoadBalancer, ports: [{port: 80}]}\nstatus: {loadBalancer: {ingress: [{hostname: lb.example.org}]}}", "lb.example.org:80"},
		"a balancer of IPv6":           {"spec: {type: LoadBalancer, ports: [{port: 80}]}\nstatus: {loadBalancer: {ingress: [{ip: '2001:db8::1'}]}}", "[2001:db8::1]:80"},
		"B4 a balancer to come":        {"spec: {type: LoadBalancer, ports: [{port: 80}]}\nstatus: {loadBalancer: {}}", "<pending>:80"},
		"a balancer without ports":     {"spec: {type: LoadBalancer}\nstatus: {loadBalancer: {ingress: [{ip: 10.0.0.1}]}}", "10.0.0.1:<pending>"},
	} {
		t.Run(name, func(t *testing.T) {
			service := object(t, "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"+c.service)
			got, ok := ServiceAddress(service, "127.0.0.1")
			if got != c.want || ok != (c.want != "") {
				t.Errorf("%q, %t", got, ok)
			}
		})
	}
	other := object(t, "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{nodePort: 1}]}")
	if got, ok := ServiceAddress(other, "127.0.0.1"); ok {
		t.Errorf("a service of another group is at %s", got)
	}
}

func TestTheAddressOfARealService(t *testing.T) {
	b := newBench(t)
	live := b.apply(b.resolve(b.owner, `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: SPACE}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80}]}`)[0]).Live
	if got, ok := ServiceAddress(live, b.Host()); !ok || !strings.HasPrefix(got, "127.0.0.1:3") {
		t.Errorf("%q, %t", got, ok)
	}
}
