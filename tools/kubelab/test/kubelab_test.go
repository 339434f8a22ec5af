package test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// binary is the kubelab to test: that of KUBELAB_BIN, or one built for the
// occasion, which takes a second if the build cache has Kubernetes.
var binary = os.Getenv("KUBELAB_BIN")

// patience bounds every wait. It is far more than anything takes.
const patience = 60 * time.Second

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if binary == "" {
		folder, err := os.MkdirTemp("", "kubelab")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(folder)
		binary = filepath.Join(folder, "kubelab")
		build := exec.Command("go", "run", "./build", "-o", binary)
		build.Dir = ".."
		build.Stdout = os.Stderr
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "building kubelab:", err)
			return 1
		}
	}
	return m.Run()
}

// A lab is a folder of clusters. Whatever is left in it when the test ends is
// taken down.
type lab struct {
	t   *testing.T
	dir string
}

// newLab makes a lab in a new folder, or in one below it.
func newLab(t *testing.T, below ...string) lab {
	l := lab{t, filepath.Join(append([]string{t.TempDir(), "clusters"}, below...)...)}
	t.Cleanup(func() {
		if output, err := exec.Command(binary, "down", "--dir", l.dir).CombinedOutput(); err != nil {
			t.Errorf("cleaning up: %v: %s", err, output)
		}
	})
	return l
}

// try runs kubelab and returns what it prints.
func (l lab) try(args ...string) (stdout, stderr string, err error) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	defer cancel()
	command := exec.CommandContext(ctx, binary, append(args, "--dir", l.dir)...)
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	err = command.Run()
	return out.String(), errs.String(), err
}

// run runs kubelab, which must succeed.
func (l lab) run(args ...string) string {
	l.t.Helper()
	since := time.Now()
	stdout, stderr, err := l.try(args...)
	if err != nil {
		l.t.Fatalf("kubelab %s: %v\n%s", strings.Join(args, " "), err, stderr)
	}
	l.t.Logf("kubelab %s: %.1f s", strings.Join(args, " "), time.Since(since).Seconds())
	return stdout
}

// refuse runs kubelab, which must fail with exit code 1 and one line that
// contains want.
func (l lab) refuse(want string, args ...string) {
	l.t.Helper()
	_, stderr, err := l.try(args...)
	exit, ok := err.(*exec.ExitError)
	if !ok || exit.ExitCode() != 1 {
		l.t.Errorf("kubelab %s: %v, want exit code 1", strings.Join(args, " "), err)
	}
	first, _, _ := strings.Cut(stderr, "\n")
	if !strings.HasPrefix(first, "kubelab: ") || !strings.Contains(first, want) {
		l.t.Errorf("kubelab %s says %q, want %q", strings.Join(args, " "), stderr, want)
	}
}

// A status is what kubelab status --json says of one cluster.
type status struct {
	Name   string
	State  string
	Server string
	Nodes  int
	Pid    int
	Parts  []struct {
		Name  string
		Pid   int
		Ended string
	}
}

func (l lab) status(name string) status {
	l.t.Helper()
	var all []status
	if err := json.Unmarshal([]byte(l.run("status", name, "--json")), &all); err != nil || len(all) != 1 {
		l.t.Fatalf("status of %s: %v, %d clusters", name, err, len(all))
	}
	return all[0]
}

func (l lab) expectState(name, want string) status {
	l.t.Helper()
	s := l.status(name)
	if s.State != want {
		l.t.Fatalf("cluster %s is %s, should be %s: %+v", name, s.State, want, s)
	}
	return s
}

// pids are the processes of a running cluster.
func (s status) pids() []int {
	pids := []int{s.Pid}
	for _, part := range s.Parts {
		pids = append(pids, part.Pid)
	}
	return pids
}

func (s status) pid(part string) int {
	for _, p := range s.Parts {
		if p.Name == part {
			return p.Pid
		}
	}
	return 0
}

// client reaches the cluster the way users do.
func (l lab) client(name string) *kubernetes.Clientset {
	l.t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(l.dir, name+".kubeconfig"))
	if err != nil {
		l.t.Fatal(err)
	}
	config.QPS = -1
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		l.t.Fatal(err)
	}
	return client
}

// eventually waits until check is content.
func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v: %v", what, patience, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// alive returns those of the processes that live. A zombie does not.
func alive(pids []int) []int {
	var found []int
	for _, pid := range pids {
		content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		_, afterName, _ := strings.Cut(string(content), ") ")
		if !strings.HasPrefix(afterName, "Z") {
			found = append(found, pid)
		}
	}
	return found
}

// processesIn returns the command lines of all processes that work in dir or
// name it.
func processesIn(t *testing.T, dir string) []string {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, process := range processes {
		line, _ := os.ReadFile(process + "/cmdline")
		folder, _ := os.Readlink(process + "/cwd")
		if bytes.Contains(line, []byte(dir)) || strings.HasPrefix(folder, dir) {
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

// expectNothing fails if the lab has left a file or a process.
func (l lab) expectNothing() {
	l.t.Helper()
	entries, err := os.ReadDir(l.dir)
	if err != nil && !os.IsNotExist(err) {
		l.t.Fatal(err)
	}
	for _, entry := range entries {
		l.t.Errorf("left behind: %s", entry.Name())
	}
	for _, process := range processesIn(l.t, l.dir) {
		l.t.Errorf("left behind: %s", process)
	}
}
