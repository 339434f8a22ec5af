package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// process is a krake of its own.
type process struct {
	cmd     *exec.Cmd
	address string        // of its API, if it has one
	took    time.Duration // from the start to the first answer
}

// startServer starts bin/krake with all components on a data directory and waits for its first answer.
func startServer(ctx context.Context, dir string, flags ...string) (*process, error) {
	return startAPI(ctx, "server", dir, flags...)
}

// startAPI is startServer for any command that serves the API.
func startAPI(ctx context.Context, command, dir string, flags ...string) (*process, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &process{address: l.Addr().String()}
	_ = l.Close()
	p.cmd = exec.CommandContext(ctx, "bin/krake", append([]string{command, "--listen", p.address, "--data-dir", dir, "--log-level", "error"}, flags...)...)
	p.cmd.Stderr = os.Stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w (make build)", err)
	}
	for time.Since(started) < 30*time.Second {
		resp, err := http.Get("http://" + p.address + "/")
		if err == nil {
			_ = resp.Body.Close()
			p.took = time.Since(started)
			return p, nil
		}
		time.Sleep(time.Millisecond)
	}
	p.stop()
	return nil, fmt.Errorf("bin/krake did not answer within 30 seconds")
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.cmd.Wait()
}

// memory is what the process holds, as the kernel counts it, and how much of it are pages of files, which the kernel takes
// back when somebody else needs room.
func (p *process) memory() string {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return err.Error()
	}
	megabytes := func(field string) int {
		_, rest, _ := strings.Cut(string(status), field+":")
		var kb int
		_, _ = fmt.Sscan(rest, &kb)
		return kb >> 10
	}
	return fmt.Sprintf("%d MB, %d of them of files", megabytes("VmRSS"), megabytes("RssFile"))
}

// measureStart times krake server from its start to its first answer.
func measureStart(ctx context.Context) error {
	title("Start and rest")
	const rounds = 10
	var empty, full samples
	memory := ""
	for i := range rounds {
		dir, err := os.MkdirTemp("", "krake-bench")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		for _, s := range []*samples{&empty, &full} {
			p, err := startServer(ctx, dir)
			if err != nil {
				return err
			}
			*s = append(*s, p.took)
			if i == rounds-1 && s == &full {
				time.Sleep(5 * time.Second)
				memory = p.memory()
			}
			p.stop()
		}
	}
	header("what", "median", "slowest of 10")
	row("start to first answer, empty data directory", ms(empty.at(0.5)), ms(empty.at(1)))
	row("start to first answer, existing data directory", ms(full.at(0.5)), ms(full.at(1)))
	row("memory at rest, all components", memory, "")
	return nil
}
