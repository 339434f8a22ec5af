package controller

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rak-n-rok/krake/api"
)

var (
	one = Key{Namespace: "testing", Name: "one"}
	two = Key{Namespace: "testing", Name: "two"}
)

// bench runs a controller inside a bubble in which time passes only while everybody waits.
type bench struct {
	*Controller
	log  *bytes.Buffer
	stop func() error
}

func start(t *testing.T, reconcile func(context.Context, Key) (Result, error), listed ...Key) bench {
	t.Helper()
	log := &bytes.Buffer{}
	c := New(Config{Name: "test", Workers: 2, Reconcile: reconcile,
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	synced := make(chan struct{})
	close(synced)
	c.sources = []source{{synced: synced, keys: func() []Key { return listed }}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	synctest.Wait()
	return bench{c, log, func() error { cancel(); return <-ended }}
}

func TestEveryObjectIsLookedAtWhenTheControllerStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		seen := map[Key]int{}
		b := start(t, func(_ context.Context, k Key) (Result, error) {
			mu.Lock()
			defer mu.Unlock()
			seen[k]++
			return Result{}, nil
		}, one, two)
		if seen[one] != 1 || seen[two] != 1 {
			t.Errorf("looked at %v", seen)
		}
		b.Enqueue(two)
		synctest.Wait()
		if seen[one] != 1 || seen[two] != 2 {
			t.Errorf("after a change of two looked at %v", seen)
		}
		if err := b.stop(); err != nil {
			t.Error(err)
		}
		b.Enqueue(one)

		ctx, cancel := context.WithCancel(t.Context())
		again := make(chan error)
		go func() { again <- b.Run(ctx) }()
		synctest.Wait()
		cancel()
		if err := <-again; err != nil || seen[one] != 2 || seen[two] != 3 {
			t.Errorf("the second run looked at %v and ended with %v", seen, err)
		}
	})
}

func TestThePanicOfOneObjectStopsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries, others := 0, 0
		b := start(t, func(_ context.Context, k Key) (Result, error) {
			if k == two {
				others++
				return Result{}, nil
			}
			if tries++; tries < 4 {
				panic("this object is odd")
			}
			return Result{}, nil
		}, one)
		time.Sleep(time.Second)
		b.Enqueue(two)
		synctest.Wait()
		if tries != 4 || others != 1 {
			t.Errorf("tried the odd object %d times and the other %d times", tries, others)
		}
		if err := b.stop(); err != nil {
			t.Error(err)
		}
		for _, want := range []string{"this object is odd", "key=testing/one", "controller_test.go"} {
			if !strings.Contains(b.log.String(), want) {
				t.Errorf("the log does not tell %q:\n%s", want, b.log)
			}
		}
	})
}

func TestFailuresAreRetriedLaterEachTimeUpToACap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls []time.Time
		b := start(t, func(context.Context, Key) (Result, error) {
			calls = append(calls, time.Now())
			return Result{}, errors.New("no luck")
		}, one)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if err := b.stop(); err != nil {
			t.Error(err)
		}
		if len(calls) < 20 {
			t.Fatalf("%d calls in ten minutes", len(calls))
		}
		nominal := firstRetry
		for i := 1; i < len(calls); i++ {
			if d := calls[i].Sub(calls[i-1]); d > nominal || d < nominal/2 {
				t.Errorf("retry %d came after %s, want between %s and %s", i, d, nominal/2, nominal)
			}
			nominal = min(2*nominal, lastRetry)
		}
	})
}

func TestASuccessForgetsEarlierFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls []time.Time
		b := start(t, func(context.Context, Key) (Result, error) {
			calls = append(calls, time.Now())
			if len(calls) == 10 {
				return Result{After: time.Hour}, nil
			}
			return Result{}, errors.New("no luck")
		}, one)
		time.Sleep(time.Hour + time.Minute)
		if err := b.stop(); err != nil {
			t.Error(err)
		}
		if d := calls[10].Sub(calls[9]); d != time.Hour {
			t.Errorf("asked to look again after an hour, did so after %s", d)
		}
		if d := calls[11].Sub(calls[10]); d > firstRetry {
			t.Errorf("the first retry after a success came after %s", d)
		}
	})
}

func TestAConflictIsRetriedAtOnceAndNotComplainedOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		b := start(t, func(context.Context, Key) (Result, error) {
			if calls++; calls == 1 {
				return Result{}, api.NewProblem(409, api.TitleTransaction, "stale")
			}
			return Result{}, nil
		}, one)
		time.Sleep(firstRetry)
		synctest.Wait()
		if calls != 2 || b.log.Len() > 0 {
			t.Errorf("%d calls, log %q", calls, b.log)
		}
		if err := b.stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestOneObjectIsNeverWorkedOnTwiceAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		active, calls := 0, 0
		b := start(t, func(context.Context, Key) (Result, error) {
			mu.Lock()
			if active++; active > 1 {
				t.Error("two workers have the same object")
			}
			calls++
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			active--
			mu.Unlock()
			return Result{}, nil
		}, one)
		for range 100 {
			b.Enqueue(one)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if calls != 2 {
			t.Errorf("%d calls for changes that all came during the first", calls)
		}
		if err := b.stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestStoppingInterruptsTheWorkAndLeavesTheRestOfTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		b := start(t, func(ctx context.Context, _ Key) (Result, error) {
			calls++
			<-ctx.Done()
			return Result{}, ctx.Err()
		}, one)
		for _, name := range []string{"a", "b", "c", "d"} {
			b.Enqueue(Key{Name: name})
		}
		synctest.Wait()
		if err := b.stop(); err != nil {
			t.Error(err)
		}
		if calls > 2 || b.log.Len() > 0 {
			t.Errorf("%d calls with two workers, log %q", calls, b.log)
		}
	})
}

func TestWorkThatDoesNotStopIsNotWaitedForForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deaf := make(chan struct{})
		b := start(t, func(context.Context, Key) (Result, error) { <-deaf; return Result{}, nil }, one)
		if err := b.stop(); err == nil {
			t.Error("no word of the work that goes on")
		}
		close(deaf)
	})
}
