package scheduler

import (
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

func TestTheHandOverStampIsAlwaysNew(t *testing.T) {
	now := time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) *api.Time { v := api.At(now.Add(d)); return &v }
	tests := map[string]struct {
		modified time.Duration
		old      *api.Time
		want     time.Duration
	}{
		"now, as a rule":                     {-time.Hour, nil, 0},
		"when it was modified in our future": {time.Hour, nil, time.Hour},
		"after the one that is there":        {-time.Hour, at(-time.Minute), 0},
		"after one that lies in our future":  {-time.Hour, at(time.Minute), time.Minute + time.Microsecond},
		"after one from this very moment":    {0, at(0), time.Microsecond},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := api.New[api.Application]()
			a.Metadata.Modified, a.Status.KubeControllerTriggered = *at(test.modified), test.old
			if got := handOverStamp(a, now); !got.Equal(*at(test.want)) {
				t.Errorf("got %s, want %s", got, at(test.want))
			}
		})
	}
}

//
func TestNoAttemptIsMadeBeforeItsTime(t *testing.T) {
	now := time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)
	at := api.At(now.Add(10 * time.Second))
	a := api.New[api.Application]()
	a.Metadata.Generation, a.Spec.BackoffLimit, a.Status.ScheduledRetry = 1, -1, &at
	a.Status.Conditions = a.Status.Conditions.With(api.Condition{Type: api.Scheduled, Status: api.False,
		Reason: string(api.NoSuitableResource), ObservedGeneration: 1}, api.At(now.Add(-time.Minute)))
	refused := core.Decide(core.NewSnapshot(nil), a, now)
	if s := plan(a, refused, false, now); s.status != nil || s.bind != nil || s.again != 10*time.Second {
		t.Errorf("before its time: %+v", s)
	}
	s := plan(a, refused, false, at.Time())
	if next, _ := s.status["scheduled_retry"].(*api.Time); next == nil || !next.Time().After(at.Time()) {
		t.Errorf("at its time: %+v", s)
	}
}
