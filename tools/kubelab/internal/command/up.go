package command

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/pflag"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/cluster"
	"github.com/rak-n-rok/krake/tools/kubelab/internal/node"
)

// maxNodes is how many addresses a cluster has for nodes, and far more than a
// test needs.
const maxNodes = 100

func upFlags(flags *pflag.FlagSet, in *invocation) {
	flags.IntVar(&in.nodes, "nodes", 2, fmt.Sprintf("number of simulated nodes of each new cluster, 1 to %d", maxNodes))
	flags.BoolVar(&in.realNode, "real-node", false, "give each new cluster one real node, on which containers run")
	timeoutFlag(flags, in)
}

// A raising is a cluster on its way up, and what to undo if another one fails.
type raising struct {
	cluster cluster.Cluster
	lock    *os.File
	created bool
	started bool
}

// up makes all clusters run, or leaves everything as it was.
func up(ctx context.Context, in invocation) []error {
	if in.nodes < 1 || in.nodes > maxNodes {
		return []error{fmt.Errorf("up: --nodes %d is not from 1 to %d", in.nodes, maxNodes)}
	}
	if in.realNode {
		if in.nodesSet {
			return []error{errors.New("up: --nodes is for simulated nodes; with --real-node there is one")}
		}
		if _, err := node.Find(); err != nil { // once, and not for each cluster
			return []error{fmt.Errorf("up: %w", err)}
		}
		in.nodes = 1
	}
	raisings := make([]raising, len(in.clusters))
	failures := each(in.clusters, func(i int, c cluster.Cluster) error {
		raisings[i].cluster = c
		return raisings[i].raise(ctx, in)
	})
	if len(failures) > 0 {
		failures = append(failures, each(in.clusters, func(i int, _ cluster.Cluster) error {
			return raisings[i].undo()
		})...)
	}
	for _, r := range raisings {
		r.lock.Close() // harmless on nil
	}
	return failures
}

func (r *raising) raise(ctx context.Context, in invocation) error {
	c := r.cluster
	lock, err := lock(ctx, c, true)
	if err != nil {
		return err
	}
	r.lock = lock
	exists, err := c.Exists()
	if err != nil {
		return err
	}
	if !exists {
		if err := c.Create(cluster.Spec{Nodes: in.nodes, RealNode: in.realNode, Token: rand.Text()}); err != nil {
			_ = os.Remove(c.Home()) // if it is empty, it is ours
			return err
		}
		r.created = true
	} else if err := checkNodes(c, in); err != nil {
		return err
	}
	r.started, err = startStopped(ctx, c, in)
	return err
}

func checkNodes(c cluster.Cluster, in invocation) error {
	spec, err := c.ReadSpec()
	if err != nil {
		return err
	}
	if in.realNode && !spec.RealNode {
		return errors.New("it was created without --real-node; take it down first to change that")
	}
	if in.nodesSet && (spec.Nodes != in.nodes || spec.RealNode) {
		return fmt.Errorf("it was created with %s; take it down first to change that", nodesFlag(spec))
	}
	return nil
}

// nodesFlag is the flag of up that asks for the nodes that a cluster has.
func nodesFlag(spec cluster.Spec) string {
	if spec.RealNode {
		return "--real-node"
	}
	return fmt.Sprintf("--nodes %d", spec.Nodes)
}

// undo removes a cluster that this command created, and stops one that it only
// started.
func (r *raising) undo() error {
	if r.created || r.started {
		if err := kill(r.cluster); err != nil {
			return err
		}
	}
	if r.created {
		return r.cluster.Remove()
	}
	return nil
}

// startStopped starts the cluster, and tells whether that was necessary.
func startStopped(ctx context.Context, c cluster.Cluster, in invocation) (bool, error) {
	now, err := look(ctx, c)
	if err != nil {
		return false, err
	}
	switch now.State {
	case cluster.Running:
		say(in.out, c, "is running already, %s", now.Server)
		return false, nil
	case cluster.Stopped, cluster.Dead:
	case cluster.Degraded:
		return false, errors.New("it is degraded, as status shows; stop it first")
	default:
		return false, fmt.Errorf("it is %s; try again when it is not", now.State)
	}
	since := time.Now()
	if err := launch(ctx, c, in.timeout); err != nil {
		return false, err
	}
	spec, err := c.ReadSpec()
	if err != nil {
		return true, err
	}
	say(in.out, c, "ready in %.1f s, %s, kubeconfig %s", time.Since(since).Seconds(), spec.URL(), c.Kubeconfig())
	return true, nil
}
