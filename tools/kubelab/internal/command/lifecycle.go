package command

import (
	"context"
	"errors"
	"time"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/cluster"
)

// stopTimeout is how long a supervisor may take to end its parts in order; it
// kills those that are slow well before.
const stopTimeout = 20 * time.Second

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
		waiting, cancel := context.WithTimeoutCause(ctx, lockTimeout, errors.New("it takes too long"))
		defer cancel()
		lock, err := c.Lock(waiting, false)
		if err != nil {
			return err
		}
		defer lock.Close()
		return do(c)
	}
}
