package supervisor

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/cluster"
)

// A process is a part that has been started.
type process struct {
	name  string
	pid   int
	ended chan struct{} // closed when it has ended
	err   error         // how it ended; read it after ended is closed
}

// how says how the process ended; it is empty while it lives.
func (p *process) how() string {
	select {
	case <-p.ended:
	default:
		return ""
	}
	if p.err == nil {
		return "exit status 0"
	}
	return p.err.Error()
}

// end asks the process to end, waits for at most patience, and kills it then.
func (p *process) end(patience time.Duration) {
	p.signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.signal(syscall.SIGKILL)
		<-p.ended
	}
}

// signal does nothing when the process has ended: its id may be another's then.
func (p *process) signal(sig syscall.Signal) {
	select {
	case <-p.ended:
	default:
		_ = syscall.Kill(p.pid, sig)
	}
}

// A launcher starts all parts from one operating system thread that lives as
// long as the supervisor: Linux sends Pdeathsig when the thread that started a
// child ends, not when the whole process does.
type launcher struct {
	alive    *os.File // handed down to each part
	commands chan *exec.Cmd
	started  chan error
}

func newLauncher(alive *os.File) *launcher {
	l := &launcher{alive: alive, commands: make(chan *exec.Cmd), started: make(chan error)}
	go func() {
		runtime.LockOSThread() // never unlocked, never ends
		for command := range l.commands {
			l.started <- command.Start()
		}
	}()
	return l
}

// launch starts the part with args. When it ends, ended is called, once.
func (l *launcher) launch(c cluster.Cluster, part string, args []string, ended func(*process)) (*process, error) {
	log, err := c.OpenLog(part)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.Command(self, append([]string{"part", part}, args...)...)
	command.Env = partEnvironment(c)
	command.Stdout = log
	command.Stderr = log
	command.ExtraFiles = []*os.File{l.alive}
	command.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig: syscall.SIGKILL,
		Setpgid:   true, // a Ctrl-C in a terminal is for commands, not for clusters
	}
	l.commands <- command
	if err := <-l.started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", part, err)
	}
	p := &process{name: part, pid: command.Process.Pid, ended: make(chan struct{})}
	go func() {
		p.err = command.Wait()
		close(p.ended)
		ended(p)
	}()
	return p, nil
}

// partEnvironment leaves out what the caller's environment says: settings such
// as KUBECONFIG, proxies or GODEBUG must not make two runs differ. The home is
// where kwok looks for a configuration of its own.
func partEnvironment(c cluster.Cluster) []string {
	return []string{"HOME=" + c.Home(), "PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir()}
}
