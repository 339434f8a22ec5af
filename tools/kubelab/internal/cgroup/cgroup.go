package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Create makes the group called name at the top of each hierarchy. The kubelet
// refuses to start if one is missing.
func Create(name string) error {
	all, err := hierarchies()
	if err != nil {
		return err
	}
	for _, h := range inUse(all) {
		if err := h.create(name); err != nil {
			return fmt.Errorf("making the control group %s: %w", name, err)
		}
	}
	return nil
}

func (h hierarchy) create(name string) error {
	if h.unified {
		if err := enableControllers(h.path); err != nil {
			return err
		}
	}
	if err := os.Mkdir(filepath.Join(h.path, name), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if !h.cpuset {
		return nil
	}
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		value, err := os.ReadFile(filepath.Join(h.path, file))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(h.path, name, file), value, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// enableControllers hands the controllers that a group has down to its children.
// That stays: by the time that the node ends, others may count on it.
func enableControllers(path string) error {
	controllers, err := os.ReadFile(filepath.Join(path, "cgroup.controllers"))
	if err != nil {
		return err
	}
	for _, controller := range strings.Fields(string(controllers)) {
		if err := os.WriteFile(filepath.Join(path, "cgroup.subtree_control"), []byte("+"+controller), 0o644); err != nil {
			return fmt.Errorf("handing down the controller %s: %w", controller, err)
		}
	}
	return nil
}

// Remove removes the group called name and all below it, in all hierarchies. It
// fails as long as a process is in one of them. A group that does not exist is
// as good as removed.
func Remove(name string) error {
	all, err := hierarchies()
	if err != nil {
		return err
	}
	var failures []error
	for _, h := range all {
		failures = append(failures, remove(filepath.Join(h.path, name)))
	}
	return errors.Join(failures...)
}

// remove removes a folder of control groups. What looks like files in it goes
// with it, and cannot be removed before.
func remove(path string) error {
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() {
			if err := remove(filepath.Join(path, entry.Name())); err != nil {
				return err
			}
		}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
