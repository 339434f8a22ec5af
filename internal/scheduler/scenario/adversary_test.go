package scenario

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// An adversary does its worst to one application: it knows where the application is, and sets the values of the clusters'
// only metric, which go from 0 to 1.
type adversary struct {
	*Scenario
	t     fataler
	price float64

	values   map[string]float64 // what the metrics are at this step
	at       time.Duration      // of the last moment that was watched
	gap      float64            // how much better the best place was since
	regret   float64
	place    string
	moves    int
	lastMove time.Duration
}

type fataler interface {
	Fatalf(format string, args ...any)
}

// against returns a scenario of so many clusters in which mean decides on the values, at every step.
// Silence is no better place: what follows from it has tests of its own.
func against(t fataler, clusters int, rules core.Rules, mean func(step int, place string) map[string]float64) *adversary {
	rules.FailoverAfter = 0
	x := &adversary{Scenario: &Scenario{Step: 10 * time.Second, Rules: rules, Metrics: map[string]api.MetricSpec{"m": {Max: 1}}}, t: t,
		price: rules.Price * rules.RescheduleAfter.Seconds(), values: map[string]float64{}}
	made := -1
	for i := range clusters {
		r := reader{Scenario: x.Scenario}
		name := fmt.Sprint("c", i)
		if err := r.cluster(name + " metrics m*1"); err != nil {
			t.Fatalf("%v", err)
		}
		x.Clusters[i].Values["m"] = func(step int) (float64, bool) {
			if step != made {
				x.values, made = mean(step, x.place), step
			}
			return min(max(x.values[name], 0), 1), true
		}
	}
	a, _ := parseApp("victim")
	x.Apps = append(x.Apps, a)
	return x
}

// last lets the story last for some time.
func (x *adversary) last(d time.Duration) {
	x.Events = append(x.Events, Event{At: d, do: func(*World) {}})
}

// watch adds up what the application has lost by staying where it was, by the values that there really were, and looks
// after what must never happen.
func (x *adversary) watch(w *World) {
	a := w.apps[0]
	x.regret += max(0, x.gap) * (w.Now - x.at).Seconds()
	x.at = w.Now
	before := x.place
	if a.Status.ScheduledTo != nil {
		x.place = a.Status.ScheduledTo.Name
	}
	if a.moves > x.moves {
		if x.values[x.place] <= x.values[before] {
			x.t.Fatalf("at %s it moved from %s with %v to %s with %v", w.Now, before, x.values[before], x.place, x.values[x.place])
		}
		for _, name := range []string{before, x.place} {
			if w.out(name, true) || w.out(name, false) {
				x.t.Fatalf("at %s it moved from %s to %s though nobody saw %s", w.Now, before, x.place, name)
			}
		}
		x.lastMove = w.Now
	}
	x.moves = a.moves
	x.gap = 0
	for _, v := range x.values {
		x.gap = max(x.gap, min(max(v, 0), 1)-min(max(x.values[x.place], 0), 1))
	}
	if float64(x.moves)*x.price > x.regret*(1+1e-9)+1e-3 {
		x.t.Fatalf("at %s it has moved %d times, though staying has cost only %.3f and a move costs %.3f", w.Now, x.moves, x.regret, x.price)
	}
}

// TestALongFight: twenty days of values just above and below the threshold, spikes, values that turn as soon as the application
// has moved, outages, clocks that jump and restarts. Every move has been paid for by what staying has cost before.
func TestALongFight(t *testing.T) {
	tactics := map[string]func(r *rand.Rand) func(step int, place string) map[string]float64{
		"at the threshold": func(r *rand.Rand) func(int, string) map[string]float64 {
			return func(_ int, place string) map[string]float64 {
				// 0.5 and a stickiness of 0.1 make 0.5454…
				out := map[string]float64{"c0": 0.5455, "c1": 0.5455, "c2": 0.5455 + 0.001*(r.Float64()-0.5)}
				out[place] = 0.5
				if r.IntN(2) == 0 {
					out["c0"], out["c1"] = 0.5454, 0.5454
				}
				return out
			}
		},
		"turning after every move": func(*rand.Rand) func(int, string) map[string]float64 {
			return func(_ int, place string) map[string]float64 {
				out := map[string]float64{"c0": 0.9, "c1": 0.9, "c2": 0.9}
				out[place] = 0.1
				return out
			}
		},
		"spikes": func(r *rand.Rand) func(int, string) map[string]float64 {
			return func(_ int, place string) map[string]float64 {
				out := map[string]float64{"c0": 0.5, "c1": 0.5, "c2": 0.5}
				if r.IntN(20) == 0 {
					out[fmt.Sprint("c", r.IntN(3))] = 1
				}
				return out
			}
		},
		"a walk": func(r *rand.Rand) func(int, string) map[string]float64 {
			out := map[string]float64{"c0": 0.5, "c1": 0.5, "c2": 0.5}
			return func(int, string) map[string]float64 {
				next := map[string]float64{}
				for _, name := range []string{"c0", "c1", "c2"} {
					next[name] = min(max(out[name]+0.05*(r.Float64()-0.5), 0), 1)
				}
				out = next
				return out
			}
		},
	}
	for name, tactic := range tactics {
		for seed := range uint64(5) {
			t.Run(fmt.Sprint(name, " ", seed), func(t *testing.T) {
				r := rand.New(rand.NewPCG(seed, 7))
				x := against(t, 3, core.DefaultRules, tactic(r))
				const days = 24 * time.Hour
				x.last(days)
				if seed > 0 {
					x.Restart = time.Duration(7+r.IntN(600)) * time.Second
				}
				for at := time.Duration(0); seed > 1 && at < days; at += time.Duration(1+r.IntN(7200)) * time.Second {
					from := at
					x.Outages = append(x.Outages, Outage{From: from, To: from + time.Duration(r.IntN(900))*time.Second, Metrics: r.IntN(3) > 0,
						Cluster: []string{"", "c0", "c1", "c2"}[r.IntN(4)]})
				}
				for at := time.Duration(0); seed > 2 && at < days; at += time.Duration(1+r.IntN(7200)) * time.Second {
					jump := time.Duration(r.IntN(14400)-7200) * time.Second
					x.Events = append(x.Events, Event{At: at, do: func(w *World) { w.ahead += jump }})
				}
				if err := x.Run(x.watch); err != nil {
					t.Fatal(err)
				}
				t.Logf("%d moves, staying has cost %.0f, a move costs %.2f", x.moves, x.regret, x.price)
				if name == "turning after every move" && x.moves == 0 {
					t.Error("it never moved, so nothing was tried")
				}
			})
		}
	}
}

// Whatever cannot be seen, and however often the scheduler is restarted or its clock is set: as long as the values stay
// as they are, nobody moves.
func TestOutagesMoveNobody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := map[string]float64{}
		for i := range 3 {
			values[fmt.Sprint("c", i)] = rapid.Float64Range(0, 1).Draw(t, "value")
		}
		x := against(t, 3, core.DefaultRules, func(int, string) map[string]float64 { return values })
		x.last(2 * time.Hour)
		drawTrouble(t, x)
		// One that is placed while something cannot be seen has an inferior place, and may have a better one later.
		for i := range x.Outages {
			x.Outages[i].From += 10 * time.Second
			x.Outages[i].To += 10 * time.Second
		}
		if err := x.Run(x.watch); err != nil {
			t.Fatal(err)
		}
		if x.moves > 0 {
			t.Fatalf("it moved %d times", x.moves)
		}
	})
}

func drawTrouble(t *rapid.T, x *adversary) {
	seconds := func(most int, label string) time.Duration {
		return time.Duration(rapid.IntRange(1, most).Draw(t, label)) * time.Second
	}
	for range rapid.IntRange(0, 8).Draw(t, "outages") {
		from := seconds(7000, "from")
		x.Outages = append(x.Outages, Outage{From: from, To: from + seconds(1200, "long"), Metrics: rapid.Bool().Draw(t, "of metrics"),
			Cluster: rapid.SampledFrom([]string{"", "c0", "c1", "c2"}).Draw(t, "of")})
	}
	for range rapid.IntRange(0, 4).Draw(t, "jumps") {
		jump := seconds(7200, "ahead") - time.Hour
		x.Events = append(x.Events, Event{At: seconds(7000, "at"), do: func(w *World) { w.ahead += jump }})
	}
	if rapid.Bool().Draw(t, "restarts") {
		x.Restart = seconds(600, "every")
	}
}

// Whatever the rules are and the values do, a move has been paid for before it is made, goes to a better place, and waits
// until the application has been where it is for long enough, if the clock goes well.
func TestEveryMoveIsPaidFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := core.Rules{
			RescheduleAfter: time.Duration(rapid.IntRange(0, 300).Draw(t, "residence")) * time.Second,
			Stickiness:      rapid.Float64Range(0, 0.3).Draw(t, "stickiness"), Margin: rapid.Float64Range(0, 0.2).Draw(t, "margin"),
			Price:          rapid.Float64Range(0, 0.3).Draw(t, "price"),
			CoolDown:       time.Duration(rapid.IntRange(0, 300).Draw(t, "cool-down")) * time.Second,
			PerApplication: rapid.IntRange(0, 4).Draw(t, "per application"),
		}
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		levels := rapid.IntRange(2, 6).Draw(t, "levels")
		hold := rapid.IntRange(1, 20).Draw(t, "hold")
		values := map[string]float64{}
		x := against(t, 3, rules, func(step int, _ string) map[string]float64 {
			if step%hold == 0 {
				values = map[string]float64{}
				for i := range 3 {
					values[fmt.Sprint("c", i)] = float64(random.IntN(levels+1)) / float64(levels)
				}
			}
			return values
		})
		x.last(time.Hour)
		well := rapid.Bool().Draw(t, "well")
		if !well {
			drawTrouble(t, x)
		}
		bound, moves := time.Duration(0), 0
		var times []time.Duration
		err := x.Run(func(w *World) {
			x.watch(w)
			if x.moves > moves {
				if well && w.Now-bound+time.Millisecond < rules.RescheduleAfter {
					t.Fatalf("at %s it moved, though it came at %s", w.Now, bound)
				}
				bound, moves, times = w.Now, x.moves, append(times, w.Now)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := rules.PerApplication; well && n > 0 && len(times) > n {
			t.Fatalf("it moved %d times within an hour", len(times))
		}
	})
}

// No more applications go to a cluster within an hour than may.
func TestNoTargetGetsMoreThanItMay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := core.DefaultRules
		rules.PerTarget = rapid.IntRange(1, 4).Draw(t, "per target")
		x := against(t, 3, rules, func(step int, _ string) map[string]float64 {
			good := step / 90 % 3
			out := map[string]float64{"c0": 0.2, "c1": 0.2, "c2": 0.2}
			out[fmt.Sprint("c", good)] = 0.9
			return out
		})
		for i := range rapid.IntRange(1, 8).Draw(t, "others") {
			a, _ := parseApp(fmt.Sprint("other", i))
			x.Apps = append(x.Apps, a)
		}
		x.last(2 * time.Hour)
		type arrival struct {
			to string
			at time.Duration
		}
		var all []arrival
		moves := map[string]int{}
		err := x.Run(func(w *World) {
			for _, a := range w.apps {
				if a.moves > moves[a.Metadata.Name] {
					moves[a.Metadata.Name] = a.moves
					all = append(all, arrival{a.Status.ScheduledTo.Name, w.Now})
				}
			}
			count := map[string]int{}
			for _, m := range all {
				if w.Now-m.at < time.Hour {
					count[m.to]++
				}
			}
			for to, n := range count {
				if n > rules.PerTarget {
					t.Fatalf("at %s, %d applications have moved to %s within an hour", w.Now, n, to)
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
