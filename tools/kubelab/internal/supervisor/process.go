package supervisor

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/cluster"
	"github.com/rak-n-rok/krake/tools/kubelab/internal/node"
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

// A program is how a part is started.
type program struct {
	part       string
	path       string // of the file; empty for what kubelab is itself
	args       []string
	folder     string              // to work in; empty for the supervisor's
	files      []*os.File          // handed down after the alive lock
	attributes syscall.SysProcAttr // of which launch sets the process group
}

// bound are the attributes of parts that die with the supervisor.
var bound = syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}

// self is this program, also where its file is out of sight.
const self = "/proc/self/exe"

// A launcher starts parts from one operating system thread that lives as long
// as the supervisor: Linux sends Pdeathsig when the thread that started a child
// ends, not when the whole process does. What the thread has entered, its
// children are in.
type launcher struct {
	alive    *os.File // handed down to each part
	commands chan *exec.Cmd
	started  chan error
}

// newLauncher returns a launcher whose thread has done what enter does, which
// may be nil.
func newLauncher(alive *os.File, enter func() error) (*launcher, error) {
	l := &launcher{alive: alive, commands: make(chan *exec.Cmd), started: make(chan error)}
	entered := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked; a thread that failed to enter ends here
		if enter != nil {
			if err := enter(); err != nil {
				entered <- err
				return
			}
		}
		close(entered)
		for command := range l.commands {
			l.started <- command.Start()
		}
	}()
	return l, <-entered
}

// launch starts a part. When it ends, ended is called, once.
func (l *launcher) launch(c cluster.Cluster, what program, ended func(*process)) (*process, error) {
	log, err := c.OpenLog(what.part)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	command := &exec.Cmd{Path: what.path, Args: append([]string{what.path}, what.args...)}
	if what.path == "" {
		name, err := os.Executable()
		if err != nil {
			return nil, err
		}
		command.Path = self
		command.Args = append([]string{name, "part", what.part}, what.args...)
	}
	command.Env = partEnvironment(c)
	command.Dir = what.folder
	command.Stdout = log
	command.Stderr = log
	command.ExtraFiles = append([]*os.File{l.alive}, what.files...)
	attributes := what.attributes
	attributes.Setpgid = true // a Ctrl-C in a terminal is for commands, not for clusters
	command.SysProcAttr = &attributes
	l.commands <- command
	if err := <-l.started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", what.part, err)
	}
	p := &process{name: what.part, pid: command.Process.Pid, ended: make(chan struct{})}
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
	return []string{"HOME=" + c.Home(), "PATH=" + node.Path(), "TMPDIR=" + os.TempDir()}
}
