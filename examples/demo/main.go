// The demo: two real Kubernetes clusters, Krake, and an application that moves between them while it is being watched.
// It runs the commands that a user would type, shows them and what they print, and leaves everything running.
//
// Where the machine can have them, the clusters' nodes are real: the application's container runs and is asked.
//
// Usage: demo DIR (start) or demo stop DIR. DIR holds everything that the demo makes.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to release
	}
}

func run(ctx context.Context, args []string) error {
	stopOnly := len(args) == 2 && args[0] == "stop"
	if stopOnly {
		args = args[1:]
	}
	if len(args) != 1 {
		return errors.New("usage: demo [stop] DIR")
	}
	dir, err := filepath.Abs(args[0])
	if err != nil {
		return err
	}
	d := &demo{dir: dir}
	if err := d.stop(ctx); err != nil {
		return err
	}
	if stopOnly {
		return nil
	}
	if err := d.start(ctx); err != nil {
		return errors.Join(err, d.stop(context.WithoutCancel(ctx)))
	}
	return d.tell(ctx)
}
