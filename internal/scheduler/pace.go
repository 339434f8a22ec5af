package scheduler

import (
	"time"

	"golang.org/x/time/rate"

	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// A pace lets applications leave silent clusters one by one.
type pace struct{ limiter *rate.Limiter }

// newPace begins with a wait: the process before may have taken a step just now.
func newPace(now time.Time) pace {
	p := pace{rate.NewLimiter(rate.Every(core.FailoverPace), 1)}
	p.limiter.AllowN(now, 1)
	return p
}

// take takes a step if its time has come, and returns how to give it back; else how long it takes until then.
func (p pace) take(now time.Time) (giveBack func(), wait time.Duration) {
	step := p.limiter.ReserveN(now, 1)
	if wait := step.DelayFrom(now); wait > 0 {
		step.CancelAt(now)
		return nil, wait
	}
	return func() { step.CancelAt(now) }, 0
}
