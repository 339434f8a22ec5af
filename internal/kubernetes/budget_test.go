package kubernetes

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
)

func TestTheLimitOfRemovals(t *testing.T) {
	for name, test := range map[string]struct {
		limit         RemovalLimit
		objects, want int
	}{
		"nothing is known of the cluster": {DefaultRemovalLimit, 0, 20},
		"a small cluster":                 {DefaultRemovalLimit, 200, 20},
		"a share is rounded down":         {DefaultRemovalLimit, 219, 21},
		"a large one":                     {DefaultRemovalLimit, 5000, 500},
		"no share":                        {RemovalLimit{Floor: 3}, 5000, 3},
		"everything":                      {RemovalLimit{Floor: 1, Percent: 100}, 5000, 5000},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.limit.of(test.objects); got != test.want {
				t.Errorf("%d, want %d", got, test.want)
			}
		})
	}
}

func TestABatchFitsAsAWholeOrNotAtAll(t *testing.T) {
	at := func(offset time.Duration, count int64) api.CountedRemoval {
		return api.CountedRemoval{Time: api.At(noon.Time().Add(offset)), Count: count}
	}
	for name, test := range map[string]struct {
		before []api.CountedRemoval
		batch  int
		fits   bool
		left   int // entries after it
	}{
		"all of an empty window":      {nil, 20, true, 1},
		"one more than that":          {nil, 21, false, 1},
		"the rest of a window":        {[]api.CountedRemoval{at(-4*time.Minute, 15)}, 5, true, 2},
		"more than the rest":          {[]api.CountedRemoval{at(-4*time.Minute, 15)}, 6, false, 2},
		"what is over does not count": {[]api.CountedRemoval{at(-5*time.Minute, 15)}, 20, true, 1},
		"what is nearly over counts":  {[]api.CountedRemoval{at(-5*time.Minute+time.Millisecond, 1)}, 20, false, 2},
		"the clock has gone back":     {[]api.CountedRemoval{at(time.Hour, 15)}, 6, false, 2},
		"some of it is over":          {[]api.CountedRemoval{at(-6*time.Minute, 15), at(-time.Minute, 10)}, 10, true, 2},
	} {
		t.Run(name, func(t *testing.T) {
			after, fits := charge(test.before, test.batch, 20, noon)
			if fits != test.fits || len(after) != test.left {
				t.Errorf("%v, %+v", fits, after)
			}
		})
	}
}

// Whatever is asked for and whenever: no window of five minutes sees more than the limit, and nobody waits who is alone in
// a window and asks for no more than that.
func TestNoWindowSeesMoreThanTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 50).Draw(t, "limit")
		type removal struct {
			at    time.Time
			count int
		}
		var passed []removal
		var stored []api.CountedRemoval
		now := noon.Time()
		for range rapid.IntRange(1, 60).Draw(t, "batches") {
			now = now.Add(time.Duration(rapid.IntRange(0, 240).Draw(t, "seconds")) * time.Second)
			batch := rapid.IntRange(1, 60).Draw(t, "batch")
			after, fits := charge(stored, batch, limit, api.At(now))
			alone := len(passed) == 0 || now.Sub(passed[len(passed)-1].at) >= api.RemovalWindow
			if alone && batch <= limit && !fits {
				t.Fatalf("%d of %d wait alone at %s", batch, limit, now)
			}
			if fits {
				stored, passed = after, append(passed, removal{now, batch})
			}
			for _, first := range passed {
				sum := 0
				for _, r := range passed {
					if !r.at.Before(first.at) && r.at.Before(first.at.Add(api.RemovalWindow)) {
						sum += r.count
					}
				}
				if sum > limit {
					t.Fatalf("%d of %d went within the window from %s", sum, limit, first.at)
				}
			}
			if len(stored) > limit+1 {
				t.Fatalf("%d entries are kept for a limit of %d", len(stored), limit)
			}
		}
	})
}
