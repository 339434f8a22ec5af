package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/internal/cli"
)

// terminal is what a command writes, while it writes.
type terminal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *terminal) Write(data []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(data)
}

func (t *terminal) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

// apiServer is a server with a configuration that leads to it.
type apiServer struct {
	*recorder
	config string
}

func serve(t *testing.T) apiServer {
	t.Helper()
	dir := t.TempDir()
	r, stop, err := newServer(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	config := filepath.Join(dir, "rok.yaml")
	if err := os.WriteFile(config, []byte("user: u\napi_url: "+r.url), 0o600); err != nil {
		t.Fatal(err)
	}
	return apiServer{r, config}
}

// send is a request beside rok, which must be answered well.
func (s apiServer) send(t *testing.T, method, path, body string) {
	t.Helper()
	w := httptest.NewRecorder()
	s.next.ServeHTTP(w, httptest.NewRequest(method, s.url+path, strings.NewReader(body)))
	if w.Code >= 300 {
		t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
}

// watched waits until somebody watches. No change after that is missed.
func (s apiServer) watched(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		s.mu.Lock()
		lines := strings.Join(s.lines, "\n")
		s.mu.Unlock()
		if strings.Contains(lines, "watch=") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("nobody watches:\n%s", lines)
		}
	}
}

const (
	applicationsOfU = "/kubernetes/namespaces/u/applications"
	demo            = `{"metadata": {"name": "demo"}, "spec": {"manifest": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}],
		"constraints": {"migration": true, "cluster": {"labels": [], "custom_resources": [], "metrics": []}}}}`
)

// start runs a command line until stop is called. It returns what the command writes, and its exit code when it has ended.
func (s apiServer) start(t *testing.T, line string, width int) (out, errs *terminal, stop func(), ended chan int) {
	t.Helper()
	out, errs, ended = &terminal{}, &terminal{}, make(chan int, 1)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	world := cli.IO{In: strings.NewReader(""), Out: out, Err: errs, OutWidth: width, Env: func(key string) string {
		return map[string]string{"NO_COLOR": "1"}[key]
	}}
	go func() { ended <- cli.Main(ctx, append(strings.Fields(line), "--config", s.config), world) }()
	return out, errs, cancel, ended
}

// shows waits until a command has written a text.
func shows(t *testing.T, out *terminal, text string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(out.String(), text); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%q is not shown:\n%s", text, out)
		}
	}
}

// exit waits for the end of a command.
func exit(t *testing.T, ended chan int, want int, errs *terminal) {
	t.Helper()
	select {
	case code := <-ended:
		if code != want {
			t.Errorf("exit code %d, want %d: %s", code, want, errs)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it goes on")
	}
}

func TestWatchAList(t *testing.T) {
	for name, c := range map[string]struct {
		form                          string
		width                         int
		added, modified, deleted, not string
	}{
		"tables":      {"", 0, "| demo | u         | None   |", "| demo | u         | a: b   |", "| demo | u         | a: b   |", "\x1b"},
		"a terminal":  {"", 300, "\x1b[H\x1b[2J+-", "| a: b   |", "+======+===========+========+=========+==========+=========+=======+\n+-", "\"type\""},
		"JSON lines":  {"-o json", 300, `{"type":"ADDED","object":{"api":"kubernetes",`, `{"type":"MODIFIED",`, `{"type":"DELETED",`, "\x1b"},
		"YAML":        {"-o yaml", 0, "---\nobject:\n", "\ntype: MODIFIED\n", "\ntype: DELETED\n", "\x1b"},
		"names alone": {"-o name", 0, "demo\n", "demo\ndemo\n", "demo\ndemo\ndemo\n", "|"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			out, errs, stop, ended := s.start(t, "kube app list --watch "+c.form, c.width)
			if c.width == 300 && c.form == "" {
				shows(t, out, "name") // an empty table is shown before there is anything
			}
			s.send(t, http.MethodPost, applicationsOfU, demo)
			shows(t, out, c.added)
			s.send(t, http.MethodPatch, applicationsOfU+"/demo", `{"metadata": {"labels": {"a": "b"}}}`)
			shows(t, out, c.modified)
			s.send(t, http.MethodDelete, applicationsOfU+"/demo?force=True", "")
			shows(t, out, c.deleted)
			stop()
			exit(t, ended, 130, errs)
			if strings.Contains(out.String(), c.not) || errs.String() != "" {
				t.Errorf("it shows too much: %s%s", out, errs)
			}
		})
	}
}

// TestWatchACluster shows what it takes over from its cloud with every change.
func TestWatchACluster(t *testing.T) {
	s := serve(t)
	s.send(t, http.MethodPost, "/infrastructure/namespaces/u/clouds", `{"metadata": {"name": "sky", "labels": {"location": "DE"}}, "spec": {"type": "openstack", "openstack": {
		"url": "http://ks", "metrics": [], "infrastructure_provider": {"name": "im"}, "auth": {"type": "password", "password": {
		"user": {"username": "u", "password": "p"}, "project": {"name": "p"}}}}}}`)
	s.send(t, http.MethodPost, "/kubernetes/namespaces/u/clusters", `{"metadata": {"name": "c", "inherit_labels": true}, "spec": {
		"tosca": {"tosca_definitions_version": "tosca_simple_yaml_1_0", "topology_template": {"outputs": {"kubeconfig": {"value": "x"}}}},
		"constraints": {"cloud": {"labels": [], "metrics": []}}}}`)
	const status = "/kubernetes/namespaces/u/clusters/c/status"
	s.send(t, http.MethodPatch, status, `{"status": {"scheduled_to": {"api": "infrastructure", "kind": "Cloud", "name": "sky", "namespace": "u"}}}`)
	out, errs, stop, ended := s.start(t, "cluster get c --watch", 0)
	s.watched(t)
	s.send(t, http.MethodPatch, status, `{"status": {"state": "ONLINE"}}`)
	shows(t, out, "| ONLINE")
	stop()
	exit(t, ended, 130, errs)
	if n := strings.Count(out.String(), "location: DE (inherited)"); n != 2 {
		t.Errorf("the labels of the cloud are there %d times:\n%s", n, out)
	}
}

// TestWatchASelection tells of nothing else, and says when something is no longer part of it.
func TestWatchASelection(t *testing.T) {
	s := serve(t)
	out, errs, stop, ended := s.start(t, "app list --watch -o json --selector tier=web", 0)
	s.watched(t)
	s.send(t, http.MethodPost, applicationsOfU, strings.Replace(demo, "demo", "other", 1))
	s.send(t, http.MethodPost, applicationsOfU, strings.Replace(demo, `"name": "demo"`, `"name": "demo", "labels": {"tier": "web"}`, 1))
	shows(t, out, `{"type":"ADDED"`)
	s.send(t, http.MethodPatch, applicationsOfU+"/demo", `{"metadata": {"labels": {"tier": null}}}`)
	shows(t, out, `{"type":"DELETED"`)
	stop()
	exit(t, ended, 130, errs)
	if strings.Contains(out.String(), "other") {
		t.Errorf("it shows too much: %s", out)
	}
}

func TestWatchAnObject(t *testing.T) {
	for _, width := range []int{0, 100} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			s.send(t, http.MethodPost, applicationsOfU, demo)
			out, errs, _, ended := s.start(t, "app get demo --watch", width)
			shows(t, out, "| PENDING")
			s.send(t, http.MethodPost, applicationsOfU, strings.Replace(demo, "demo", "other", 1))
			s.send(t, http.MethodPatch, applicationsOfU+"/demo/status", `{"status": {"state": "RUNNING"}}`)
			shows(t, out, "| RUNNING")
			s.send(t, http.MethodDelete, applicationsOfU+"/demo?force=True", "")
			exit(t, ended, 0, errs)
			if strings.Contains(out.String(), "other") {
				t.Errorf("another object is shown:\n%s", out)
			}
		})
	}
}

// TestAWatchOfALostServer says once that it is lost.
func TestAWatchOfALostServer(t *testing.T) {
	var gone atomic.Bool
	s := stranger(t, func(w http.ResponseWriter, r *http.Request) {
		if gone.Load() || r.URL.Query().Has("watch") {
			gone.Store(true)
			panic(http.ErrAbortHandler)
		}
		fmt.Fprint(w, `{"items": [], "metadata": {}}`)
	})
	_, errs, stop, ended := s.start(t, "app list --watch", 0)
	shows(t, errs, "Warning: the connection to "+s.url+" is lost (")
	time.Sleep(300 * time.Millisecond) // a few attempts
	stop()
	exit(t, ended, 130, errs)
	if strings.Count(errs.String(), "Warning") != 1 {
		t.Error(errs)
	}
}

func TestWatchAnObjectThatIsNotThere(t *testing.T) {
	s := serve(t)
	out, errs, _, ended := s.start(t, "app get demo --watch", 0)
	exit(t, ended, 1, errs)
	if out.String() != "" || !strings.Contains(errs.String(), "NOT_FOUND_ERROR") {
		t.Errorf("%s%s", out, errs)
	}
}

func TestWaitFor(t *testing.T) {
	for name, c := range map[string]struct {
		line, method, path, body string
		code                     int
		out, err                 string
	}{
		"running": {"wait app demo", http.MethodPatch, "/demo/status", `{"status": {"state": "RUNNING"}}`, 0, "| RUNNING", ""},
		"another state": {"wait applications demo --for degraded -o json", http.MethodPatch, "/demo/status", `{"status": {"state": "DEGRADED"}}`,
			0, `"state": "DEGRADED"`, ""},
		"the end": {"wait app demo --for deleted -o name", http.MethodDelete, "/demo?force=True", "", 0, "demo\n", ""},
		"what fails": {"wait app demo", http.MethodPatch, "/demo/status",
			`{"status": {"state": "FAILED", "reason": {"code": "NO_SUITABLE_RESOURCE", "message": "None fits"}}}`,
			1, "", "Error: Application 'demo' has failed: NO_SUITABLE_RESOURCE: None fits\n"},
		"what goes": {"wait app demo", http.MethodDelete, "/demo?force=True", "", 1, "", "Error: Application 'demo' is gone; it was PENDING, not RUNNING\n"},
		"what never comes": {"wait app demo --timeout 300ms", http.MethodPatch, "/demo", `{"metadata": {"labels": {"a": "b"}}}`,
			1, "", "Error: Application 'demo' is PENDING, not RUNNING, after 300ms: --timeout is how long to wait\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			s.send(t, http.MethodPost, applicationsOfU, demo)
			out, errs, _, ended := s.start(t, c.line, 0)
			s.watched(t)
			s.send(t, c.method, applicationsOfU+c.path, c.body)
			exit(t, ended, c.code, errs)
			if !strings.Contains(out.String(), c.out) || errs.String() != c.err {
				t.Errorf("%s%s", out, errs)
			}
		})
	}
}

// TestAWatchGoesOn when the server has forgotten what happened, and when the connection breaks. No change is lost.
func TestAWatchGoesOn(t *testing.T) {
	s := serve(t)
	s.send(t, http.MethodPost, applicationsOfU, demo)
	var watches atomic.Int32
	broken := stranger(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("watch") {
			switch watches.Add(1) {
			case 1:
				w.Header().Set("Content-Type", "application/problem+json")
				w.WriteHeader(http.StatusGone)
				fmt.Fprint(w, `{"status": 410, "type": "about:blank", "detail": "too old"}`)
				return
			case 2:
				panic(http.ErrAbortHandler)
			}
		}
		s.ServeHTTP(w, r)
	})
	out, errs, stop, ended := broken.start(t, "app list --watch -o json", 0)
	s.watched(t)
	s.send(t, http.MethodPatch, applicationsOfU+"/demo", `{"metadata": {"labels": {"a": "b"}}}`)
	shows(t, out, "MODIFIED")
	stop()
	exit(t, ended, 130, errs)
	// It was listed twice, as the first watch could not begin where the list ended.
	if added, modified := strings.Count(out.String(), "ADDED"), strings.Count(out.String(), "MODIFIED"); added != 2 || modified != 1 || watches.Load() != 3 {
		t.Errorf("%d added, %d modified, %d watches:\n%s%s", added, modified, watches.Load(), out, errs)
	}
}
