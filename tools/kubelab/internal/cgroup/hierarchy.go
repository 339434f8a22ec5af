package cgroup

import (
	"bufio"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
)

// A hierarchy is a tree of control groups, mounted at path.
type hierarchy struct {
	path    string
	unified bool // version 2
	cpuset  bool // has the controller whose groups start out unusable
}

// hierarchies returns those that are mounted.
func hierarchies() ([]hierarchy, error) {
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer mounts.Close()
	found, err := parse(mounts)
	if err == nil && len(found) == 0 {
		err = errors.New("no control groups are mounted")
	}
	return found, err
}

// parse reads the form of /proc/self/mountinfo:
//
//	36 35 0:30 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
func parse(mounts io.Reader) ([]hierarchy, error) {
	var found []hierarchy
	lines := bufio.NewScanner(mounts)
	for lines.Scan() {
		mount, system, ok := strings.Cut(lines.Text(), " - ")
		before, after := strings.Fields(mount), strings.Fields(system)
		if !ok || len(before) < 5 || len(after) < 3 {
			continue
		}
		if after[0] != "cgroup" && after[0] != "cgroup2" {
			continue
		}
		found = append(found, hierarchy{
			path:    before[4],
			unified: after[0] == "cgroup2",
			cpuset:  slices.Contains(strings.Split(after[2], ","), "cpuset"),
		})
	}
	return found, lines.Err()
}

// inUse returns the hierarchies that the kubelet and runc use: those of the
// first version if there are any. A second version beside them has no
// controllers.
func inUse(all []hierarchy) []hierarchy {
	var first []hierarchy
	for _, h := range all {
		if !h.unified {
			first = append(first, h)
		}
	}
	if len(first) > 0 {
		return first
	}
	return all
}
