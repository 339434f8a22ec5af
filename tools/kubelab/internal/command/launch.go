package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/cluster"
	"github.com/rak-n-rok/krake/tools/kubelab/internal/supervisor"
)

const (
	// endTimeout bounds waiting for killed processes.
	endTimeout = 10 * time.Second

	// outcomeGrace is what a supervisor gets beyond its own timeout to say that
	// it has run out of time.
	outcomeGrace = 20 * time.Second

	// tailLines is how much of a log is shown when a start failed.
	tailLines = 15
)

// A startFailure is a start that failed, with the end of the log that may tell
// why. It is read at once, because a new cluster's files are removed then.
type startFailure struct {
	error
	part string
	tail []string
}

// launch starts the supervisor of c and waits until the cluster is ready. When
// it fails, or ctx ends, the supervisor ends, and with it the parts.
func launch(ctx context.Context, c cluster.Cluster, timeout time.Duration) error {
	command, outcome, err := spawn(ctx, c, timeout)
	if err != nil {
		return err
	}
	defer outcome.Close()
	interrupted := context.AfterFunc(ctx, func() { _ = command.Process.Kill() })
	defer interrupted()

	if err := outcome.SetReadDeadline(time.Now().Add(timeout + outcomeGrace)); err != nil {
		return err
	}
	var result supervisor.Outcome
	err = json.NewDecoder(outcome).Decode(&result)
	switch {
	case err == nil && result.Error == "":
		return command.Process.Release()
	case err == nil:
		err = errors.New(result.Error)
	case ctx.Err() != nil:
		err = errors.New("interrupted")
	case errors.Is(err, io.EOF):
		result.Part = "supervisor"
		err = errors.New("the supervisor ended without a word")
	default:
		result.Part = "supervisor"
		err = fmt.Errorf("waiting for the supervisor: %w", err)
		_ = command.Process.Kill()
	}
	// A supervisor that said why it failed is tidying up.
	patience := time.AfterFunc(endTimeout, func() { _ = command.Process.Kill() })
	defer patience.Stop()
	_ = command.Wait()
	return &startFailure{err, result.Part, logTail(c, result.Part)}
}

// spawn starts the supervisor in a session of its own, so that it outlives this
// command and its terminal.
func spawn(ctx context.Context, c cluster.Cluster, timeout time.Duration) (*exec.Cmd, *os.File, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	ending, cancel := endingContext(ctx)
	defer cancel()
	alive, err := c.LockAlive(ending)
	if err != nil {
		return nil, nil, err
	}
	defer alive.Close()
	log, err := c.OpenLog("supervisor")
	if err != nil {
		return nil, nil, err
	}
	defer log.Close()
	outcome, theirs, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer theirs.Close()

	command := exec.Command(self, "supervise", c.Name, "--dir", c.Dir, "--timeout", timeout.String())
	command.Stdout = log
	command.Stderr = log
	command.ExtraFiles = []*os.File{theirs, alive}
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		outcome.Close()
		return nil, nil, fmt.Errorf("starting the supervisor: %w", err)
	}
	return command, outcome, nil
}

// kill ends all processes of c and waits for it.
func kill(c cluster.Cluster) error {
	return endProcesses(c, cluster.Kill, endTimeout)
}

// endProcesses asks the supervisor of c to end everything. One that does not
// answer within patience is killed, which the parts do not survive.
func endProcesses(c cluster.Cluster, request cluster.Request, patience time.Duration) error {
	alive, err := c.Alive()
	if err != nil || !alive {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := c.Ask(ctx, request); err != nil {
		if err := c.KillSupervisor(); err != nil {
			return fmt.Errorf("killing the supervisor: %w", err)
		}
	}
	ending, cancel := endingContext(context.Background())
	defer cancel()
	return c.WaitDead(ending)
}

func endingContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, endTimeout, fmt.Errorf("they live on after %v", endTimeout))
}

func logTail(c cluster.Cluster, part string) []string {
	if part == "" {
		return nil
	}
	content, err := os.ReadFile(c.LogFile(part))
	if err != nil {
		return nil
	}
	lines := strings.Split(strings.TrimRight(string(content), "\n"), "\n")
	return lines[max(0, len(lines)-tailLines):]
}
