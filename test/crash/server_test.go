//go:build crash

package crash

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binaries are builds of the server with fail points.
type binaries struct {
	plain string
	racy  string // with the race detector; empty where no C compiler is
}

func build(t *testing.T, dir string) binaries {
	t.Helper()
	b := binaries{plain: compile(t, dir, "krake")}
	cc, err := exec.Command("go", "env", "CC").Output()
	if err == nil {
		_, err = exec.LookPath(strings.TrimSpace(string(cc)))
	}
	if err != nil {
		t.Log("no C compiler found: no part of the run has the race detector")
		return b
	}
	b.racy = compile(t, dir, "krake-race", "-race")
	return b
}

func compile(t *testing.T, dir, name string, flags ...string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	args := append([]string{"build", "-tags", "failpoint", "-o", path}, flags...)
	cmd := exec.Command("go", append(args, "github.com/rak-n-rok/krake/cmd/krake")...)
	if len(flags) > 0 {
		cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the server: %v\n%s", err, out)
	}
	return path
}

// server is krake server on one data directory, one process after the other.
type server struct {
	dataDir string
	log     *os.File // of all processes
	alarm   func(error)
	starts  int
	took    time.Duration // all starts together, until ready

	mu      sync.Mutex
	address string // of the process that runs
}

// startOptions say how a process is started.
type startOptions struct {
	binary    string
	fsync     bool
	failpoint string // NAME:N, empty for none
	frozen    bool   // without controllers: what is stored stays as it is
}

// process is one process of the server.
type process struct {
	cmd     *exec.Cmd
	begun   time.Time
	ready   chan struct{} // closed when requests are served
	ended   chan struct{} // closed when the process is gone and all that it wrote is in the log
	stopped error         // valid after ended
	reached string        // the fail point that ended it, valid after ended
}

var readyLine = regexp.MustCompile(`msg=ready address=http://(\S+)`)

// start starts a process. It is to be ended with kill or stop.
func (s *server) start(o startOptions) (*process, error) {
	args := []string{"api"}
	if !o.frozen {
		// The load edits, cascades and forces far more than an installation does in five minutes. Removals that nobody asked
		// for by name are counted and allowed all the same; nobody is here to approve any.
		args = []string{"server", "--settle", "100ms", "--drain", "300ms", "--cluster-interval", "1s", "--move-timeout", "2m",
			"--removal-limit", "1000000"}
	}
	args = append(args, "--listen", "127.0.0.1:0", "--data-dir", s.dataDir)
	if !o.fsync {
		args = append(args, "--unsafe-no-fsync")
	}
	p := &process{cmd: exec.Command(o.binary, args...), begun: time.Now(), ready: make(chan struct{}), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "KRAKE_FAILPOINT="+o.failpoint)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // a test that dies leaves no server behind
	out, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	s.starts++
	fmt.Fprintf(s.log, "\n=== start %d: %s, fsync %t, fail point %q\n", s.starts, filepath.Base(o.binary), o.fsync, o.failpoint)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		s.follow(p, out)
		p.stopped = p.cmd.Wait()
	}()
	return p, nil
}

// follow copies what a process writes into the log, and looks for what matters.
func (s *server) follow(p *process, out io.Reader) {
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if _, logErr := s.log.WriteString(line); logErr != nil {
			s.alarm(logErr)
		}
		if m := readyLine.FindStringSubmatch(line); m != nil {
			s.mu.Lock()
			s.address = m[1]
			s.took += time.Since(p.begun)
			s.mu.Unlock()
			close(p.ready)
		}
		if point, ok := strings.CutPrefix(line, "failpoint: "); ok {
			p.reached = strings.TrimSpace(point)
		}
		for _, bad := range []string{"DATA RACE", "panic", "level=ERROR"} {
			if strings.Contains(line, bad) {
				s.alarm(fmt.Errorf("the server's log says: %s", strings.TrimSpace(line)))
			}
		}
		if err != nil {
			return
		}
	}
}

// await waits until a process serves requests; false means that it ended before.
func (p *process) await(ctx context.Context) (bool, error) {
	select {
	case <-p.ready:
		return true, nil
	case <-p.ended:
		return false, nil
	case <-time.After(time.Minute):
		return false, errors.New("the server was not ready within a minute")
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// kill ends a process as kill -9 does, if it is still there.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// stop asks a process to end, which it has to do in order.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.ended:
		return p.stopped
	case <-time.After(30 * time.Second):
		p.kill()
		return errors.New("the server did not stop within 30 seconds")
	}
}

// killed says whether a process that ended was killed, by this test or at a fail point, and did not end by itself.
func (p *process) killed() bool {
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// dial connects to the process that runs.
func (s *server) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	s.mu.Lock()
	address := s.address
	s.mu.Unlock()
	return (&net.Dialer{}).DialContext(ctx, network, address)
}
