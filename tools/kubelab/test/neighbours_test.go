package test

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestFoldersDoNotDisturbEachOther runs two clusters of one name in two
// folders, one of which another program disturbs.
func TestFoldersDoNotDisturbEachOther(t *testing.T) {
	if testing.Short() {
		t.Skip("starts real clusters; leave out -short to run it")
	}
	one, two := newLab(t), newLab(t)
	one.run("up", "same", "--nodes", "1")
	two.run("up", "same", "--nodes", "1")
	if uid(t, one.client("same")) == uid(t, two.client("same")) {
		t.Fatal("both folders have the same cluster")
	}

	server := two.expectState("same", "running").Server
	two.run("stop", "same")
	other := occupy(t, server)
	two.refuse("port is in use", "start", "same")
	two.expectState("same", "stopped")
	other.Close()
	two.run("start", "same")

	one.run("down", "same")
	one.expectNothing()
	deploy(t, two.client("same"), "web")

	// Somebody deletes the other one's files instead of taking it down.
	left := two.expectState("same", "running").pids()
	if err := os.RemoveAll(two.dir); err != nil {
		t.Fatal(err)
	}
	expectDead(t, left)
}

// occupy takes the port of a server.
func occupy(t *testing.T, server string) net.Listener {
	t.Helper()
	address, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", address.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

func TestUpThatFailsLeavesNothing(t *testing.T) {
	l := newLab(t)
	_, stderr, err := l.try("up", "a", "b", "--timeout", "200ms")
	if err == nil {
		t.Fatal("two clusters were ready in 200 ms")
	}
	for _, want := range []string{
		"kubelab: a: not ready within 200ms, waiting for kube-apiserver to be ready: ",
		"kubelab: b: not ready within 200ms, waiting for kube-apiserver to be ready: ",
		"the last lines of the log of kube-apiserver:",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("%q is missing in\n%s", want, stderr)
		}
	}
	l.expectNothing()
}

// TestUpThatFailsTakesItsOtherClustersBack lets one of two clusters fail; the
// other one is ready then.
func TestUpThatFailsTakesItsOtherClustersBack(t *testing.T) {
	if testing.Short() {
		t.Skip("starts real clusters; leave out -short to run it")
	}
	l := newLab(t)
	mine := filepath.Join(l.dir, "b.kubeconfig")
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(mine, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	l.refuse("b: "+mine+" is there already", "up", "a", "b")
	if content, _ := os.ReadFile(mine); string(content) != "mine" {
		t.Errorf("%s was changed to %q", mine, content)
	}
	if err := os.Remove(mine); err != nil {
		t.Fatal(err)
	}
	l.expectNothing()
}

func TestInterruptedUpLeavesNothing(t *testing.T) {
	l := newLab(t)
	command := exec.Command(binary, "up", "a", "--dir", l.dir)
	var stderr strings.Builder
	command.Stderr = &stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "etcd being started", func() error {
		_, err := os.Stat(filepath.Join(l.dir, "a", "etcd"))
		return err
	})
	if err := command.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err == nil || !strings.Contains(stderr.String(), "kubelab: a: interrupted\n") {
		t.Errorf("up ended with %v: %s", err, stderr.String())
	}
	l.expectNothing()
}

func TestFolderThatCannotBeWritten(t *testing.T) {
	l := newLab(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	broken := lab{t, file}
	broken.refuse(fmt.Sprintf("a: creating the home: mkdir %s: not a directory", file), "up", "a")
	l.expectNothing()
}

func TestStatusOfAnEmptyFolder(t *testing.T) {
	l := newLab(t)
	if out := l.run("status"); out != "" {
		t.Errorf("printed %q", out)
	}
	l.run("down")
}
