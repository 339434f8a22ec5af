package core

import (
	"time"

	"github.com/rak-n-rok/krake/api"
)

// maxDelay bounds the time between two attempts, minDelay keeps a delay of nothing from becoming a busy loop.
const (
	maxDelay = 5 * time.Minute
	minDelay = time.Second
)

// Attempts is how it goes on after no place was found.
type Attempts struct {
	Left  int64 // how many more may fail; -1 for any number
	Again bool  // whether there is another attempt at all
	Delay time.Duration
}

// Waits says whether an attempt has failed for what the application asks for now.
func Waits(a *api.Application) bool {
	c := a.Status.Conditions.Get(api.Scheduled)
	return c.Status == api.False && c.ObservedGeneration == a.Metadata.Generation
}

// Failed says what follows from one more attempt that found no place. The rules are those of the table in
// specification section 3.1.5; a change of what the application asks for begins anew.
func Failed(a *api.Application, now time.Time) Attempts {
	limit, left := a.Spec.BackoffLimit, a.Spec.BackoffLimit
	if Waits(a) && a.Status.Retries != nil {
		left = *a.Status.Retries
	}
	switch {
	case left > 0 && limit > 0:
		return Attempts{Left: left - 1, Again: true, Delay: grown(a, limit-left)}
	case left > 0 || limit == -1:
		return Attempts{Left: left, Again: true, Delay: sweep(a, now)}
	default:
		return Attempts{Left: left}
	}
}

// grown is backoff_delay × backoff^failed.
func grown(a *api.Application, failed int64) time.Duration {
	delay := firstDelay(a)
	for ; failed > 0 && delay < maxDelay && a.Spec.Backoff > 1; failed-- {
		delay = times(delay, a.Spec.Backoff)
	}
	return delay
}

// sweep is the delay when any number of attempts may fail: the same series, but at least doubling. A cluster that could
// help wakes the application anyway, and a thousand of them that wait must not write a thousand times in every second.
// How many attempts have failed is not stored; but the delays d, d·f, d·f² … that have passed sum up to (next−d)/(f−1).
func sweep(a *api.Application, now time.Time) time.Duration {
	delay := firstDelay(a)
	c := a.Status.Conditions.Get(api.Scheduled)
	if !Waits(a) || c.LastTransition == nil {
		return delay
	}
	passed := max(now.Sub(c.LastTransition.Time()), 0)
	return min(delay+times(passed, max(a.Spec.Backoff, 2)-1), maxDelay)
}

func firstDelay(a *api.Application) time.Duration {
	return max(times(time.Second, a.Spec.BackoffDelay), minDelay)
}

// times multiplies up to maxDelay.
func times(d time.Duration, factor int64) time.Duration {
	if d > 0 && factor > int64(maxDelay/d) {
		return maxDelay
	}
	return d * time.Duration(factor)
}
