package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/constraint"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/witness"
)

// measureMove moves an application back and forth and counts its ready copies all the time.
func measureMove(ctx context.Context) error {
	l, err := newLab(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	copies, err := witness.NewCopies("mover", l.kubeconfigs...)
	if err != nil {
		return err
	}
	const moves = 6
	namespace := "bench"
	app := echo("mover", "a")
	app.Metadata.Namespace = &namespace
	if _, err := l.apps.Create(ctx, app); err != nil {
		return err
	}
	if err := copies.WaitReady(ctx); err != nil {
		return err
	}
	if err := l.arrived(ctx, "a"); err != nil {
		return err
	}
	counting, stop := context.WithCancel(ctx)
	defer stop()
	report := copies.Run(counting)
	var took samples
	for i := range moves {
		site := []string{"b", "a"}[i%2]
		started := time.Now()
		if err := l.send(ctx, site); err != nil {
			return err
		}
		if err := l.arrived(ctx, site); err != nil {
			return err
		}
		took = append(took, time.Since(started))
	}
	stop()
	r := <-report
	title(fmt.Sprintf("Moves between two clusters (%d; 2 s to settle and 5 s to drain included)", moves))
	header("what", "value")
	row("from the changed constraint to the end of the move, median", ms(took.at(0.5)))
	row("times that ready copies were counted", fmt.Sprint(r.Samples))
	row("fewest ready copies", fmt.Sprint(r.Least))
	row("longest time without a ready copy", ms(r.LongestGap))
	return nil
}

// send changes the constraint.
func (l *lab) send(ctx context.Context, site string) error {
	label, err := constraint.ParseLabel("site is " + site)
	if err != nil {
		return err
	}
	for {
		app, err := l.apps.Get(ctx, "bench", "mover")
		if err != nil {
			return err
		}
		app.Spec.Constraints.Cluster.Labels = []constraint.Label{label}
		if _, err = l.apps.Update(ctx, app); err == nil || !client.Conflict(err) {
			return err
		}
	}
}

// arrived waits until the application runs on a cluster and no move is under way.
func (l *lab) arrived(ctx context.Context, site string) error {
	for range 1200 {
		app, err := l.apps.Get(ctx, "bench", "mover")
		if err != nil {
			return err
		}
		on := app.Status.RunningOn
		if on != nil && on.Name == site && app.Status.State == api.AppRunning &&
			app.Status.Conditions.Get(api.Migrating).Status != api.True {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("the application did not arrive on %s within a minute", site)
}
