package controller

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAComponentThatEndsIsStartedAgainAndTouchesNoOther(t *testing.T) {
	for name, end := range map[string]func() error{
		"by an error":    func() error { return errors.New("no luck") },
		"by a panic":     func() error { panic("oh") },
		"without a word": func() error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				starts, steady := 0, 0
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() {
					ended <- Supervise(ctx, slog.New(slog.DiscardHandler),
						Component{Name: "short-lived", Run: func(context.Context) error { starts++; return end() }},
						Component{Name: "steady", Run: func(ctx context.Context) error { steady++; <-ctx.Done(); return ctx.Err() }})
				}()
				time.Sleep(time.Hour)
				cancel()
				if err := <-ended; err != nil {
					t.Error(err)
				}
				// Once the pauses have grown there are 120 in an hour.
				if starts < 100 || starts > 140 || steady != 1 {
					t.Errorf("started %d times in an hour, the steady one %d times", starts, steady)
				}
			})
		})
	}
}

func TestAComponentThatRanForLongIsStartedAgainSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ends, starts []time.Time
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		err := Supervise(ctx, slog.New(slog.DiscardHandler), Component{Name: "long", Run: func(context.Context) error {
			starts = append(starts, time.Now())
			if len(starts) == 11 {
				time.Sleep(time.Minute)
			}
			ends = append(ends, time.Now())
			return errors.New("no luck")
		}})
		if err != nil {
			t.Error(err)
		}
		if before, after := starts[10].Sub(ends[9]), starts[11].Sub(ends[10]); before != lastPause || after != firstPause {
			t.Errorf("the pause was %s before the long run and %s after it", before, after)
		}
	})
}

func TestAComponentThatDoesNotStopIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		deaf := make(chan struct{})
		cancel()
		err := Supervise(ctx, slog.New(slog.DiscardHandler),
			Component{Name: "deaf", Run: func(context.Context) error { <-deaf; return nil }},
			Component{Name: "obedient", Run: func(ctx context.Context) error { <-ctx.Done(); return nil }})
		if err == nil || !strings.Contains(err.Error(), "deaf") || strings.Contains(err.Error(), "obedient") {
			t.Errorf("got %v", err)
		}
		close(deaf)
		synctest.Wait()
	})
}
