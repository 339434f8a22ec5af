package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/kubelabtest"
)

// asKrake makes this test binary the program itself, race detector included.
const asKrake = "KRAKE_TEST_AS_KRAKE"

func TestMain(m *testing.M) {
	if os.Getenv(asKrake) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(kubelabtest.Run(m))
}

// patience is how long anything may take on a machine that is busy with other things.
const patience = time.Minute

// program is a call of krake that has not begun.
func program(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asKrake+"=1")
	return cmd
}

// run calls krake and waits for its end.
func run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	call := program(args...)
	cmd := exec.CommandContext(ctx, call.Path, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = call.Env, &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		t.Fatal(err)
	}
	return out.String(), errs.String(), code
}

// process is krake running.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	log  string // a file
	done chan error
}

// start starts krake. It is killed when the test ends, if it runs then.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: program(args...), log: filepath.Join(t.TempDir(), "log"), done: make(chan error, 1)}
	file, err := os.Create(p.log)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	p.cmd.Stdout, p.cmd.Stderr = file, file
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		p.end()
		if t.Failed() {
			t.Logf("krake %s said:\n%s", strings.Join(args, " "), p.said())
		}
	})
	return p
}

// end waits for the end of the process. It may be called again.
func (p *process) end() error {
	p.t.Helper()
	select {
	case err := <-p.done:
		p.done <- err
		return err
	case <-time.After(patience):
		p.t.Fatal("krake does not end")
		return nil
	}
}

func (p *process) said() string {
	content, _ := os.ReadFile(p.log)
	return string(content)
}

// serve starts a process that serves the API on a free port, and returns its URL once it is ready.
func serve(t *testing.T, args ...string) (*process, string) {
	t.Helper()
	p := start(t, append(args, "--listen", "127.0.0.1:0")...)
	url := ""
	await(t, "the word ready", func() bool {
		for line := range strings.Lines(p.said()) {
			if _, rest, ok := strings.Cut(line, "msg=ready address="); ok {
				url, _, _ = strings.Cut(rest, " ")
			}
		}
		return url != ""
	})
	return p, url
}

func connect(t *testing.T, url string) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{URL: url, UserAgent: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in vain waited for %s", what)
		}
	}
}

func TestADatabaseIsSavedAndBroughtBack(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "snapshot")
	_, url := serve(t, "api", "--data-dir", filepath.Join(dir, "data"))
	role := api.New[api.Role]()
	role.Metadata.Name = "reader"
	if _, err := client.Of[api.Role](connect(t, url)).Create(t.Context(), role); err != nil {
		t.Fatal(err)
	}
	want := func(code int, part string, args ...string) {
		t.Helper()
		out, errs, got := run(t, args...)
		if got != code || !strings.Contains(out+errs, part) {
			t.Errorf("krake %s: %d %s%s", strings.Join(args, " "), got, out, errs)
		}
	}
	want(0, "1 /core/roles", "snapshot", "save", file, "--api-endpoint", url)
	want(1, "nothing is overwritten", "snapshot", "save", file, "--api-endpoint", url)
	want(1, "answered 404", "snapshot", "save", file+"2", "--api-endpoint", url+"/core")
	want(0, "1 /core/roles", "snapshot", "inspect", file)
	want(0, "krake server --data-dir", "snapshot", "restore", file, "--data-dir", filepath.Join(dir, "restored"))
	want(1, "nothing is overwritten", "snapshot", "restore", file, "--data-dir", filepath.Join(dir, "restored"))
	want(1, "no such file", "snapshot", "restore", file+"2", "--data-dir", filepath.Join(dir, "new"))

	_, url = serve(t, "api", "--data-dir", filepath.Join(dir, "restored"))
	if _, err := client.Of[api.Role](connect(t, url)).Get(t.Context(), "", "reader"); err != nil {
		t.Error(err)
	}
}
