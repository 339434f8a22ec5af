package core

import (
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
)

// attempts fails until there is no further attempt, at most n times, each as late as the one before said.
func attempts(a *api.Application, n int) []Attempts {
	var out []Attempts
	now := noon
	for range n {
		r := Failed(a, now)
		out = append(out, r)
		if !r.Again {
			break
		}
		a.Status.Retries = &r.Left
		a.Status.Conditions = a.Status.Conditions.With(api.Condition{
			Type: api.Scheduled, Status: api.False, ObservedGeneration: a.Metadata.Generation}, api.At(now))
		now = now.Add(r.Delay)
	}
	return out
}

func limited(limit, backoff, delay int64) *api.Application {
	return application(func(a *api.Application) {
		a.Spec.BackoffLimit, a.Spec.Backoff, a.Spec.BackoffDelay = limit, backoff, delay
	})
}

func TestAttemptsFollowTheTable(t *testing.T) {
	s := time.Second
	again := func(left int64, delay time.Duration) Attempts { return Attempts{Left: left, Again: true, Delay: delay} }
	failed := func(left int64) Attempts { return Attempts{Left: left} }
	tests := map[string]struct {
		app  *api.Application
		want []Attempts
	}{
		"a limit of 0 fails at once":               {limited(0, 1, 1), []Attempts{failed(0)}},
		"a limit of 1 gives one more":              {limited(1, 1, 1), []Attempts{again(0, s), failed(0)}},
		"a limit of 2 gives two more":              {limited(2, 1, 1), []Attempts{again(1, s), again(0, s), failed(0)}},
		"a limit below -1 fails at once":           {limited(-2, 1, 1), []Attempts{failed(-2)}},
		"the delay is multiplied each time":        {limited(3, 4, 2), []Attempts{again(2, 2*s), again(1, 8*s), again(0, 32*s), failed(0)}},
		"the delay has a cap":                      {limited(2, 1000, 1), []Attempts{again(1, s), again(0, maxDelay), failed(0)}},
		"no overflow gets around the cap":          {limited(1, 1<<62, 1<<62), []Attempts{again(0, maxDelay), failed(0)}},
		"a delay of 0 is a second":                 {limited(1, 1, 0), []Attempts{again(0, s), failed(0)}},
		"a factor of 0 leaves the delay":           {limited(2, 0, 3), []Attempts{again(1, 3*s), again(0, 3*s), failed(0)}},
		"without a limit it goes on, more slowly":  {limited(-1, 1, 1), []Attempts{again(-1, s), again(-1, 2*s), again(-1, 4*s), again(-1, 8*s)}},
		"without a limit a larger factor counts":   {limited(-1, 3, 2), []Attempts{again(-1, 2*s), again(-1, 6*s), again(-1, 18*s), again(-1, 54*s)}},
		"without a limit there is a cap, too":      {limited(-1, 300, 1), []Attempts{again(-1, s), again(-1, maxDelay), again(-1, maxDelay), again(-1, maxDelay)}},
		"without a limit a negative delay is none": {limited(-1, 1, -5), []Attempts{again(-1, s), again(-1, 2*s), again(-1, 4*s), again(-1, 8*s)}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := attempts(test.app, 4)
			if len(got) != len(test.want) {
				t.Fatalf("got %+v, want %+v", got, test.want)
			}
			for i := range got {
				if got[i] != test.want[i] {
					t.Errorf("attempt %d: got %+v, want %+v", i+1, got[i], test.want[i])
				}
			}
		})
	}
}

func TestAChangeOfTheApplicationBeginsAnew(t *testing.T) {
	a := limited(2, 1, 1)
	if got := attempts(a, 9); len(got) != 3 || !Waits(a) {
		t.Fatalf("got %+v", got)
	}
	a.Metadata.Generation++
	if Waits(a) {
		t.Error("an attempt is said to have failed for what was never tried")
	}
	if got := attempts(a, 9); len(got) != 3 {
		t.Errorf("after a change there were %d attempts, want 3", len(got))
	}
	b := limited(-1, 1, 1)
	attempts(b, 9)
	b.Metadata.Generation++
	if got := Failed(b, noon.Add(time.Hour)); got.Delay != time.Second {
		t.Errorf("after a change the first delay is %s", got.Delay)
	}
}
