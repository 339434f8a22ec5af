package cluster

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func newCluster(t *testing.T, dir, name string) Cluster {
	t.Helper()
	c, err := New(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// create makes a cluster as up does.
func create(t *testing.T, c Cluster) {
	t.Helper()
	lock, err := c.Lock(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := c.Create(Spec{Nodes: 2, Token: "secret"}); err != nil {
		t.Fatal(err)
	}
}

func TestNames(t *testing.T) {
	for name, valid := range map[string]bool{
		"a":                     true,
		"krake-1":               true,
		strings.Repeat("a", 40): true,
		"":                      false,
		strings.Repeat("a", 41): false,
		"-a":                    false,
		"a-":                    false,
		"A":                     false,
		"a.b":                   false,
		"..":                    false,
		"a/b":                   false,
		"a\n":                   false,
	} {
		if _, err := New("dir", name); (err == nil) != valid {
			t.Errorf("New(%q): %v, valid should be %v", name, err, valid)
		}
	}
}

func TestListFindsOnlyClusters(t *testing.T) {
	dir := t.TempDir()
	create(t, newCluster(t, dir, "b"))
	create(t, newCluster(t, dir, "a"))
	for _, folder := range []string{"other", "Not-A-Name"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}

	clusters, err := List(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(clusters) != 2 || clusters[0].Name != "a" || clusters[1].Name != "b" {
		t.Errorf("List found %v", clusters)
	}
	if clusters, err := List(filepath.Join(dir, "missing")); err != nil || len(clusters) != 0 {
		t.Errorf("List of a missing folder: %v, %v", clusters, err)
	}
}

func TestCreateKeepsForeignFiles(t *testing.T) {
	for what, foreign := range map[string]string{
		"a kubeconfig of that name":          "a.kubeconfig",
		"something in a folder of that name": "a/something",
	} {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, foreign)
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
				t.Fatal(err)
			}
			c := newCluster(t, dir, "a")
			lock, err := c.Lock(t.Context(), true)
			if err != nil {
				t.Fatal(err)
			}
			defer lock.Close()
			if err := c.Create(Spec{Nodes: 1}); err == nil || !strings.Contains(err.Error(), "is there already") {
				t.Errorf("Create: %v", err)
			}
			if content, _ := os.ReadFile(file); string(content) != "mine" {
				t.Errorf("%s was changed to %q", file, content)
			}
		})
	}
}

func TestRemoveLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	c := newCluster(t, dir, "a")
	create(t, c)
	if err := os.WriteFile(c.Kubeconfig(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Remove(); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
	if _, err := c.Status(t.Context()); !errors.Is(err, ErrNotFound) {
		t.Errorf("Status of a removed cluster: %v", err)
	}
}

func TestSpecSurvivesTheFile(t *testing.T) {
	c := newCluster(t, t.TempDir(), "a")
	create(t, c)
	spec := Spec{Nodes: 3, HasNodes: true, Token: "secret", Ports: Ports{APIServer: 1, ControllerManager: 2, Scheduler: 3}}
	if err := c.WriteSpec(spec); err != nil {
		t.Fatal(err)
	}
	if got, err := c.ReadSpec(); err != nil || got != spec {
		t.Errorf("ReadSpec: %+v, %v", got, err)
	}
	if info, err := os.Stat(filepath.Join(c.Home(), specFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the spec holds a token, but others can read it: %v, %v", info.Mode(), err)
	}
}
