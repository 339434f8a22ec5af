package fleet

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var errDown = errors.New("connection refused")

// clock is a clock that is set by hand.
type clock struct{ time time.Time }

func (c *clock) now() time.Time { return c.time }

func newBreaker() (*breaker, *clock) {
	c := &clock{time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	return &breaker{now: c.now}, c
}

// opened is a breaker that has just opened.
func opened(t *testing.T) (*breaker, *clock) {
	t.Helper()
	b, c := newBreaker()
	for range breakerThreshold {
		p, err := b.enter()
		if err != nil {
			t.Fatal(err)
		}
		b.failed(p, errDown)
	}
	return b, c
}

func TestABreakerOpensAndSaysWhy(t *testing.T) {
	b, _ := opened(t)
	var open *openError
	_, err := b.enter()
	if !errors.As(err, &open) || !errors.Is(err, errDown) || open.wait != breakerFirst || err.Error() != errDown.Error() {
		t.Errorf("error: %#v", err)
	}
}

func TestABreakerLetsOneTryAndCloses(t *testing.T) {
	b, c := opened(t)
	c.time = c.time.Add(breakerFirst)
	p, err := b.enter()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.enter(); err == nil {
		t.Error("two try at once")
	}
	b.answered(p)
	for range 10 {
		if _, err := b.enter(); err != nil {
			t.Error(err)
		}
	}
}

func TestABreakerWaitsLongerEachTime(t *testing.T) {
	b, c := opened(t)
	for _, want := range []time.Duration{2, 4, 8, 15, 15} {
		c.time = c.time.Add(b.delay)
		p, err := b.enter()
		if err != nil {
			t.Fatal(err)
		}
		b.failed(p, errDown)
		if b.delay != want*time.Second {
			t.Errorf("waits %s, not %ds", b.delay, want)
		}
	}
}

func TestATrialThatIsAbandonedMakesRoomForAnother(t *testing.T) {
	b, c := opened(t)
	c.time = c.time.Add(breakerFirst)
	for range 3 {
		p, err := b.enter()
		if err != nil || !p.trial {
			t.Fatalf("pass %v, %v", p, err)
		}
		b.abandoned(p)
	}
}

func TestABreakerNeverLocksACluster(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, c := newBreaker()
		var out []pass
		inARow := 0
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0, 1:
				p, err := b.enter()
				if err == nil {
					out = append(out, p)
				} else if inARow < breakerThreshold {
					t.Fatalf("open after %d failures: %v", inARow, err)
				}
			case 2:
				c.time = c.time.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "seconds")) * time.Second)
			case 3, 4:
				if len(out) == 0 {
					continue
				}
				p := out[0]
				out = out[1:]
				switch rapid.IntRange(0, 2).Draw(t, "outcome") {
				case 0:
					b.answered(p)
					inARow = 0
				case 1:
					b.failed(p, errDown)
					inARow++
				case 2:
					b.abandoned(p)
				}
			}
			trials := 0
			for _, p := range out {
				if p.trial {
					trials++
				}
			}
			if trials > 1 {
				t.Fatalf("%d trials at once", trials)
			}
		}
		for _, p := range out {
			b.abandoned(p)
		}
		c.time = c.time.Add(breakerLast)
		if _, err := b.enter(); err != nil {
			t.Fatalf("still open after %s with nothing under way: %v", breakerLast, err)
		}
	})
}
