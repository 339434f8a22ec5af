package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/cluster"
)

// The files that the starting command hands to the supervisor, after the
// standard three.
const (
	outcomeFD = 3 // the pipe for the Outcome
	aliveFD   = 4 // the alive lock, held
)

// An Outcome is how a start ended.
type Outcome struct {
	Error string `json:"error,omitempty"` // empty: the cluster is ready
	Part  string `json:"part,omitempty"`  // whose log may tell more
}

// A partError is a failure that the log of one part may explain.
type partError struct {
	part string
	err  error
}

func (e *partError) Error() string { return e.err.Error() }
func (e *partError) Unwrap() error { return e.err }

// homeCheck is how often the supervisor looks whether its files are still there.
// Who deletes them instead of calling down wants an end as well.
const homeCheck = 2 * time.Second

var errStopping = errors.New("the cluster is being stopped")

// supervisor is a running cluster. The mutex guards what is below it.
type supervisor struct {
	cluster  cluster.Cluster
	log      *slog.Logger
	launcher *launcher
	closing  chan cluster.Request // Stop or Kill; the first one counts
	finished chan struct{}        // closed when all parts have ended
	reserved []reservation        // ports or a subnet, until the process ends
	real     *realNode            // nil where nodes are simulated

	mutex sync.Mutex
	state cluster.State
	spec  cluster.Spec
	parts []*process
	abort context.CancelCauseFunc // ends the start
}

// Run is the whole life of the supervisor of c: it starts the cluster within
// timeout, and returns when the cluster has been stopped or could not start.
func Run(c cluster.Cluster, timeout time.Duration) error {
	// All paths are relative from here on: those of unix sockets have room for
	// 107 bytes only, and etcd takes no other kind.
	if err := os.Chdir(c.Home()); err != nil {
		return err
	}
	syscall.CloseOnExec(outcomeFD)
	syscall.CloseOnExec(aliveFD) // the launcher hands it down itself
	outcome := os.NewFile(outcomeFD, "outcome")

	launcher, err := newLauncher(os.NewFile(aliveFD, "alive"), nil)
	if err != nil {
		return err
	}
	ctx, abort := context.WithCancelCause(context.Background())
	defer abort(nil)
	s := &supervisor{
		cluster:  c,
		log:      slog.New(slog.NewTextHandler(os.Stderr, nil)),
		launcher: launcher,
		closing:  make(chan cluster.Request, 1),
		finished: make(chan struct{}),
		state:    cluster.Starting,
		abort:    abort,
	}
	err = s.live(ctx, timeout, outcome)
	if err != nil {
		s.log.Error("the cluster failed", "error", err)
	}
	return err
}

// live starts the cluster, reports the outcome, and waits for a request to
// close.
func (s *supervisor) live(ctx context.Context, timeout time.Duration, outcome *os.File) error {
	control, err := listen(s)
	if err != nil {
		return report(outcome, fmt.Errorf("listening for requests: %w", err))
	}
	defer control.close()

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	look := time.NewTicker(homeCheck)
	defer look.Stop()
	started := make(chan error, 1)
	go func() { started <- s.start(ctx, timeout) }()

	ready := false
	for {
		select {
		case err := <-started:
			if err != nil {
				s.setState(cluster.Stopping)
				s.end(cluster.Kill)
				return report(outcome, err)
			}
			ready = true
			s.log.Info("the cluster is ready")
			// The command that waits for it may be gone; the cluster is up.
			_ = report(outcome, nil)
		case request := <-s.closing:
			s.log.Info("closing", "request", request)
			s.setState(cluster.Stopping)
			s.abort(errStopping)
			if !ready {
				_ = report(outcome, <-started)
			}
			s.end(request)
			return nil
		case <-look.C:
			if exists, err := s.cluster.Exists(); err == nil && !exists {
				s.askToClose(cluster.Kill)
			}
		case sig := <-signals:
			s.log.Info("received", "signal", sig.String())
			s.askToClose(cluster.Stop)
		}
	}
}

// report sends the outcome of the start and returns err, with what went wrong
// in sending.
func report(pipe *os.File, err error) error {
	var outcome Outcome
	if err != nil {
		outcome.Error = err.Error()
		if failed, ok := errors.AsType[*partError](err); ok {
			outcome.Part = failed.part
		}
	}
	return errors.Join(err, json.NewEncoder(pipe).Encode(outcome), pipe.Close())
}

// askToClose passes a request to close on to live. Any but the first is
// dropped: they all wait for the same end.
func (s *supervisor) askToClose(request cluster.Request) {
	select {
	case s.closing <- request:
	default:
	}
}

func (s *supervisor) setState(state cluster.State) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.state = state
}

// status is what the supervisor reports of itself.
func (s *supervisor) status() cluster.Status {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	status := cluster.Status{
		Name:   s.cluster.Name,
		State:  s.state,
		Server: s.spec.URL(),
		Nodes:  s.spec.Nodes,
		Real:   s.spec.RealNode,
		Pid:    os.Getpid(),
	}
	for _, p := range s.parts {
		status.Parts = append(status.Parts, cluster.Process{Name: p.name, Pid: p.pid, Ended: p.how()})
	}
	return status
}
