package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"
)

// Socket is the name of the supervisor's socket in the cluster's home.
const Socket = "control.sock"

// A Request is what a command asks of a supervisor. Each connection carries one
// request and one Status, both as JSON.
type Request string

// The requests.
const (
	Report Request = "report" // the state
	Stop   Request = "stop"   // end the parts in order, then the supervisor
	Kill   Request = "kill"   // the same at once, for clusters that are thrown away
)

// A State is what a cluster is doing.
type State string

// The states. A supervisor reports the first four.
const (
	Starting State = "starting"
	Running  State = "running"
	Degraded State = "degraded" // a part ended by itself
	Stopping State = "stopping"
	Stopped  State = "stopped"
	Dead     State = "dead" // the supervisor was killed
)

// A Status is what a cluster looks like now.
type Status struct {
	Name   string    `json:"name"`
	State  State     `json:"state"`
	Server string    `json:"server"`
	Nodes  int       `json:"nodes"`
	Real   bool      `json:"realNode,omitempty"`
	Pid    int       `json:"pid,omitempty"` // of the supervisor
	Parts  []Process `json:"parts,omitempty"`
}

// A Process is a part of a running cluster.
type Process struct {
	Name  string `json:"name"`
	Pid   int    `json:"pid"`
	Ended string `json:"ended,omitempty"` // how, if it has ended
}

// Status looks at the cluster from outside, and asks the supervisor if there is
// one.
func (c Cluster) Status(ctx context.Context) (Status, error) {
	spec, err := c.ReadSpec()
	if errors.Is(err, fs.ErrNotExist) {
		return Status{}, fmt.Errorf("%w in %s", ErrNotFound, c.Dir)
	}
	if err != nil {
		return Status{}, err
	}
	status := Status{Name: c.Name, Server: spec.URL(), Nodes: spec.Nodes, Real: spec.RealNode}
	alive, err := c.Alive()
	if err != nil {
		return Status{}, err
	}
	if !alive {
		status.State = Stopped
		if _, err := os.Lstat(c.file(Socket)); err == nil {
			status.State = Dead // a supervisor that ends by itself removes it
		}
		return status, nil
	}
	reported, err := c.Ask(ctx, Report)
	if isAbsent(err) {
		// Either before the supervisor listens or after its end.
		status.State = Starting
		if _, err := os.Lstat(c.file(Socket)); err == nil {
			status.State = Stopping
		}
		return status, nil
	}
	return reported, err
}

func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)
}

// Ask sends a request to the supervisor and returns its answer.
func (c Cluster) Ask(ctx context.Context, request Request) (Status, error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return Status{}, fmt.Errorf("reaching the supervisor: %w", err)
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return Status{}, err
		}
	}
	if err := json.NewEncoder(conn).Encode(request); err != nil {
		return Status{}, fmt.Errorf("asking the supervisor to %s: %w", request, err)
	}
	var status Status
	if err := json.NewDecoder(conn).Decode(&status); err != nil {
		return Status{}, fmt.Errorf("waiting for the supervisor to %s: %w", request, err)
	}
	return status, nil
}

// dial goes by way of /proc/self/fd because the path of a unix socket has room
// for 107 bytes only, and homes may be deeper.
func (c Cluster) dial(ctx context.Context) (*net.UnixConn, error) {
	home, err := os.Open(c.Home())
	if err != nil {
		return nil, err
	}
	defer home.Close()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", fmt.Sprintf("/proc/self/fd/%d/%s", home.Fd(), Socket))
	if err != nil {
		return nil, err
	}
	return conn.(*net.UnixConn), nil
}

// KillSupervisor ends a supervisor that does not answer, by the process id that
// the kernel knows for its socket. The parts die with it.
func (c Cluster) KillSupervisor() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	conn, err := c.dial(ctx)
	if isAbsent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer conn.Close()
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var peer *syscall.Ucred
	var peerErr error
	if err := raw.Control(func(fd uintptr) {
		peer, peerErr = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	}); err != nil {
		return err
	}
	if peerErr != nil {
		return peerErr
	}
	return syscall.Kill(int(peer.Pid), syscall.SIGKILL)
}
