//go:build node

package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/internal/kubelabtest"
	"github.com/rak-n-rok/krake/internal/witness"
)

// patience bounds every wait. It is far more than anything takes.
const patience = 3 * time.Minute

func TestMain(m *testing.M) { os.Exit(kubelabtest.Run(m)) }

// krake is a server with two clusters whose nodes are real. It works in the folder of the module, as the README does.
type krake struct {
	testing.TB
	root string // of the module
	url  string
	env  []string // of rok

	restart func() // kills the server, and starts it again on what it has stored
}

// application is what is read of one.
type application struct {
	Status struct {
		State     string            `json:"state"`
		Services  map[string]string `json:"services"`
		RunningOn *struct {
			Name string `json:"name"`
		} `json:"running_on"`
		Conditions json.RawMessage `json:"conditions"`
	} `json:"status"`
}

// newKrake starts a server with these flags, and registers two clusters with the labels location=DE and location=SK.
func newKrake(t *testing.T, flags ...string) *krake {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	k := &krake{TB: t, root: root}
	clusters := kubelabtest.RealClusters(t, "berlin", "bratislava")
	k.serve(t.TempDir(), flags)
	for i, location := range []string{"DE", "SK"} {
		k.rok("kube", "cluster", "register", "-k", clusters[i].Path, "-l", "location="+location)
	}
	k.await("both clusters being ONLINE", func() error {
		list := k.rok("kube", "cluster", "list")
		if strings.Count(list, "ONLINE") != len(clusters) {
			return errors.New(list)
		}
		return nil
	})
	return k
}

var readyLine = regexp.MustCompile(`msg=ready address=(http://\S+)`)

// serve starts the server as a process, which ends with the test.
func (k *krake) serve(dir string, flags []string) {
	k.Helper()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		k.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(k.root, "bin", "krake"), append([]string{"server", "--listen", "127.0.0.1:0", "--data-dir", filepath.Join(dir, "data")}, flags...)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		k.Fatalf("%v: run `make build`", err)
	}
	k.restart = func() {
		k.Helper()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		k.serve(dir, flags)
	}
	k.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		_ = log.Close()
		if k.Failed() {
			content, _ := os.ReadFile(log.Name())
			k.Logf("what the server said:\n%s", content)
		}
	})
	k.await("the server being ready", func() error {
		content, err := os.ReadFile(log.Name())
		if err != nil {
			return err
		}
		found := readyLine.FindSubmatch(content)
		if found == nil {
			return errors.New("it has not said so")
		}
		k.url = string(found[1])
		return nil
	})
	config := filepath.Join(dir, "rok.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, "api_url: %s\nuser: system:admin\n", k.url), 0o600); err != nil {
		k.Fatal(err)
	}
	k.env = []string{"ROK_CONFIG=" + config}
}

// rok runs the client, which must succeed, and returns what it prints.
func (k *krake) rok(args ...string) string {
	k.Helper()
	out, err := k.tryRok(args...)
	if err != nil {
		k.Fatal(err)
	}
	return out
}

func (k *krake) tryRok(args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(k.root, "bin", "rok"), args...)
	cmd.Dir, cmd.Env = k.root, append(os.Environ(), k.env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("rok %s: %w: %s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return string(out), nil
}

var errNone = errors.New("there is no such application")

// app reads an application past rok, as programs do.
func (k *krake) app(ctx context.Context, name string) (application, error) {
	var app application
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url+"/kubernetes/namespaces/system:admin/applications/"+name, nil)
	if err != nil {
		return app, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return app, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotFound {
		return app, errNone
	}
	if resp.StatusCode != http.StatusOK {
		return app, errors.New(resp.Status)
	}
	return app, json.NewDecoder(resp.Body).Decode(&app)
}

// awaitRunning waits until an application is RUNNING on a cluster and its service has an address there, and returns that.
func (k *krake) awaitRunning(name, cluster string) (address string) {
	k.Helper()
	k.await(name+" being RUNNING on "+cluster, func() error {
		app, err := k.app(k.Context(), name)
		if err != nil {
			return err
		}
		s := app.Status
		if s.State != "RUNNING" || s.RunningOn == nil || s.RunningOn.Name != cluster || s.Services[name] == "" {
			return fmt.Errorf("it is %s on %v with the services %v, conditions %s", s.State, s.RunningOn, s.Services, s.Conditions)
		}
		address = s.Services[name]
		return nil
	})
	return address
}

// remove deletes an application and waits until nothing of it is left.
func (k *krake) remove(name string) {
	k.Helper()
	k.rok("kube", "app", "delete", name)
	k.await("the end of "+name, func() error {
		app, err := k.app(context.WithoutCancel(k.Context()), name)
		if errors.Is(err, errNone) {
			return nil
		}
		return fmt.Errorf("it is %s, %v", app.Status.State, err)
	})
}

// curl asks an address until it answers, and returns the answer.
func (k *krake) curl(address string) (answer string) {
	k.Helper()
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	k.await("an answer of "+address, func() error {
		_, err := witness.Ask(k.Context(), client, address, func(body string) (string, bool) {
			answer = body
			return witness.EchoHost(body)
		})
		return err
	})
	return answer
}

// await waits until check returns nil.
func (k *krake) await(what string, check func() error) {
	k.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			k.Fatalf("in vain waited for %s: %v", what, err)
		}
	}
}
