//go:build node

package node

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/rak-n-rok/krake/internal/kubelabtest"
)

const guests = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: guest}
spec:
  replicas: %d
  selector: {matchLabels: {app: guest}}
  template:
    metadata: {labels: {app: guest}}
    spec:
      terminationGracePeriodSeconds: 2
      containers: [{name: guest, image: "krake.test/guest:1"}]
`

// command is rok as it is called by people, for what goes on.
func (k *krake) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(k.Context(), filepath.Join(k.root, "bin", "rok"), args...)
	cmd.Env = append(os.Environ(), k.env...)
	return cmd
}

// guests writes the manifest of so many guests and returns its file.
func (k *krake) guests(n int) string {
	k.Helper()
	file := filepath.Join(k.TempDir(), "guests.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, guests, n), 0o600); err != nil {
		k.Fatal(err)
	}
	return file
}

// metric reads a value of the server's.
func (k *krake) metric(name string) float64 {
	k.Helper()
	resp, err := http.Get(k.url + "/metrics")
	if err != nil {
		k.Fatal(err)
	}
	defer resp.Body.Close()
	for in := bufio.NewScanner(resp.Body); in.Scan(); {
		if text, ok := strings.CutPrefix(in.Text(), name+" "); ok {
			value, err := strconv.ParseFloat(text, 64)
			if err != nil {
				k.Fatal(err)
			}
			return value
		}
	}
	k.Fatalf("there is no metric %s", name)
	return 0
}

// TestThroughToContainers uses everything that leads into containers, on one application.
func TestThroughToContainers(t *testing.T) {
	k := newKrake(t)
	program := filepath.Join(t.TempDir(), "guest")
	build := exec.Command("go", "build", "-o", program, "./guest")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	kubelabtest.Image(t, "krake.test/guest:1", program)
	k.rok("kube", "app", "create", "-f", k.guests(1), "-L", "location is DE", "guest")
	defer func() { _, _ = k.tryRok("kube", "app", "delete", "guest") }() // if a test did not
	k.await("the guest's first lines", func() error {
		out, err := k.tryRok("kube", "app", "log", "guest")
		if err == nil && !strings.Contains(out, "line 2\n") {
			err = errors.New(out)
		}
		return err
	})
	t.Run("log", k.testLog)
	t.Run("exec", k.testExec)
	t.Run("a terminal", k.testTerminal)
	t.Run("a client that reads nothing", k.testFlood)
	t.Run("port-forward", k.testForward)
	t.Run("diff", k.testDiff)
	t.Run("a cluster without WebSockets", func(t *testing.T) {
		before := kubelabtest.RealClusters(t, "berlin")[0].Path
		k.rok("kube", "cluster", "update", "-k", withoutWebSockets(t, before), "berlin")
		defer k.rok("kube", "cluster", "update", "-k", before, "berlin")
		k.testExec(t)
		k.testForward(t)
	})
	t.Run("pods that come and go", k.testFollow)
}

func (k *krake) testLog(t *testing.T) {
	for args, want := range map[string]*regexp.Regexp{
		"guest":                            regexp.MustCompile(`\A(\[guest-[a-z0-9-]+/guest\] line \d+\n)+\z`),
		"guest --tail 2":                   regexp.MustCompile(`\A(\[guest-\S+\] line \d+\n){2}\z`),
		"guest --tail 1 -c guest":          regexp.MustCompile(`\A(\[guest-\S+\] line \d+\n){1}\z`),
		"guest --tail 1 --timestamps":      regexp.MustCompile(`\A\[guest-\S+\] \d{4}-\d\d-\d\dT\S+ line \d+\n\z`),
		"guest --since 1h":                 regexp.MustCompile(`\A\[guest-\S+\] line 1\n`),
		"guest --tail 1 --pod " + k.aPod(): regexp.MustCompile(`\Aline \d+\n\z`),
		"guest --tail 0":                   regexp.MustCompile(`\A\z`),
	} {
		if out := k.rok(append([]string{"kube", "app", "log"}, strings.Fields(args)...)...); !want.MatchString(out) {
			t.Errorf("log %s: %q", args, out)
		}
	}
	_, err := k.tryRok("kube", "app", "log", "guest", "--pod", k.aPod(), "-c", "nope")
	if err == nil || !strings.Contains(err.Error(), "has no container nope; it has guest") {
		t.Errorf("an unknown container: %v", err)
	}
}

var podName = regexp.MustCompile(`\[(guest-\S+)/guest\]`)

// aPod is the name of a pod that writes.
func (k *krake) aPod() string {
	k.Helper()
	found := podName.FindStringSubmatch(k.rok("kube", "app", "log", "guest", "--tail", "1"))
	if found == nil {
		k.Fatal("no pod writes")
	}
	return found[1]
}

func (k *krake) testExec(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 1<<16) // 1 MiB
	for name, c := range map[string]struct {
		args, stdin, out, err string
		code                  int
	}{
		"both outputs and a code": {"guest -- /program exit 3", "", "out\n", "err\n", 3},
		"success":                 {"guest -- /program exit 0", "", "out\n", "err\n", 0},
		"input to its end":        {"-i guest -- /program cat", long, long, "", 0},
		"no input":                {"guest -- /program cat", "unread", "", "", 0},
		"no such program":         {"guest -- /nope", "", "", "no such file", 1},
		"no such pod":             {"guest --pod nope -- /program", "", "", "has no pod nope", 1},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := k.command(append([]string{"kube", "app", "exec"}, strings.Fields(c.args)...)...)
			var out, stderr bytes.Buffer
			cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(c.stdin), &out, &stderr
			_ = cmd.Run()
			if code := cmd.ProcessState.ExitCode(); code != c.code {
				t.Errorf("code %d, want %d: %s", code, c.code, stderr.String())
			}
			if out.String() != c.out {
				t.Errorf("%d bytes came, want %d", out.Len(), len(c.out))
			}
			if !strings.Contains(stderr.String(), c.err) {
				t.Errorf("said %q, want %q", stderr.String(), c.err)
			}
		})
	}
}

func (k *krake) testTerminal(t *testing.T) {
	cmd := k.command("kube", "app", "exec", "-it", "guest", "--", "/program", "size")
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 30, Cols: 90})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(terminal); in.Scan(); {
			lines <- in.Text()
		}
	}()
	await := func(want string) {
		t.Helper()
		var seen []string
		for deadline := time.After(patience); ; {
			select {
			case line, more := <-lines:
				if strings.Contains(line, want) {
					return
				}
				if seen = append(seen, line); !more {
					t.Fatalf("no %q: %q", want, seen)
				}
			case <-deadline:
				t.Fatalf("no %q in time: %q", want, seen)
			}
		}
	}
	await("size 90 30")
	if err := pty.Setsize(terminal, &pty.Winsize{Rows: 40, Cols: 100}); err != nil {
		t.Fatal(err)
	}
	await("size 100 40")
	if _, err := terminal.WriteString("hello\r"); err != nil {
		t.Fatal(err)
	}
	await(`read "hello\n"`)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// testFlood has a command write without an end, of which nothing is read: it has to wait, and goes with its client.
func (k *krake) testFlood(t *testing.T) {
	open := k.metric("krake_api_requests_in_flight")
	cmd := k.command("kube", "app", "exec", "guest", "--", "/program", "flood")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	before := k.metric("go_memstats_heap_inuse_bytes")
	time.Sleep(2 * time.Second) // in which it could write gigabytes
	if grown := k.metric("go_memstats_heap_inuse_bytes") - before; grown > 64<<20 {
		t.Errorf("the server took %.0f MiB more for what nobody reads", grown/(1<<20))
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	k.await("the end of the flood", func() error {
		if n := k.metric("krake_api_requests_in_flight"); n > open {
			return fmt.Errorf("%.0f requests are open, %.0f were", n, open)
		}
		return nil
	})
}

func (k *krake) testForward(t *testing.T) {
	ctx, cancel := context.WithCancel(k.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(k.root, "bin", "rok"), "kube", "app", "port-forward", "guest", ":8080", ":9")
	cmd.Env = append(os.Environ(), k.env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var addresses []string
	in := bufio.NewScanner(out)
	for len(addresses) < 2 && in.Scan() {
		addresses = append(addresses, strings.Fields(in.Text())[2])
	}
	if len(addresses) < 2 {
		t.Fatal("it does not listen")
	}
	said := strings.Repeat("hello ", 50_000) + "\n"
	for range 3 { // each connection is one of its own
		if got := speak(t, addresses[0], said); got != "you said "+said {
			t.Errorf("%d bytes came back, want %d", len(got), len(said)+9)
		}
	}
	if got := speak(t, addresses[1], ""); got != "" { // nobody listens there
		t.Errorf("an empty port said %q", got)
	}
	cancel()
	if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() != 0 {
		t.Errorf("it ended with %v", err)
	}
}

// speak says something and returns what comes back.
func speak(t *testing.T, address, text string) string {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience / 3))
	_, _ = io.WriteString(conn, text)
	got, err := io.ReadAll(conn)
	if err != nil && text != "" {
		t.Error(err)
	}
	return string(got)
}

func (k *krake) testDiff(t *testing.T) {
	if out := k.rok("kube", "app", "diff", "guest"); out != "nothing would change\n" {
		t.Errorf("a diff of what is stored: %s", out)
	}
	cmd := k.command("kube", "app", "diff", "guest", "-f", k.guests(3))
	out, _ := cmd.Output()
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(string(out), "update Deployment guest in default\n~ spec.replicas: 1 -> 3\n") {
		t.Errorf("code %d: %s", code, out)
	}
	cmd = k.command("kube", "app", "diff", "nobody")
	if _ = cmd.Run(); cmd.ProcessState.ExitCode() != 2 {
		t.Errorf("code %d of a diff that cannot be made", cmd.ProcessState.ExitCode())
	}
}

// testFollow follows the application while it gets a second pod and moves to another cluster.
func (k *krake) testFollow(t *testing.T) {
	cmd := k.command("kube", "app", "log", "-f", "--tail", "1", "guest")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pods := make(chan string)
	go func() {
		defer close(pods)
		known := map[string]bool{}
		for in := bufio.NewScanner(out); in.Scan(); {
			if found := podName.FindStringSubmatch(in.Text()); found == nil {
				t.Errorf("what is %q?", in.Text())
			} else if !known[found[1]] {
				known[found[1]] = true
				pods <- found[1]
			}
		}
	}()
	next := func(what string) {
		t.Helper()
		select {
		case _, more := <-pods:
			if !more {
				t.Fatalf("the log ended before %s", what)
			}
		case <-time.After(patience):
			t.Fatalf("in vain waited for a line of %s", what)
		}
	}
	next("the first pod")
	k.rok("kube", "app", "update", "-f", k.guests(2), "guest")
	next("the second pod")
	k.rok("kube", "app", "update", "-L", "location is SK", "guest")
	next("a pod on the other cluster")
	next("the other pod on the other cluster")
	k.rok("kube", "app", "delete", "guest")
	for range pods {
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the log of an application that is gone ended with %v", err)
	}
}
