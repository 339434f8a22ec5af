package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// A Cluster is the place of one cluster; whether it exists is another matter.
type Cluster struct {
	Dir  string // absolute
	Name string
}

// validName is what Kubernetes allows in the names of nodes, which begin with
// the cluster's name, and what is safe as the name of a folder.
var validName = regexp.MustCompile(`\A[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?\z`)

// New returns the cluster called name in dir.
func New(dir, name string) (Cluster, error) {
	if !validName.MatchString(name) {
		return Cluster{}, fmt.Errorf("%q cannot be the name of a cluster: 1 to 40 of a-z, 0-9 and -, no - at the ends", name)
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return Cluster{}, err
	}
	return Cluster{Dir: absolute, Name: name}, nil
}

// List returns the clusters that exist in dir, by name. A dir that does not
// exist has none.
func List(dir string) ([]Cluster, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var found []Cluster
	for _, entry := range entries {
		c, err := New(dir, entry.Name())
		if err != nil || !entry.IsDir() {
			continue // nothing of ours
		}
		exists, err := c.Exists()
		if err != nil {
			return nil, err
		}
		if exists {
			found = append(found, c)
		}
	}
	return found, nil
}

// Home is the folder of everything but the kubeconfig.
func (c Cluster) Home() string { return filepath.Join(c.Dir, c.Name) }

// Kubeconfig is the file that users reach the cluster with.
func (c Cluster) Kubeconfig() string { return filepath.Join(c.Dir, c.Name+".kubeconfig") }

// LogFile is where the part called part writes its log.
func (c Cluster) LogFile(part string) string { return c.file("logs", part+".log") }

// OpenLog opens the log of a part to add to it.
func (c Cluster) OpenLog(part string) (*os.File, error) {
	file := c.LogFile(part)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
}

func (c Cluster) file(elem ...string) string {
	return filepath.Join(append([]string{c.Home()}, elem...)...)
}

// Exists tells whether the cluster has been created and not been removed.
func (c Cluster) Exists() (bool, error) {
	_, err := os.Stat(c.file(specFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Create writes spec into the home that Lock has made. It refuses to touch
// files that are not the cluster's own.
func (c Cluster) Create(spec Spec) error {
	if _, err := os.Lstat(c.Kubeconfig()); err == nil {
		return fmt.Errorf("%s is there already and belongs to no cluster", c.Kubeconfig())
	}
	entries, err := os.ReadDir(c.Home())
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is there already and is not a cluster", c.Home())
	}
	return c.WriteSpec(spec)
}

// Remove deletes all files of the cluster. What makes it a cluster goes last, so
// that an interrupted removal can be repeated.
func (c Cluster) Remove() error {
	if err := os.Remove(c.Kubeconfig()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the kubeconfig: %w", err)
	}
	entries, err := os.ReadDir(c.Home())
	if err != nil {
		return fmt.Errorf("removing the home: %w", err)
	}
	for _, entry := range entries {
		if entry.Name() == specFile {
			continue
		}
		if err := removeAll(c.file(entry.Name())); err != nil {
			return fmt.Errorf("removing the home: %w", err)
		}
	}
	if err := removeAll(c.Home()); err != nil {
		return fmt.Errorf("removing the home: %w", err)
	}
	return nil
}

// removeWithin is how long processes that were killed may take to be gone.
const removeWithin = 10 * time.Second

// removeAll is os.RemoveAll that goes on when somebody makes a new file meanwhile: the parts of a killed supervisor die
// with it, but on a busy machine not at the same moment.
func removeAll(path string) error {
	for deadline := time.Now().Add(removeWithin); ; time.Sleep(10 * time.Millisecond) {
		err := os.RemoveAll(path)
		if !errors.Is(err, syscall.ENOTEMPTY) || time.Now().After(deadline) {
			return err
		}
	}
}
