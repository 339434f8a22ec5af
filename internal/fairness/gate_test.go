package fairness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// A crowd enters a gate inside a bubble, where it is known when everybody who can move has moved.
type crowd struct {
	gate     *Gate
	mu       sync.Mutex
	in       []string // the clients that were let in, in that order
	away     []error  // what the others were told
	canceled map[string][]context.CancelFunc
}

func (c *crowd) enter(ctx context.Context, name string) {
	ctx, cancel := context.WithCancel(ctx)
	c.canceled[name] = append(c.canceled[name], cancel)
	go func() {
		if err := c.gate.Enter(ctx, Client{User: name}); err != nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.away = append(c.away, err)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.in = append(c.in, name)
	}()
	synctest.Wait()
}

func (c *crowd) let() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.in)
}

func (c *crowd) refused() []error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.away)
}

func (c *crowd) leave(name string) {
	c.gate.Leave(Client{User: name})
	synctest.Wait()
}

func inBubble(t *testing.T, l Limits, f func(ctx context.Context, c *crowd)) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer cancel()
		f(ctx, &crowd{gate: New(l), canceled: map[string][]context.CancelFunc{}})
	})
}

func TestPlacesGoToTheClientsByTurns(t *testing.T) {
	inBubble(t, Limits{AtWork: 2, Share: 2, Crowd: 2, Waiting: 100}, func(ctx context.Context, c *crowd) {
		for range 10 {
			c.enter(ctx, "flood")
		}
		c.enter(ctx, "a")
		c.enter(ctx, "b")
		c.enter(ctx, "a")
		for range 5 {
			c.leave("flood")
		}
		want := []string{"flood", "flood", "flood", "a", "b", "flood", "a"}
		if !slices.Equal(c.let(), want) {
			t.Errorf("let in %v, want %v", c.let(), want)
		}
	})
}

func TestAClientLeavesRoomForOthers(t *testing.T) {
	inBubble(t, Limits{AtWork: 3, Share: 2, Crowd: 2, Waiting: 100}, func(ctx context.Context, c *crowd) {
		for range 5 {
			c.enter(ctx, "flood")
		}
		c.enter(ctx, "a")
		if want := []string{"flood", "flood", "a"}; !slices.Equal(c.let(), want) {
			t.Errorf("let in %v, want %v", c.let(), want)
		}
		c.leave("a")
		if load := c.gate.Load(); load != (Load{AtWork: 2, Waiting: 3, Clients: 1}) {
			t.Errorf("%+v: the flood took the room that was left for others", load)
		}
	})
}

func TestAClientHasLessWhileOthersCome(t *testing.T) {
	inBubble(t, Limits{AtWork: 8, Share: 6, Crowd: 2, Long: 5, Waiting: 100}, func(ctx context.Context, c *crowd) {
		for range 20 {
			c.enter(ctx, "flood")
		}
		if n := len(c.let()); n != 6 {
			t.Errorf("alone it has %d at work", n)
		}
		c.enter(ctx, "a")
		if n := len(c.let()); n != 7 {
			t.Error("the other one waits")
		}
		for range 5 {
			c.leave("flood")
		}
		if load := c.gate.Load(); load.AtWork != 3 { // 6 went down to 2 before one was let in again
			t.Errorf("%+v while another one comes", load)
		}
		time.Sleep(crowded)
		synctest.Wait()
		if load := c.gate.Load(); load.AtWork != 7 { // nobody has left
			t.Errorf("%+v when the other one has not come for a while", load)
		}
	})
}

func TestAClientWithAShortLineHasItsShare(t *testing.T) {
	inBubble(t, Limits{AtWork: 8, Share: 6, Crowd: 2, Long: 5, Waiting: 100}, func(ctx context.Context, c *crowd) {
		c.enter(ctx, "a")
		for range 10 {
			c.enter(ctx, "busy")
		}
		if load := c.gate.Load(); load != (Load{AtWork: 7, Waiting: 4, Clients: 2}) {
			t.Errorf("%+v", load)
		}
		c.leave("busy")
		if load := c.gate.Load(); load != (Load{AtWork: 7, Waiting: 3, Clients: 2}) {
			t.Errorf("%+v after one has left", load)
		}
	})
}

func TestALineHasAnEnd(t *testing.T) {
	inBubble(t, Limits{AtWork: 1, Share: 1, Crowd: 1, Waiting: 2}, func(ctx context.Context, c *crowd) {
		for range 4 {
			c.enter(ctx, "flood")
		}
		c.enter(ctx, "a")
		if len(c.refused()) != 1 || !errors.Is(c.refused()[0], ErrFull) {
			t.Errorf("refused %v", c.refused())
		}
		if load := c.gate.Load(); load != (Load{AtWork: 1, Waiting: 3, Clients: 2}) {
			t.Errorf("%+v", load)
		}
	})
}

func TestWhoGoesAwayIsForgotten(t *testing.T) {
	inBubble(t, Limits{AtWork: 1, Share: 1, Crowd: 1, Waiting: 10}, func(ctx context.Context, c *crowd) {
		for _, name := range []string{"a", "b", "c"} {
			c.enter(ctx, name)
		}
		c.canceled["b"][0]()
		synctest.Wait()
		c.leave("a")
		c.leave("c")
		if want := []string{"a", "c"}; !slices.Equal(c.let(), want) || !errors.Is(c.refused()[0], context.Canceled) {
			t.Errorf("let in %v, refused %v", c.let(), c.refused())
		}
		if load := c.gate.Load(); load != (Load{}) {
			t.Errorf("%+v is left", load)
		}
	})
}

// Whatever comes and goes: the limits hold, nobody waits who could work, and everybody is let in at last.
func TestNobodyIsForgottenAndNoLimitIsExceeded(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		l := Limits{AtWork: rapid.IntRange(1, 5).Draw(r, "at work"), Share: rapid.IntRange(1, 5).Draw(r, "share"), Waiting: 1000}
		l.Crowd, l.Long = l.Share, 1000
		steps := rapid.SliceOfN(rapid.IntRange(0, 11), 1, 60).Draw(r, "steps")
		wrong := "" // told outside of the bubble, which rapid cannot leave by itself
		inBubble(t, l, func(ctx context.Context, c *crowd) {
			names := []string{"a", "b", "c", "d"}
			entered, left, gone := map[string]int{}, map[string]int{}, map[string]int{}
			atWork := func(name string) int {
				n := 0
				for _, let := range c.let() {
					if let == name {
						n++
					}
				}
				return n - left[name]
			}
			for _, step := range steps {
				name := names[step%4]
				switch step / 4 {
				case 0:
					entered[name]++
					c.enter(ctx, name)
				case 1:
					if atWork(name) > 0 {
						left[name]++
						c.leave(name)
					}
				case 2:
					// The last that came goes away, if it still waits.
					if entered[name]-gone[name]-left[name] > atWork(name) {
						gone[name]++
						cancels := c.canceled[name]
						cancels[len(cancels)-1]()
						c.canceled[name] = cancels[:len(cancels)-1]
						synctest.Wait()
					}
				}
				total, hungry := 0, false
				for _, n := range names {
					total += atWork(n)
					waits := entered[n] - gone[n] - left[n] - atWork(n)
					hungry = hungry || waits > 0 && atWork(n) < l.Share
					if atWork(n) > l.Share {
						wrong = fmt.Sprintf("%s has %d at work, more than its share of %d", n, atWork(n), l.Share)
					}
				}
				if total > l.AtWork || hungry && total < l.AtWork {
					wrong = fmt.Sprintf("%d at work of %d, and somebody waits who could work: %t", total, l.AtWork, hungry)
				}
			}
			for again := true; again; {
				again = false
				for _, n := range names {
					for atWork(n) > 0 {
						again = true
						left[n]++
						c.leave(n)
					}
				}
			}
			if load := c.gate.Load(); load != (Load{}) && wrong == "" {
				wrong = fmt.Sprintf("%+v is left when all have gone", load)
			}
		})
		if wrong != "" {
			r.Fatal(wrong)
		}
	})
}

// A place that is given to somebody who goes away at the same moment is not lost.
func TestAPlaceIsNotLostOnWhoGoesAwayAtThatMoment(t *testing.T) {
	inBubble(t, Limits{AtWork: 1, Share: 1, Crowd: 1, Waiting: 10}, func(ctx context.Context, c *crowd) {
		for range 50 {
			c.enter(ctx, "a")
			c.enter(ctx, "b")
			before := len(c.refused())
			c.canceled["b"][len(c.canceled["b"])-1]()
			c.leave("a")
			if len(c.refused()) == before { // it was let in all the same
				c.leave("b")
			}
			if load := c.gate.Load(); load != (Load{}) {
				t.Fatalf("%+v is left", load)
			}
		}
	})
}
