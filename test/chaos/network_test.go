//go:build chaos

package chaos

import (
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// A node is a network namespace with one cable to the bridge at which the clients are.
type node struct {
	name    string
	address string
	others  []string // the addresses of the members of etcd, for servers
}

// network makes the bridge and the nodes.
func network(t *testing.T) (members, servers []*node) {
	t.Helper()
	if err := syscall.Mount("", "/", "", syscall.MS_PRIVATE|syscall.MS_REC, ""); err != nil {
		t.Fatal(err)
	}
	for target, kind := range map[string]string{"/proc": "proc", "/run": "tmpfs"} {
		if err := syscall.Mount(kind, target, kind, 0, ""); err != nil {
			t.Fatal(err)
		}
	}
	ip(t, "link set lo up")
	ip(t, "link add bridge type bridge")
	ip(t, "address add 10.77.0.1/24 dev bridge")
	ip(t, "link set bridge up")
	for i := range 3 {
		members = append(members, newNode(t, fmt.Sprint("etcd", i), fmt.Sprint("10.77.0.", 11+i)))
	}
	for i := range 3 {
		n := newNode(t, fmt.Sprint("api", i), fmt.Sprint("10.77.0.", 21+i))
		for _, m := range members {
			n.others = append(n.others, m.address)
		}
		servers = append(servers, n)
	}
	return members, servers
}

func newNode(t *testing.T, name, address string) *node {
	t.Helper()
	ip(t, "netns add "+name)
	ip(t, "link add "+name+" type veth peer name eth0 netns "+name)
	ip(t, "link set "+name+" master bridge up")
	ip(t, "-n "+name+" link set lo up")
	ip(t, "-n "+name+" address add "+address+"/24 dev eth0")
	ip(t, "-n "+name+" link set eth0 up")
	return &node{name: name, address: address}
}

// cut takes the node from everybody; the returned function brings it back.
func (n *node) cut(t *testing.T) (heal func()) {
	ip(t, "link set "+n.name+" down")
	return func() { ip(t, "link set "+n.name+" up") }
}

// cutFromEtcd leaves a server to its clients and takes the database from it.
func (n *node) cutFromEtcd(t *testing.T) (heal func()) {
	for _, address := range n.others {
		ip(t, "-n "+n.name+" route add blackhole "+address+"/32")
	}
	return func() {
		for _, address := range n.others {
			ip(t, "-n "+n.name+" route del blackhole "+address+"/32")
		}
	}
}

func ip(t *testing.T, words string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(words)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", words, err, out)
	}
}
