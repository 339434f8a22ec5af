package cgroup

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	const (
		root   = "24 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
		cpu    = "40 35 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
		cpuset = "41 35 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
		beside = "42 35 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
		only   = "35 24 0:29 / /sys/fs/cgroup rw,nosuid shared:8 master:2 - cgroup2 cgroup2 rw,nsdelegate\n"
	)
	for name, test := range map[string]struct {
		mounts string
		want   []hierarchy // in use
	}{
		"a machine without any":     {root, nil},
		"the first version":         {root + cpu + cpuset, []hierarchy{{path: "/sys/fs/cgroup/cpu,cpuacct"}, {path: "/sys/fs/cgroup/cpuset", cpuset: true}}},
		"the second version beside": {root + beside + cpu, []hierarchy{{path: "/sys/fs/cgroup/cpu,cpuacct"}}},
		"the second version alone":  {root + only, []hierarchy{{path: "/sys/fs/cgroup", unified: true}}},
	} {
		all, err := parse(strings.NewReader(test.mounts))
		if got := inUse(all); err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, test.want)
		}
	}
}

// skip leaves a test out where its precondition is missing. Where everything has to be tested that is a failure.
func skip(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func TestAGroupIsRemovedWithAllBelowIt(t *testing.T) {
	if os.Getuid() != 0 {
		skip(t, "makes control groups, which takes root")
	}
	name := fmt.Sprintf("kubelab-test-%d", os.Getpid())
	t.Cleanup(func() { _ = Remove(name) })
	if err := Create(name); err != nil {
		skip(t, fmt.Sprintf("this machine has no control groups to give: %v", err))
	}
	all, err := hierarchies()
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range inUse(all) {
		if err := os.MkdirAll(filepath.Join(h.path, name, "kubepods", "pod"), 0o755); err != nil {
			t.Error(err)
		}
	}
	if err := Create(name); err != nil {
		t.Errorf("a second time: %v", err)
	}
	for range 2 {
		if err := Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	for _, h := range all {
		if _, err := os.Stat(filepath.Join(h.path, name)); !os.IsNotExist(err) {
			t.Errorf("%s is left in %s: %v", name, h.path, err)
		}
	}
}
