package core

import (
	"time"

	"github.com/rak-n-rok/krake/api"
)

// InForce are the rules as they are applied. With Compat those that the Python Krake does not have are off.
func (r Rules) InForce() Rules {
	if !r.Compat {
		return r
	}
	return Rules{Compat: true, RescheduleAfter: r.RescheduleAfter, Stickiness: r.Stickiness}
}

// AsReference has a place judged as the Python Krake does: by the mean of its metrics to the last bit, whatever their
// weights add up to; and when one of the metrics of a cluster cannot be read, its applications leave it.
func (c *Readings) AsReference() {
	c.reference = true
	if c.Measured = len(c.Metrics) > 0 && c.Unread == ""; c.Measured {
		c.Score, c.Note = quotient(c.sum, c.Weight), ""
	}
}

// quotient is 0 where there is nothing to divide by; the Python Krake dies there.
func quotient(sum, weight float64) float64 {
	if weight == 0 {
		return 0
	}
	return sum / weight
}

// lot is what the Python Krake does when the present place and another one are equally good, which happens where the
// value of all metrics is 1: it tosses a coin each time that it looks. Here the coin is of the application and of the time
// that has passed in steps of RescheduleAfter, so that looking twice at the same moment gives the same answer.
func (r Rules) lot(a *api.Application, now time.Time) bool {
	bound := time.Unix(0, 0)
	if a.Status.Scheduled != nil {
		bound = a.Status.Scheduled.Time()
	}
	step := uint64(now.Sub(bound) / max(r.RescheduleAfter, 1))
	return weight(hash(a.Metadata.UID)^uint64(bound.UnixNano()), step)&1 == 1
}

// Dropped says whether the Python Krake would not look at an application any more: one that has failed and was changed
// since.
func (r Rules) Dropped(a *api.Application) bool {
	return r.Compat && a.Status.State == api.AppFailed && a.Status.ScheduledGeneration < a.Metadata.Generation
}
