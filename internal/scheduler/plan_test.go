package scheduler

import (
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
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
