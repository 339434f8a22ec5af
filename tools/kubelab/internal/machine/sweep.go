package machine

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/cgroup"
)

const (
	sweepPoll    = 20 * time.Millisecond
	sweepTimeout = 30 * time.Second
)

// Sweep waits until guard ends, which is when nobody is left who holds its other
// end, and then removes what the kernel leaves of a machine: the control group,
// and the link, which goes by itself but later. Processes of the machine may
// still be ending then, so it tries until they have.
func Sweep(guard io.Reader, group, link string) error {
	if _, err := io.Copy(io.Discard, guard); err != nil {
		return fmt.Errorf("waiting for the end of the cluster: %w", err)
	}
	for deadline := time.Now().Add(sweepTimeout); ; time.Sleep(sweepPoll) {
		err := errors.Join(cgroup.Remove(group), disconnect(link))
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("after %v there is still something left of the node: %w", sweepTimeout, err)
		}
	}
}
