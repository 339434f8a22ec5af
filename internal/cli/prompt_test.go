package cli_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// onTerminal starts rok on a terminal of its own and returns the terminal, what rok writes there, and its end.
func (s apiServer) onTerminal(t *testing.T, line string) (keys *os.File, out *terminal, ended chan error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "rok", append(strings.Fields(line), "--config", s.config)...)
	keys, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 60})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keys.Close() })
	out, ended = &terminal{}, make(chan error, 1)
	go func() {
		buffer := make([]byte, 1024)
		for {
			n, err := keys.Read(buffer)
			_, _ = out.Write(bytes.ReplaceAll(buffer[:n], []byte("\r"), nil))
			if err != nil { // the other end is closed
				ended <- cmd.Wait()
				return
			}
		}
	}()
	return keys, out, ended
}

func endsWith(t *testing.T, ended chan error, want int, out *terminal) {
	t.Helper()
	select {
	case err := <-ended:
		code := 0
		if failed := new(exec.ExitError); errors.As(err, &failed) {
			code = failed.ExitCode()
		}
		if code != want {
			t.Errorf("exit code %d, want %d:\n%s", code, want, out)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("it goes on:\n%s", out)
	}
}

// stored is an object as the server has it.
func (s apiServer) stored(path string) string {
	w := httptest.NewRecorder()
	s.next.ServeHTTP(w, httptest.NewRequest(http.MethodGet, s.url+path, nil))
	return w.Body.String()
}

const (
	register = "infra gip register im --type im --url http://im:8800 --username me"
	im       = "/infrastructure/globalinfrastructureproviders/im"
)

// TestPrompts asks for passwords on a real terminal, where they are not to be seen.
func TestPrompts(t *testing.T) {
	s := serve(t)
	keys, out, ended := s.onTerminal(t, register)
	shows(t, out, "Password: ")
	press(t, keys, "first secret\n")
	endsWith(t, ended, 0, out)
	if got := out.String(); strings.Contains(got, "secret") || !strings.Contains(got, "| im ") {
		t.Errorf("the terminal shows\n%s", got)
	}
	if got := s.stored(im); !strings.Contains(got, `"first secret"`) {
		t.Errorf("the server has %s", got)
	}

	// An update asks when it is told to, or when nothing else is named.
	for _, line := range []string{"infra gip update im --ask-password", "infra gip update im"} {
		keys, out, ended = s.onTerminal(t, line)
		shows(t, out, "Password: ")
		press(t, keys, "of "+strings.TrimPrefix(line, "infra gip ")+"\n")
		endsWith(t, ended, 0, out)
		if got := s.stored(im); !strings.Contains(got, `"of `+strings.TrimPrefix(line, "infra gip ")+`"`) {
			t.Errorf("the server has %s", got)
		}
	}
	_, out, ended = s.onTerminal(t, "infra gip update im --url http://other:8800")
	endsWith(t, ended, 0, out)
	_, out, ended = s.onTerminal(t, "infra gip update nobody")
	endsWith(t, ended, 1, out)
	if got := out.String(); strings.Contains(got, "Password") || !strings.Contains(got, "Error 404 NOT_FOUND_ERROR: ") {
		t.Errorf("the terminal shows\n%s", got)
	}
}

// TestNoPassword ends a command that gets none, and changes nothing.
func TestNoPassword(t *testing.T) {
	for name, c := range map[string]struct {
		keys, want string
		code       int
	}{
		"an empty line": {"\n", "Error: the password is empty; nothing has been changed\n", 1},
		"an interrupt":  {"\x03", "", 130},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			keys, out, ended := s.onTerminal(t, register)
			shows(t, out, "Password: ")
			press(t, keys, c.keys)
			endsWith(t, ended, c.code, out)
			if !strings.Contains(out.String(), c.want) || strings.Contains(s.stored(im), "metadata") {
				t.Errorf("the terminal shows\n%s", out)
			}
		})
	}
}

// TestAnApprovalIsAskedFor asks on a real terminal, after it has shown what would be removed.
func TestAnApprovalIsAskedFor(t *testing.T) {
	const waiting = `{"parts": {"removal": {"waiting": [{"cluster": "id", "kind": "Secret", "namespace": "solar", "name": "key", "uid": "u-1"}]}}}`
	for name, c := range map[string]struct {
		keys     string
		code     int
		approved bool
	}{
		"yes":           {"y\n", 0, true},
		"in words":      {"Yes\n", 0, true},
		"no":            {"n\n", 1, false},
		"an empty line": {"\n", 1, false},
		"no answer":     {"\x04", 1, false},
		"an interrupt":  {"\x03", 130, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			s.send(t, http.MethodPost, applicationsOfU, demo)
			s.send(t, http.MethodPatch, applicationsOfU+"/demo/status", waiting)
			keys, out, ended := s.onTerminal(t, "kube app approve demo")
			shows(t, out, "Remove what is listed (1)? [y/N] ")
			if !strings.Contains(out.String(), "| id") {
				t.Errorf("it asks before it shows what for:\n%s", out)
			}
			press(t, keys, c.keys)
			endsWith(t, ended, c.code, out)
			if got := s.stored(applicationsOfU + "/demo/removal"); strings.Contains(got, `"allowed":["u-1"]`) != c.approved {
				t.Errorf("the server has %s", got)
			}
		})
	}
}

func press(t *testing.T, keys *os.File, text string) {
	t.Helper()
	if _, err := keys.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// TestATerminalHasAWidth fits tables to it.
func TestATerminalHasAWidth(t *testing.T) {
	s := serve(t)
	s.send(t, http.MethodPost, applicationsOfU, demo)
	t.Setenv("NO_COLOR", "1")
	_, out, ended := s.onTerminal(t, "kube app list")
	endsWith(t, ended, 0, out)
	for line := range strings.Lines(out.String()) {
		if n := len(strings.TrimSpace(line)); n != 60 {
			t.Errorf("a line has %d characters: %q", n, line)
		}
	}
}

// TestAClosedPipe ends rok quietly when nobody reads on, as after head.
func TestAClosedPipe(t *testing.T) {
	s := serve(t)
	s.send(t, http.MethodPost, applicationsOfU, demo)
	for _, line := range []string{"kube app list --watch -o json", "kube app list", "--print-completion bash"} {
		reader, writer, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		reader.Close()
		args := strings.Fields(line)
		if !strings.HasPrefix(line, "--") {
			args = append(args, "--config", s.config)
		}
		var errs bytes.Buffer
		cmd := exec.CommandContext(t.Context(), "rok", args...)
		cmd.Stdout, cmd.Stderr = writer, &errs
		err = cmd.Run()
		writer.Close()
		if err == nil || errs.String() != "" {
			t.Errorf("rok %s: %v: %s", line, err, &errs)
		}
	}
}
