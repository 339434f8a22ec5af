//go:build node

package test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// namespaceKinds are those in which a real node has its own.
var namespaceKinds = []string{"net", "pid", "mnt"}

// A trace is what the host sees of a running real node.
type trace struct {
	namespaces map[uint64]bool // of the node and of its pods
	processes  []int           // in them
	link       string          // the host's interface
	group      string          // the node's control group
	mounts     string          // of the host
	rules      string          // of the host's packet filter
}

// traces notes what there is of a cluster's node while it runs.
func traces(t *testing.T, s status) trace {
	t.Helper()
	first := fmt.Sprintf("/proc/%d", s.pid("node-init"))
	seen := trace{namespaces: map[uint64]bool{}, mounts: hostMounts(t), rules: hostRules(t)}
	processes, err := inode(first + "/ns/pid")
	if err != nil {
		t.Fatal(err)
	}
	seen.processes = processesOf("pid", map[uint64]bool{processes: true})
	for _, pid := range seen.processes {
		for _, kind := range namespaceKinds {
			if id, err := inode(fmt.Sprintf("/proc/%d/ns/%s", pid, kind)); err == nil && !isHosts(kind, id) {
				seen.namespaces[id] = true
			}
		}
	}
	address := netip.MustParseAddr(host(t, s)).As4()
	seen.link, seen.group = fmt.Sprintf("klab%x", address), fmt.Sprintf("kubelab-%x", address)
	for name, found := range map[string]bool{
		"a namespace":     len(seen.namespaces) >= len(namespaceKinds),
		"an interface":    seen.hasLink(),
		"a control group": len(seen.groups()) > 0,
	} {
		if !found {
			t.Errorf("the running node has not got %s: %+v", name, seen)
		}
	}
	if strings.Contains(seen.rules, "KUBE-") || strings.Contains(seen.rules, "CNI-") {
		t.Errorf("the host has rules of the node:\n%s", seen.rules)
	}
	return seen
}

// expectGone fails unless all that was noted goes away. Processes of others come
// and go meanwhile, and so do others' interfaces and groups.
func (seen trace) expectGone(t *testing.T) {
	t.Helper()
	expectDead(t, seen.processes)
	eventually(t, "nothing being left of the node", func() error {
		var left []error
		for _, kind := range namespaceKinds {
			if pids := processesOf(kind, seen.namespaces); len(pids) > 0 {
				left = append(left, fmt.Errorf("processes %v are in its namespaces", pids))
			}
		}
		if seen.hasLink() {
			left = append(left, fmt.Errorf("the interface %s", seen.link))
		}
		if groups := seen.groups(); len(groups) > 0 {
			left = append(left, fmt.Errorf("the control groups %v", groups))
		}
		return errors.Join(left...)
	})
	if now := hostMounts(t); now != seen.mounts {
		t.Errorf("the host's mounts were\n%s\nand are\n%s", seen.mounts, now)
	}
	if now := hostRules(t); strings.Contains(now, "KUBE-") || strings.Contains(now, "CNI-") {
		t.Errorf("the host has rules of the node:\n%s", now)
	}
}

func (seen trace) hasLink() bool {
	_, err := net.InterfaceByName(seen.link)
	return err == nil
}

func (seen trace) groups() []string {
	one, _ := filepath.Glob(filepath.Join("/sys/fs/cgroup", seen.group))
	each, _ := filepath.Glob(filepath.Join("/sys/fs/cgroup", "*", seen.group))
	return append(one, each...)
}

// processesOf returns the processes that are in one of the namespaces.
func processesOf(kind string, namespaces map[uint64]bool) []int {
	folders, _ := filepath.Glob("/proc/[0-9]*")
	var found []int
	for _, folder := range folders {
		if id, err := inode(folder + "/ns/" + kind); err == nil && namespaces[id] {
			var pid int
			if _, err := fmt.Sscanf(filepath.Base(folder), "%d", &pid); err == nil {
				found = append(found, pid)
			}
		}
	}
	return found
}

func isHosts(kind string, id uint64) bool {
	own, err := inode("/proc/self/ns/" + kind)
	return err == nil && own == id
}

// hostMounts are the mounts that the host sees and that a node might have made.
func hostMounts(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(content)) {
		for _, word := range []string{"clusters/", "/run/node", "kubelet", "containerd", "/netns/cni-"} {
			if strings.Contains(line, word) {
				found = append(found, line)
				break
			}
		}
	}
	return strings.Join(found, "")
}

// hostRules are those of the host's packet filter.
func hostRules(t *testing.T) string {
	t.Helper()
	output, err := exec.Command("iptables-save").Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(output)
}
