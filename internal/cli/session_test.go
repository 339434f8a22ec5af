package cli_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"sigs.k8s.io/yaml"

	"github.com/rak-n-rok/krake/internal/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"rok":      run,
		"krakectl": run, // the name of the Python client
	})
}

// run is what cmd/rok does.
func run() {
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt)
	os.Exit(cli.Main(ctx, os.Args[1:], cli.Process()))
}

// TestSessions runs the scripts in testdata/sessions: what a user types and what comes back, from a server of its own
// for each script.
func TestSessions(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/sessions",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("XDG_CONFIG_HOME", filepath.Join(e.WorkDir, "config"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":         exits,
			"configuration": configuration,
			"server":        startServer,
			"answers":       answers,
			"want":          want,
			"patch":         patch,
			"post":          post,
			"requests":      requests,
			"until":         until,
			"served":        served,
		},
	})
}

var recorders sync.Map // by the script's name

func recorderOf(ts *testscript.TestScript) *recorder {
	r, ok := recorders.Load(ts.Name())
	if !ok {
		ts.Fatalf("no server: the script needs the line 'server'")
	}
	return r.(*recorder)
}

// requests compares what has reached the server since the last time with a file; without one it only forgets it:
// requests [FILE]
func requests(ts *testscript.TestScript, _ bool, args []string) {
	r := recorderOf(ts)
	r.mu.Lock()
	lines := r.lines
	r.lines = nil
	r.mu.Unlock()
	if len(args) == 0 {
		return
	}
	got := ""
	if len(lines) > 0 {
		got = masked(strings.Join(lines, "\n") + "\n")
	}
	if diff := cmp.Diff(ts.ReadFile(args[0]), got); diff != "" {
		ts.Fatalf("requests differ from %s, -want +got:\n%s", args[0], diff)
	}
}

// startServer starts a Krake API and writes a configuration that leads to it: server
func startServer(ts *testscript.TestScript, _ bool, _ []string) {
	r, stop, err := newServer(ts.MkAbs(".store"))
	ts.Check(err)
	ts.Defer(stop)
	recorders.Store(ts.Name(), r)
	configuration(ts, false, []string{"rok.yaml", "system:admin"})
}

// answers starts a server that is no Krake API, gives the answer in a file to every request, and writes a configuration
// that leads to it: answers FILE
func answers(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: answers FILE")
	}
	text := ts.ReadFile(args[0])
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answer, err := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), nil)
		if err != nil {
			panic(err)
		}
		maps.Copy(w.Header(), answer.Header)
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
	}))
	ts.Defer(s.Close)
	recorders.Store(ts.Name(), &recorder{url: s.URL})
	configuration(ts, false, []string{"rok.yaml", "system:admin"})
}

// configuration writes a configuration that leads to the server: configuration FILE USER [SCHEME PATH]
func configuration(ts *testscript.TestScript, _ bool, args []string) {
	url := recorderOf(ts).url
	switch len(args) {
	case 2:
	case 4:
		url = args[2] + strings.TrimPrefix(url, "http") + args[3] // http://… becomes SCHEME://…PATH
	default:
		ts.Fatalf("usage: configuration FILE USER [SCHEME PATH]")
	}
	text := fmt.Sprintf("api_url: %s\nuser: %s\n", url, args[1])
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// exits runs a command that must end with this code: exits CODE COMMAND...
func exits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	code := 0
	var failed *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &failed) {
		code = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d instead of %s", code, args[0])
	}
}

var masks = []struct {
	pattern *regexp.Regexp
	text    string
}{
	{regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`), "00000000-0000-4000-8000-000000000000"},
	{regexp.MustCompile(`(resource_version"?: ?['"])\d+`), "${1}7"},
	{regexp.MustCompile(`http://127\.0\.0\.1:\d+`), "http://127.0.0.1:8080"},
}

// masked makes equal what differs from run to run.
func masked(text string) string {
	for _, m := range masks {
		text = m.pattern.ReplaceAllString(text, m.text)
	}
	return text
}

// want compares what the last command wrote with a file, with identifiers and ports made equal:
// want stdout|stderr FILE
func want(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: want stdout|stderr FILE")
	}
	got := masked(ts.ReadFile(args[0]))
	if diff := cmp.Diff(ts.ReadFile(args[1]), got); diff != "" {
		ts.Fatalf("%s differs from %s, -want +got:\n%s", args[0], args[1], diff)
	}
}

// patch changes an object as a controller does, as soon as it exists: patch PATH FILE
func patch(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: patch PATH FILE")
	}
	body := ts.ReadFile(args[1])
	if !json.Valid([]byte(body)) {
		ts.Fatalf("%s is no JSON", args[1])
	}
	poll(ts, http.MethodPatch, args[0], body, func(answer []byte) bool { return true })
}

// post creates an object as a controller does: post PATH FILE
func post(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: post PATH FILE")
	}
	r := recorderOf(ts)
	w := httptest.NewRecorder()
	r.next.ServeHTTP(w, httptest.NewRequest(http.MethodPost, r.url+args[0], strings.NewReader(ts.ReadFile(args[1]))))
	if w.Code != http.StatusOK {
		ts.Fatalf("POST %s: %d %s", args[0], w.Code, w.Body)
	}
}

// until waits until an object has a deletion time: until deleted PATH
func until(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 || args[0] != "deleted" {
		ts.Fatalf("usage: until deleted PATH")
	}
	poll(ts, http.MethodGet, args[1], "", func(answer []byte) bool {
		var object struct{ Metadata struct{ Deleted *string } }
		ts.Check(json.Unmarshal(answer, &object))
		return object.Metadata.Deleted != nil
	})
}

// poll sends a request until the object exists and the answer is what it should be. It reaches the server beside the
// recorder.
func poll(ts *testscript.TestScript, method, path, body string, good func(answer []byte) bool) {
	r := recorderOf(ts)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		w := httptest.NewRecorder()
		r.next.ServeHTTP(w, httptest.NewRequest(method, r.url+path, strings.NewReader(body)))
		switch {
		case w.Code == http.StatusOK && good(w.Body.Bytes()):
			return
		case w.Code != http.StatusOK && w.Code != http.StatusNotFound, time.Now().After(deadline):
			ts.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
	}
}

// served compares what the last command wrote as JSON or YAML with what the server answers: served stdout PATH
func served(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: served stdout PATH")
	}
	r := recorderOf(ts)
	w := httptest.NewRecorder()
	r.next.ServeHTTP(w, httptest.NewRequest(http.MethodGet, r.url+args[1], nil))
	var want, got any
	ts.Check(json.Unmarshal(w.Body.Bytes(), &want))
	if text := []byte(ts.ReadFile(args[0])); json.Unmarshal(text, &got) != nil {
		ts.Check(yaml.Unmarshal(text, &got))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		ts.Fatalf("%s differs from %s, -want +got:\n%s", args[0], args[1], diff)
	}
}
