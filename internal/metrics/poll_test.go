package metrics

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rak-n-rok/krake/internal/metrics/provider"
)

// scripted is a source that does with each request what a test says.
type scripted struct {
	read func(ctx context.Context, name string) (float64, error)
	all  func(ctx context.Context, names []string) (map[string]provider.Result, error)
}

func (s scripted) Read(ctx context.Context, name string) (float64, error) { return s.read(ctx, name) }

// scriptedBatch is one that can be asked for several values at once.
type scriptedBatch struct{ scripted }

func (s scriptedBatch) Batch(name string) bool { return !strings.Contains(name, "(") }
func (s scriptedBatch) ReadAll(ctx context.Context, names []string) (map[string]provider.Result, error) {
	return s.all(ctx, names)
}

// polled polls names n0, n1, … and returns what is noted, "" for a value.
func polled(source provider.Source, names []string) map[string]string {
	r := &Reader{o: Options{Timeout: 20 * time.Second}, seats: make(chan struct{}, atOnce)}
	var mu sync.Mutex
	noted := map[string]string{}
	r.poll(context.Background(), &line{source: source}, names, func(name string, value float64, err error) {
		mu.Lock()
		defer mu.Unlock()
		if _, twice := noted[name]; twice {
			err = errors.New("told twice")
		}
		if noted[name] = fmt.Sprint(value); err != nil {
			noted[name] = err.Error()
		}
	})
	return noted
}

func numbered(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprint("n", i))
	}
	return names
}

func TestAProviderIsAskedByFewRequestsAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		now, most := 0, 0
		count := func(n int) {
			mu.Lock()
			defer mu.Unlock()
			now += n
			most = max(most, now)
		}
		noted := polled(scripted{read: func(context.Context, string) (float64, error) {
			count(1)
			time.Sleep(time.Second)
			count(-1)
			return 1, nil
		}}, numbered(100))
		if len(noted) != 100 || noted["n99"] != "1" || most != provider.AtOnce {
			t.Errorf("%d values by %d requests at a time", len(noted), most)
		}
	})
}

func TestAProviderThatSaysNothingIsNotWaitedForAgainAndAgain(t *testing.T) {
	silent := func(ctx context.Context) (float64, error) {
		<-ctx.Done()
		return 0, &provider.UnreachableError{Provider: "x", Cause: ctx.Err()}
	}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		noted := polled(scripted{read: func(ctx context.Context, _ string) (float64, error) { return silent(ctx) }}, numbered(1000))
		if took := time.Since(start); took != 20*time.Second || len(noted) != 1000 || !strings.Contains(noted["n999"], "deadline exceeded") {
			t.Errorf("after %v there are %d: %s", took, len(noted), noted["n999"])
		}
	})
	// One query that takes too long says nothing of the others.
	synctest.Test(t, func(t *testing.T) {
		noted := polled(scripted{read: func(ctx context.Context, name string) (float64, error) {
			if name == "n3" {
				return silent(ctx)
			}
			return 1, nil
		}}, numbered(100))
		for name, got := range noted {
			if (name == "n3") == (got == "1") {
				t.Errorf("%s is %s", name, got)
			}
		}
	})
}

func TestNamesAreAskedForTogether(t *testing.T) {
	var mu sync.Mutex
	var alone, sizes []string
	source := scriptedBatch{scripted{
		read: func(_ context.Context, name string) (float64, error) {
			mu.Lock()
			defer mu.Unlock()
			alone = append(alone, name)
			return 1, nil
		},
		all: func(_ context.Context, names []string) (map[string]provider.Result, error) {
			mu.Lock()
			defer mu.Unlock()
			sizes = append(sizes, fmt.Sprint(len(names)))
			switch {
			case slices.Contains(names, "n0"):
				return nil, &provider.UnreachableError{Provider: "x", Cause: provider.ErrTooLong}
			case slices.Contains(names, "n32"):
				return nil, &provider.UnreachableError{Provider: "x", Cause: errors.New("503")}
			}
			out := map[string]provider.Result{}
			for _, name := range names {
				out[name] = provider.Result{Value: 2}
			}
			out["n69"] = provider.Result{Err: errors.New("no value")}
			return out, nil
		},
	}}
	noted := polled(source, append(numbered(70), "sum(n0)"))
	slices.Sort(sizes)
	if len(noted) != 71 || !slices.Equal(sizes, []string{"32", "32", "6"}) || len(alone) != 33 {
		t.Errorf("%d values, together %v, alone %v", len(noted), sizes, alone)
	}
	for name, want := range map[string]string{"n0": "1", "n31": "1", "n32": "no answer from x: 503", "n63": "no answer from x: 503", "n64": "2", "n69": "no value", "sum(n0)": "1"} {
		if noted[name] != want {
			t.Errorf("%s is %s, want %s", name, noted[name], want)
		}
	}
	alone, sizes = nil, nil
	if noted := polled(source, []string{"n5"}); noted["n5"] != "1" || len(sizes) != 0 {
		t.Errorf("one name is asked for together with none: %v, %v", noted, sizes)
	}
}
