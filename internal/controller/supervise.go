package controller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"time"
)

// Component is something that runs until its context ends, such as a cache or a controller.
type Component struct {
	Name string
	Run  func(ctx context.Context) error
}

// A component that ends by itself is started again after a pause that doubles from firstPause to lastPause, and begins
// anew at firstPause once the component has run for longer than lastPause.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 30 * time.Second
)

// Supervise runs components until ctx ends and starts those again that end before, whether by an error, a panic or
// quietly; the end of one does not touch the others. Once ctx has ended it waits a bounded time, and names in its error
// the components that are still running then. Their names must differ.
func Supervise(ctx context.Context, log *slog.Logger, components ...Component) error {
	running := make(map[string]bool, len(components))
	ended := make(chan string, len(components))
	for _, c := range components {
		running[c.Name] = true
		go func() {
			c.keepRunning(ctx, log.With("component", c.Name))
			ended <- c.Name
		}()
	}
	<-ctx.Done()
	limit := time.NewTimer(stopWithin + time.Second) // a controller that waits for its workers is not cut short
	defer limit.Stop()
	for len(running) > 0 {
		select {
		case name := <-ended:
			delete(running, name)
		case <-limit.C:
			return fmt.Errorf("still running %s after they were told to stop: %v", stopWithin+time.Second,
				slices.Sorted(maps.Keys(running)))
		}
	}
	return nil
}

func (c Component) keepRunning(ctx context.Context, log *slog.Logger) {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		started := time.Now()
		err := c.runOnce(ctx)
		if ctx.Err() != nil {
			if err != nil && !errors.Is(err, ctx.Err()) {
				log.Error("ended badly", "error", err)
			}
			return
		}
		if time.Since(started) > lastPause {
			pause = firstPause
		}
		log.Error("ended, starting again", "error", err, "pause", pause)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

func (c Component) runOnce(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return c.Run(ctx)
}
