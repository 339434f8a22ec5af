package kubelabtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/rak-n-rok/krake/api"
)

// lab is the clusters of this test binary.
var lab struct {
	sync.Mutex
	running  bool // within Run
	binary   string
	dir      string
	guard    *exec.Cmd
	line     io.Closer // the guard ends the clusters when this closes
	clusters map[string]*Cluster
}

// Run runs the tests of a binary and returns its exit code. Clusters that were started are gone when it returns.
func Run(m *testing.M) int {
	lab.Lock()
	lab.running, lab.clusters = true, map[string]*Cluster{}
	lab.Unlock()
	code := m.Run()
	lab.Lock()
	defer lab.Unlock()
	if lab.guard != nil {
		_ = lab.line.Close()
		if err := lab.guard.Wait(); err != nil {
			fmt.Fprintln(os.Stderr, "ending the clusters of kubelab:", err)
		}
	}
	return code
}

// Cluster is a real Kubernetes cluster.
type Cluster struct {
	Name string
	Path string // of its kubeconfig
}

// Clusters returns running clusters of these names, in this order. Each has two simulated nodes.
func Clusters(t testing.TB, names ...string) []*Cluster {
	t.Helper()
	return clusters(t, names)
}

// RealClusters returns running clusters of these names, in this order. Each has one real node, on which containers run
// and services answer. That takes root and some of Debian's packages; the test fails without.
func RealClusters(t testing.TB, names ...string) []*Cluster {
	t.Helper()
	return clusters(t, names, "--real-node")
}

// clusters creates those that are missing, with these flags.
func clusters(t testing.TB, names []string, flags ...string) []*Cluster {
	t.Helper()
	lab.Lock()
	defer lab.Unlock()
	if !lab.running {
		t.Fatal("kubelabtest.Clusters needs kubelabtest.Run in TestMain")
	}
	binary := binary(t)
	if lab.guard == nil {
		if err := open(binary); err != nil {
			t.Fatal(err)
		}
	}
	var missing []string
	for _, name := range names {
		if lab.clusters[name] == nil {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		if err := kubelab("up", append(missing, flags...)...); err != nil {
			t.Fatal(err)
		}
	}
	out := make([]*Cluster, len(names))
	for i, name := range names {
		if lab.clusters[name] == nil {
			lab.clusters[name] = &Cluster{name, filepath.Join(lab.dir, name+".kubeconfig")}
		}
		out[i] = lab.clusters[name]
	}
	return out
}

// Stop ends the cluster's processes and keeps its data.
func (c *Cluster) Stop(t testing.TB) { c.do(t, "stop") }

// Start starts the cluster again after Stop. It returns when the cluster is ready.
func (c *Cluster) Start(t testing.TB) { c.do(t, "start") }

func (c *Cluster) do(t testing.TB, command string) {
	t.Helper()
	lab.Lock()
	defer lab.Unlock()
	if err := kubelab(command, c.Name); err != nil {
		t.Fatal(err)
	}
}

// Kubeconfig is the way to the cluster, with all rights there.
func (c *Cluster) Kubeconfig(t testing.TB) api.Kubeconfig {
	t.Helper()
	content, err := os.ReadFile(c.Path)
	if err != nil {
		t.Fatal(err)
	}
	var k api.Kubeconfig
	if err := yaml.Unmarshal(content, &k); err != nil {
		t.Fatal(err)
	}
	return k
}

// open makes the folder of the clusters and starts their guard: a process that waits for the end of this one, and then
// ends the clusters, which would otherwise outlive a test binary that was killed.
func open(binary string) error {
	dir, err := os.MkdirTemp("", "kubelab")
	if err != nil {
		return err
	}
	guard := exec.Command("sh", "-c", `cat >/dev/null; "$0" down --dir "$1" >/dev/null; rm -rf "$1"`, binary, dir)
	guard.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // out of reach of an interrupt from the terminal
	guard.Stderr = os.Stderr
	line, err := guard.StdinPipe()
	if err != nil {
		return err
	}
	if err := guard.Start(); err != nil {
		return err
	}
	lab.binary, lab.dir, lab.guard, lab.line = binary, dir, guard, line
	return nil
}

func kubelab(command string, args ...string) error {
	c := exec.Command(lab.binary, append([]string{command, "--dir", lab.dir}, args...)...)
	out, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("kubelab %s: %w\n%s", command, err, bytes.TrimSpace(out))
	}
	return nil
}

// binary finds kubelab, or says how to get it.
func binary(t testing.TB) string {
	t.Helper()
	path, err := find()
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") == "true":
		t.Fatalf("%v: run `make kubelab`", err)
	default:
		t.Skipf("%v: run `make kubelab`", err)
	}
	return ""
}

// find looks for kubelab where $KUBELAB_BIN says, or in the folder bin of the module.
func find() (string, error) {
	if path := os.Getenv("KUBELAB_BIN"); path != "" {
		_, err := os.Stat(path)
		return path, err
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			path := filepath.Join(dir, "bin", "kubelab")
			_, err := os.Stat(path)
			return path, err
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
}

// Image gives an image to the real nodes of all clusters that were started: a name that manifests use, and the file of a
// static program, which is /program there.
func Image(t testing.TB, name, file string) {
	t.Helper()
	lab.Lock()
	defer lab.Unlock()
	if err := kubelab("image", name+"="+file); err != nil {
		t.Fatal(err)
	}
}
