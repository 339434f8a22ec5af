package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// demo is everything that the demo has made.
type demo struct {
	dir  string // absolute
	api  string // the server's URL
	real bool   // containers run
}

func (d *demo) path(name string) string { return filepath.Join(d.dir, name) }

// start brings up the clusters and Krake.
func (d *demo) start(ctx context.Context) error {
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return err
	}
	up := []string{"up", "berlin", "bratislava", "--dir", d.path("clusters")}
	why, err := exec.CommandContext(ctx, "bin/kubelab", "--check-real-node").CombinedOutput()
	if d.real = err == nil; d.real {
		up = append(up, "--real-node")
		step("Starting two Kubernetes clusters, berlin and bratislava (real control planes, real nodes)")
	} else {
		step("Starting two Kubernetes clusters, berlin and bratislava (real control planes, simulated nodes)")
		fmt.Printf("No container will run: %s\n", strings.TrimPrefix(strings.TrimSpace(string(why)), "kubelab: "))
	}
	if err := d.print(exec.CommandContext(ctx, "bin/kubelab", up...)); err != nil {
		return fmt.Errorf("starting the clusters: %w", err)
	}
	step("Starting Krake")
	return d.startKrake(ctx)
}

// startKrake starts the server in a session of its own, so that it stays when the demo ends.
func (d *demo) startKrake(ctx context.Context) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	log, err := os.Create(d.path("krake.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command("bin/krake", "server", "--listen", address, "--data-dir", d.path("data"))
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	if err := os.WriteFile(d.path("krake.pid"), []byte(strconv.Itoa(cmd.Process.Pid)), 0o600); err != nil {
		return err
	}
	d.api = "http://" + address
	config := fmt.Sprintf("api_url: %s\nuser: system:admin\n", d.api)
	if err := os.WriteFile(d.path("rok.yaml"), []byte(config), 0o600); err != nil {
		return err
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		select {
		case <-ended:
			return fmt.Errorf("krake ended; its log is %s", d.path("krake.log"))
		case <-ctx.Done():
			return ctx.Err()
		default:
		}
		if conn, err := net.Dial("tcp", address); err == nil {
			fmt.Printf("Krake serves on http://%s; its log is %s\n", address, d.path("krake.log"))
			return conn.Close()
		}
	}
	return fmt.Errorf("krake did not serve within 30 seconds; its log is %s", d.path("krake.log"))
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// stop ends what an earlier run has left, and removes its files.
func (d *demo) stop(ctx context.Context) error {
	if _, err := os.Stat(d.dir); err != nil {
		return nil
	}
	step("Stopping what the demo left running")
	d.stopKrake()
	if _, err := os.Stat(d.path("clusters")); err == nil {
		if err := d.print(exec.CommandContext(ctx, "bin/kubelab", "down", "--dir", d.path("clusters"))); err != nil {
			return fmt.Errorf("stopping the clusters: %w", err)
		}
	}
	return os.RemoveAll(d.dir)
}

// stopKrake ends the server of an earlier run, unless its process number belongs to somebody else by now.
func (d *demo) stopKrake() {
	data, err := os.ReadFile(d.path("krake.pid"))
	if err != nil {
		return
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return
	}
	ours := func() bool {
		cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		return err == nil && bytes.Contains(cmdline, []byte(d.path("data")))
	}
	if !ours() {
		return
	}
	_ = syscall.Kill(pid, syscall.SIGTERM)
	for range 500 {
		if !ours() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
}

// print runs a command and shows what it prints.
func (d *demo) print(cmd *exec.Cmd) error {
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// rok runs a command of the client, shows it as a user would type it, and what it prints.
func (d *demo) rok(ctx context.Context, args ...string) error {
	fmt.Printf("\n$ rok %s\n", quoted(args))
	return d.print(d.rokCommand(ctx, args...))
}

func (d *demo) rokCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "bin/rok", args...)
	cmd.Env = append(os.Environ(), "ROK_CONFIG="+d.path("rok.yaml"))
	return cmd
}

func quoted(args []string) string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = a
		if strings.Contains(a, " ") {
			out[i] = `"` + a + `"`
		}
	}
	return strings.Join(out, " ")
}

func step(text string) { fmt.Printf("\n=== %s\n", text) }
