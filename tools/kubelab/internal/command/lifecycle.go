package command

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/cluster"
)

const (
	// stopTimeout is how long a supervisor may take to end its parts in order;
	// it kills those that are slow well before.
	stopTimeout = 20 * time.Second

	// lockTimeout bounds waiting for another command that works on the same
	// cluster. The longest is an up.
	lockTimeout = 4 * time.Minute
)

// start starts stopped clusters, each for itself.
func start(ctx context.Context, in invocation) []error {
	return each(in.clusters, locked(ctx, func(c cluster.Cluster) error {
		_, err := startStopped(ctx, c, in)
		return err
	}))
}

// stop ends the processes of clusters.
func stop(ctx context.Context, in invocation) []error {
	return each(in.clusters, locked(ctx, func(c cluster.Cluster) error {
		alive, err := c.Alive()
		if err != nil {
			return err
		}
		if !alive {
			say(in.out, c, "is not running")
			return nil
		}
		since := time.Now()
		if err := endProcesses(c, cluster.Stop, stopTimeout); err != nil {
			return err
		}
		say(in.out, c, "stopped in %.1f s", time.Since(since).Seconds())
		return nil
	}))
}

// down removes clusters: all of the folder, if none is named.
func down(ctx context.Context, in invocation) []error {
	clusters := in.clusters
	if len(clusters) == 0 {
		all, err := cluster.List(in.dir)
		if err != nil {
			return []error{err}
		}
		clusters = all
	}
	return each(clusters, locked(ctx, func(c cluster.Cluster) error {
		if err := kill(c); err != nil {
			return err
		}
		if err := c.Remove(); err != nil {
			return err
		}
		say(in.out, c, "removed")
		return nil
	}))
}

// locked does something to an existing cluster while no other command does.
func locked(ctx context.Context, do func(cluster.Cluster) error) func(int, cluster.Cluster) error {
	return func(_ int, c cluster.Cluster) error {
		lock, err := lock(ctx, c, false)
		if err != nil {
			return err
		}
		defer lock.Close()
		return do(c)
	}
}

func lock(ctx context.Context, c cluster.Cluster, create bool) (*os.File, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, lockTimeout, fmt.Errorf("not finished after %v", lockTimeout))
	defer cancel()
	return c.Lock(ctx, create)
}
