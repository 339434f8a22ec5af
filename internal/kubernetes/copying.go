package kubernetes

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/rak-n-rok/krake/internal/fleet"
	"github.com/rak-n-rok/krake/internal/transfer"
)

// copying is what is being copied, by the UID of the application: one volume of each at a time. It is not stored. What a
// process had begun that died is begun anew by the next one.
type copying struct {
	mu      sync.Mutex
	ctx     context.Context // of the run; nil between runs, when nothing may begin
	running errgroup.Group
	jobs    map[string]*copyJob
}

// copyJob is one attempt to copy one volume.
type copyJob struct {
	pod     string // of the target: it has its name from the volume and the attempt
	cancel  context.CancelFunc
	moved   atomic.Int64 // bytes that have gone through, of files and of lists
	seen    int64        // of them, when it was last asked
	ended   chan struct{}
	content transfer.Content // once it has ended
	err     error            // likewise
}

// open lets copying begin, until ctx ends.
func (c *copying) open(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ctx, c.jobs = ctx, map[string]*copyJob{}
}

// close waits for all that runs. The run's context has ended.
func (c *copying) close() {
	c.mu.Lock()
	c.ctx = nil
	c.mu.Unlock()
	_ = c.running.Wait()
}

// get returns what is being copied for an application to this pod, or has been; nil if there is nothing.
func (c *copying) get(appUID, pod string) *copyJob {
	c.mu.Lock()
	defer c.mu.Unlock()
	if job := c.jobs[appUID]; job != nil && job.pod == pod {
		return job
	}
	return nil
}

// begin copies in the background, and then calls over.
func (c *copying) begin(appUID, pod string, do func(ctx context.Context, job *copyJob) error, over func()) {
	c.end(appUID)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx == nil {
		return
	}
	ctx, cancel := context.WithCancel(c.ctx)
	job := &copyJob{pod: pod, cancel: cancel, ended: make(chan struct{})}
	c.jobs[appUID] = job
	c.running.Go(func() error {
		defer over()
		defer close(job.ended)
		defer cancel()
		job.err = do(ctx, job)
		return nil
	})
}

// end stops what is being copied for an application, without waiting for it, and forgets it.
func (c *copying) end(appUID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if job := c.jobs[appUID]; job != nil {
		job.cancel()
		delete(c.jobs, appUID)
	}
}

func (j *copyJob) hasEnded() bool {
	select {
	case <-j.ended:
		return true
	default:
		return false
	}
}

// getsOn says whether anything has gone through since it was last asked.
func (j *copyJob) getsOn() bool {
	moved := j.moved.Load()
	news := moved > j.seen
	j.seen = moved
	return news
}

// counted counts what is written.
func (j *copyJob) counted(to io.Writer) io.Writer { return counter{to, &j.moved} }

type counter struct {
	io.Writer
	n *atomic.Int64
}

func (c counter) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n.Add(int64(n))
	return n, err
}

// A volumeEnd is a pod that has a volume.
type volumeEnd struct {
	*fleet.Member
	pod fleet.Pod
}

// run has the pod's program do something with the volume. It is called by the process that the container runs, so nobody
// has to know where the image has it.
func (e volumeEnd) run(ctx context.Context, what string, in io.ReadCloser, out io.Writer) error {
	return e.Execute(ctx, e.pod, helperName, []string{"/proc/1/exe", what, helperRoot}, in, out)
}

// copyVolume makes the target's volume hold what the source's does, and makes sure that it does.
func copyVolume(ctx context.Context, source, target volumeEnd, job *copyJob) error {
	read, write := io.Pipe()
	err := both(ctx,
		func(ctx context.Context) error {
			err := source.run(ctx, "send", nil, job.counted(write))
			return errors.Join(err, write.CloseWithError(err))
		},
		func(ctx context.Context) error { return target.run(ctx, "receive", read, io.Discard) })
	if err != nil {
		return err
	}
	job.content, err = compareVolumes(ctx, source, target, job)
	return err
}

func compareVolumes(ctx context.Context, source, target volumeEnd, job *copyJob) (content transfer.Content, err error) {
	ofSource, toSource := io.Pipe()
	ofTarget, toTarget := io.Pipe()
	list := func(end volumeEnd, to *io.PipeWriter) func(context.Context) error {
		return func(ctx context.Context) error {
			err := end.run(ctx, "list", nil, job.counted(to))
			return errors.Join(err, to.CloseWithError(err))
		}
	}
	err = both(ctx, list(source, toSource), list(target, toTarget), func(context.Context) error {
		var err error
		content, err = transfer.Compare(ofSource, ofTarget)
		return errors.Join(err, ofSource.CloseWithError(err), ofTarget.CloseWithError(err))
	})
	return content, err
}

// both does things that depend on each other at once. The error is the first that is not another one's consequence.
func both(ctx context.Context, things ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		mu     sync.Mutex
		first  error
		result error
		group  errgroup.Group
	)
	for _, do := range things {
		group.Go(func() error {
			err := do(ctx)
			mu.Lock()
			defer mu.Unlock()
			if err != nil && first == nil {
				first = err
			}
			if err != nil && result == nil && !errors.Is(err, io.ErrClosedPipe) && !errors.Is(err, context.Canceled) {
				result = err
			}
			if err != nil {
				cancel()
			}
			return nil
		})
	}
	_ = group.Wait()
	if result == nil {
		return first
	}
	return result
}
