package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// answering starts a server that gives one answer to everything, and writes a configuration that leads to it.
func answering(t *testing.T, contentType, body string, status int) (config, url string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	file := filepath.Join(t.TempDir(), "rok.yaml")
	if err := os.WriteFile(file, []byte("user: u\napi_url: "+s.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, s.URL
}

// TestErrorsOnATerminal shows what a person sees and what a program gets.
func TestErrorsOnATerminal(t *testing.T) {
	const notFound = `{"type": "t", "title": "NOT_FOUND_ERROR", "status": 404, "detail": "no x"}`
	const document = "{\n  \"detail\": \"no x\",\n  \"status\": 404,\n  \"title\": \"NOT_FOUND_ERROR\",\n  \"type\": \"t\"\n}\n"
	for name, c := range map[string]struct {
		body     string
		status   int
		terminal bool
		args     string
		want     string
	}{
		"a person":                   {notFound, 404, true, "", "Error 404 NOT_FOUND_ERROR: no x\n"},
		"a person who asks for JSON": {notFound, 404, true, "-o json", document},
		"a program":                  {notFound, 404, false, "", document},
		"no title":                   {`{"type": "about:blank", "status": 403, "detail": "403: Forbidden"}`, 403, true, "", "Error 403 Forbidden: Forbidden\n"},
		"no problem document":        {"<html>", 502, false, "", "Error 502 Bad Gateway: that is all that URL answers; is it a Krake API?\n"},
	} {
		t.Run(name, func(t *testing.T) {
			config, url := answering(t, "application/problem+json", c.body, c.status)
			var out, errs bytes.Buffer
			world := IO{Out: &out, Err: &errs, ErrTerminal: c.terminal, OutWidth: 80, Env: func(string) string { return "" }}
			args := append([]string{"kube", "app", "get", "x", "--config", config}, strings.Fields(c.args)...)
			if code := Main(context.Background(), args, world); code != exitFailure {
				t.Errorf("exit code %d", code)
			}
			if got := strings.ReplaceAll(errs.String(), url, "URL"); got != c.want || out.Len() > 0 {
				t.Errorf("got %q and the output %q, want %q", got, out.String(), c.want)
			}
		})
	}
}

// TestInvalidDocumentsOnATerminal tells a person of every field on a line of its own.
func TestInvalidDocumentsOnATerminal(t *testing.T) {
	for name, c := range map[string]struct{ detail, want string }{
		"one field": {"{'spec': {'manifest': [\"Field 'kind' not found\"]}}", "Error 422 Unprocessable Entity: spec.manifest: Field 'kind' not found\n"},
		"several": {
			"{'metadata': {'name': ['Invalid character in resource name.'], 'labels': [{'tier': 'Label is bad'}]}, 'spec': {'_schema': ['Nothing there.', 'Really.'], 'hooks': {0: ['Bad.']}, 'tosca': [['Not a map.'], ['Not a text.']]}}",
			"Error 422 Unprocessable Entity:\n  metadata.name: Invalid character in resource name.\n  metadata.labels.tier: Label is bad\n" +
				"  spec: Nothing there.\n  spec: Really.\n  spec.hooks[0]: Bad.\n  spec.tosca: Not a map.\n  spec.tosca: Not a text.\n",
		},
		"the whole document":   {"{'_schema': ['Not a map.']}", "Error 422 Unprocessable Entity: Not a map.\n"},
		"another form":         {"{'a': 5}", "Error 422 Unprocessable Entity: {'a': 5}\n"},
		"a sentence":           {"It is 'wrong'.", "Error 422 Unprocessable Entity: It is 'wrong'.\n"},
		"a tree without leafs": {"{}", "Error 422 Unprocessable Entity: {}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			body, err := json.Marshal(map[string]any{"type": "about:blank", "status": 422, "detail": c.detail})
			if err != nil {
				t.Fatal(err)
			}
			config, _ := answering(t, "application/problem+json", string(body), 422)
			var errs bytes.Buffer
			world := IO{Out: &bytes.Buffer{}, Err: &errs, ErrTerminal: true, OutWidth: 80, Env: func(string) string { return "" }}
			if code := Main(context.Background(), []string{"kube", "app", "get", "x", "--config", config}, world); code != exitFailure {
				t.Errorf("exit code %d", code)
			}
			if got := errs.String(); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

// TestAStateThatWasNotReached is told to a person; a script has asked for nothing more than an answer.
func TestAStateThatWasNotReached(t *testing.T) {
	manifest := filepath.Join(t.TempDir(), "cm.yaml")
	kubeconfig := filepath.Join(t.TempDir(), "kc.yaml")
	for file, text := range map[string]string{
		manifest:   "kind: ConfigMap",
		kubeconfig: "{current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}], clusters: [{name: c}], users: [{name: u}]}",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	create, register := "kube app create x -f "+manifest, "kube cluster register -k "+kubeconfig
	ended := func(state string) string {
		return "Warning: the API has stopped waiting for " + state + "; 'get' shows how it goes on\n"
	}
	for name, c := range map[string]struct {
		args, state string
		noTerminal  bool
		want        string
	}{
		"created":                   {create + " --wait", "PENDING", false, ended("RUNNING")},
		"created and running":       {create + " --wait", "RUNNING", false, ""},
		"created without waiting":   {create, "PENDING", false, ""},
		"created by a script":       {create + " --wait", "PENDING", true, ""},
		"updated":                   {"kube app update x -l a=b --wait reconciling", "RUNNING", false, ended("RECONCILING")},
		"deleted":                   {"kube app delete x --wait", "DELETING", false, ended("DELETED")},
		"deletion started":          {"kube app delete x --wait deleting", "DELETING", false, ""},
		"deletion is over":          {"kube app delete x --wait deleting", "DELETED", false, ""},
		"deletion waits for a hook": {"kube app delete x --wait deleting", "WAITING_FOR_CLEANING", false, ended("DELETING")},
		"registered":                {register + " --wait", "CONNECTING", false, ended("ONLINE")},
		"registered and reached":    {register + " --wait", "ONLINE", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			config, _ := answering(t, "application/json", `{"metadata": {"name": "x"}, "spec": {}, "status": {"state": "`+c.state+`"}}`, 200)
			var errs bytes.Buffer
			world := IO{Out: &bytes.Buffer{}, Err: &errs, ErrTerminal: !c.noTerminal, OutWidth: 80, Env: func(string) string { return "" }}
			if code := Main(context.Background(), append(strings.Fields(c.args), "--config", config), world); code != exitOK || errs.String() != c.want {
				t.Errorf("exit code %d: got %q, want %q", code, &errs, c.want)
			}
		})
	}
}

// TestWidthOfATerminal fits tables to it, unless the command line or the environment says otherwise.
func TestWidthOfATerminal(t *testing.T) {
	config, _ := answering(t, "application/json", `{"items": [{"metadata": {"name": "a-name-of-many-characters", "namespace": "system:admin"}}]}`, 200)
	for name, c := range map[string]struct {
		args, columns string
		terminal      int
		want          int
	}{
		"a terminal":        {"", "", 60, 60},
		"no terminal":       {"", "", 0, 92},
		"the environment":   {"", "50", 60, 50},
		"the command line":  {"--width 70", "50", 60, 70},
		"any width":         {"--width 0", "50", 60, 92},
		"a wide terminal":   {"", "", 200, 92},
		"no room":           {"--width 1", "", 0, 29},
		"COLUMNS is no one": {"", "wide", 60, 60},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			world := IO{Out: &out, Err: &out, OutWidth: c.terminal, Env: func(key string) string {
				return map[string]string{"COLUMNS": c.columns}[key]
			}}
			args := append([]string{"kube", "app", "list", "--config", config}, strings.Fields(c.args)...)
			if code := Main(context.Background(), args, world); code != exitOK {
				t.Fatalf("exit code %d: %s", code, &out)
			}
			if got, _, _ := strings.Cut(out.String(), "\n"); len(got) != c.want {
				t.Errorf("the table has %d columns, want %d:\n%s", len(got), c.want, &out)
			}
		})
	}
}

// TestInterrupted ends a command that waits with the exit code of an interrupt.
func TestInterrupted(t *testing.T) {
	config, _ := answering(t, "application/json", "{}", 200)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	world := IO{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}, Env: func(string) string { return "" }}
	if code := Main(ctx, []string{"kube", "app", "list", "--config", config}, world); code != exitInterrupted {
		t.Errorf("exit code %d", code)
	}
}

// broken is a device that is full.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// TestAFullDevice is no error in the command line.
func TestAFullDevice(t *testing.T) {
	config, _ := answering(t, "application/json", `{"items": [], "version": "x"}`, 200)
	for _, line := range []string{
		"--print-completion bash", "--print-completion zsh", "--print-completion fish", "--print-completion tcsh",
		"version --config " + config, "kube app list --config " + config, "kube app list -o yaml --config " + config,
	} {
		t.Run(line, func(t *testing.T) {
			var errs bytes.Buffer
			world := IO{Out: broken{}, Err: &errs, Env: func(string) string { return "" }}
			if code := Main(context.Background(), strings.Fields(line), world); code != exitFailure || errs.String() != "Error: no space left on device\n" {
				t.Errorf("exit code %d: %s", code, &errs)
			}
		})
	}
}

// TestTheThreeAnswers are for people: scripts read the table of the Python client.
func TestTheThreeAnswers(t *testing.T) {
	config, _ := answering(t, "application/json", `{"metadata": {"name": "x"}, "spec": {}, "status": {"conditions": [
		{"type": "InSync", "status": "False", "reason": "Missing", "message": "a b c", "last_transition": "2030-01-02T03:04:05Z"}]}}`, 200)
	for name, c := range map[string]struct {
		args     string
		terminal int
		want     bool
	}{
		"a person":                   {"", 80, true},
		"a script":                   {"", 0, false},
		"who asks for everything":    {"-o wide", 0, true},
		"a person who asks for YAML": {"-o yaml", 80, false},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			world := IO{Out: &out, Err: &out, OutWidth: c.terminal, Env: func(string) string { return "" }}
			args := append([]string{"kube", "app", "get", "x", "--config", config}, strings.Fields(c.args)...)
			if code := Main(context.Background(), args, world); code != exitOK {
				t.Fatalf("exit code %d: %s", code, &out)
			}
			for _, text := range []string{"| placed ", "| in sync ", "False, Missing, since 2030-01-02 03:04:05", "| healthy "} {
				if strings.Contains(out.String(), text) != c.want {
					t.Errorf("%q: want %t in\n%s", text, c.want, &out)
				}
			}
		})
	}
}
