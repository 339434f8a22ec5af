package fleet

import (
	"context"
	"iter"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// attempts yields once for each time that something may begin anew because somebody else wrote, made or removed the object
// in between. Controllers of the cluster write in bursts: who begins again at once only meets the next write. So the pauses
// grow, to about two seconds in all. They end with ctx.
func attempts(ctx context.Context) iter.Seq[int] {
	return func(yield func(int) bool) {
		pause := wait.Backoff{Duration: 10 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 7}
		for n := 0; ; n++ {
			if !yield(n) || pause.Steps == 0 {
				return
			}
			select {
			case <-time.After(pause.Step()):
			case <-ctx.Done():
				return
			}
		}
	}
}
