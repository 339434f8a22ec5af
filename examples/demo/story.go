package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/rak-n-rok/krake/internal/witness"
)

// tell runs the commands of the walk-through.
func (d *demo) tell(ctx context.Context) error {
	berlin, bratislava := d.path("clusters/berlin.kubeconfig"), d.path("clusters/bratislava.kubeconfig")
	step("Registering both clusters, with a label that says where they are")
	for _, args := range [][]string{
		{"kube", "cluster", "register", "-k", berlin, "-l", "location=DE"},
		{"kube", "cluster", "register", "-k", bratislava, "-l", "location=SK"},
	} {
		if err := d.rok(ctx, args...); err != nil {
			return err
		}
	}
	if err := d.clustersOnline(ctx); err != nil {
		return err
	}
	if err := d.rok(ctx, "kube", "cluster", "list"); err != nil {
		return err
	}
	step("Deploying an application that wants to be in DE")
	if err := d.rok(ctx, "kube", "app", "create", "-f", "examples/echo-demo.yaml", "-L", "location is DE", "echo-demo"); err != nil {
		return err
	}
	if err := d.until(ctx, "RUNNING", "berlin"); err != nil {
		return err
	}
	if err := d.rok(ctx, "kube", "app", "get", "echo-demo"); err != nil {
		return err
	}
	if err := d.curl(ctx); err != nil {
		return err
	}
	if err := d.moveWatched(ctx, berlin, bratislava); err != nil {
		return err
	}
	if err := d.curl(ctx); err != nil {
		return err
	}
	d.farewell()
	return nil
}

// moveWatched changes the constraint and counts ready copies while the application moves.
func (d *demo) moveWatched(ctx context.Context, source, target string) error {
	watch, err := witness.NewCopies("echo-demo", source, target)
	if err != nil {
		return err
	}
	if err := watch.WaitReady(ctx); err != nil {
		return err
	}
	step("Now it shall be in SK: Krake creates it there first, and removes the old copy when the new one is ready")
	watchCtx, stop := context.WithCancel(ctx)
	defer stop()
	report := watch.Run(watchCtx)
	asked := d.askMeanwhile(watchCtx)
	if err := d.rok(ctx, "kube", "app", "update", "-L", "location is SK", "echo-demo"); err != nil {
		return err
	}
	if err := d.until(ctx, "RUNNING", "bratislava"); err != nil {
		return err
	}
	if err := watch.WaitGone(ctx, source); err != nil {
		return err
	}
	stop()
	r := <-report
	if err := d.rok(ctx, "kube", "app", "get", "echo-demo"); err != nil {
		return err
	}
	fmt.Printf("\nReady copies were counted %d times during the move: never fewer than %d; longest time without one: %s.\n",
		r.Samples, r.Least, r.LongestGap.Round(time.Millisecond))
	if r.Least == 0 {
		return fmt.Errorf("there was a moment without a ready copy")
	}
	return d.tellOfRequests(<-asked)
}

// until polls the application until it is in a state on a cluster.
func (d *demo) until(ctx context.Context, state, cluster string) error {
	fmt.Printf("\nWaiting until it is %s on %s ", state, cluster)
	defer fmt.Println()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); {
		out, err := d.rokCommand(ctx, "kube", "app", "get", "echo-demo", "-o", "json").Output()
		var app application
		if err == nil && json.Unmarshal(out, &app) == nil && app.Status.State == state &&
			app.Status.RunningOn != nil && app.Status.RunningOn.Name == cluster && len(app.Status.Services) > 0 {
			return nil
		}
		fmt.Print(".")
		if err := sleep(ctx, 500*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("the application was not %s on %s within two minutes; see %s", state, cluster, d.path("krake.log"))
}

func (d *demo) clustersOnline(ctx context.Context) error {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		out, err := d.rokCommand(ctx, "kube", "cluster", "list", "-o", "json").Output()
		var clusters []application
		online := 0
		if err == nil && json.Unmarshal(out, &clusters) == nil {
			for _, c := range clusters {
				if c.Status.State == "ONLINE" {
					online++
				}
			}
		}
		if online == 2 {
			return nil
		}
		if err := sleep(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("the clusters were not ONLINE within a minute; see %s", d.path("krake.log"))
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (d *demo) farewell() {
	fmt.Printf(`
=== Everything is still running. Some things to try:

    export ROK_CONFIG=%s
    bin/rok kube app list
    bin/rok kube app update -f examples/echo-demo-update.yaml echo-demo
    bin/rok kube app update -L "location is DE" echo-demo
    bin/rok kube app delete echo-demo
    bin/kubelab status --dir %s

  make demo-stop ends it all and removes %s.
`, d.path("rok.yaml"), d.path("clusters"), d.dir)
}
