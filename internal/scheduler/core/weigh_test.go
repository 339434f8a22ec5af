package core

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
)

// free are rules without a guard: what is left is the reference's score.
var free = Rules{Stickiness: 0.1}

// since puts an application on a cluster some time before noon, as the server does.
func since(name string, ago time.Duration) func(*api.Application) {
	return func(a *api.Application) {
		bound(name)(a)
		at := api.At(noon.Add(-ago))
		a.Status.Scheduled = &at
	}
}

// The rows of the specification that rank clusters for an application that has one, and its worked examples: without
// guards the decision is the reference's.
func TestTheBetterPlaceByTheReference(t *testing.T) {
	plain := func(name string) Cluster { return on(name) }
	unread := func(name string) Cluster { return on(name, func(c *Cluster) { c.Unread = "no answer" }) }
	for name, c := range map[string]struct {
		clusters []Cluster // the application is on the first
		want     string
		current  float64 // the score that the present cluster has with stickiness
	}{
		"A-23 W3 equal ones":                                                      {[]Cluster{on("a", values(1, 0.75)), on("b", values(1, 0.75))}, "a", 0.85 / 1.1},
		"A-34 W5 no metrics anywhere":                                             {[]Cluster{plain("a"), plain("b")}, "a", 0.1},
		"A-37 others cannot be read":                                              {[]Cluster{plain("x"), plain("y"), unread("u"), unread("v")}, "x", 0.1},
		"A-38 W6 metrics come before none":                                        {[]Cluster{plain("x"), on("m1", values(0.9, 0.4, 1, 1)), on("m2", values(0.5, 0.4, 1, 1))}, "m2", 0.1},
		"A-39 W7 stickiness makes up for a little":                                {[]Cluster{on("p", values(0.99, 0.4)), plain("n"), on("q", values(1, 0.4))}, "p", (0.4*0.99 + 0.1) / 1.09},
		"A-40 the present one cannot be read any more, with no metrics elsewhere": {[]Cluster{unread("x"), unread("y"), plain("z")}, "x", 0.1},
		"A-41 the present one cannot be read any more":                            {[]Cluster{unread("x"), plain("y"), on("z", values(1, 0.4))}, "x", 0.1},
		"A-42 the values are swapped":                                             {[]Cluster{on("a", values(1, 0.8, 1.5, 0.7)), on("b", values(1.5, 0.8, 1, 0.7))}, "b", (0.8 + 1.05 + 0.1) / 2.6},
		"A-44 metrics against none":                                               {[]Cluster{on("a", values(1, 0.01)), plain("b")}, "a", 0.11 / 1.1},
		"A-61 W8 it migrates":                                                     {[]Cluster{on("k1", values(1, 0.2, 1.5, 0.01)), on("k2", values(1.5, 0.2, 1, 0.01))}, "k2", 0.315 / 2.6},
		"A-64 W9 it stays":                                                        {[]Cluster{on("k1", values(1, 0.02, 1.5, 0.01)), on("k2", values(1.5, 0.02, 1, 0.01))}, "k1", 0.135 / 2.6},
		"W2":                                                                      {[]Cluster{on("c1", values(10, 0.1, 1, 0.9)), on("c2", values(1, 0.1, 10, 0.9))}, "c2", 2.0 / 11.1},
		"W10 a score of nothing":                                                  {[]Cluster{on("f"), on("e", values(1, 0))}, "e", 0.1},
		"E1 a weight of one":                                                      {[]Cluster{on("a", values(1, 0.7)), on("b", values(1, 0.75))}, "b", 0.8 / 1.1},
		"E1 below the threshold":                                                  {[]Cluster{on("a", values(1, 0.7)), on("b", values(1, 0.7272))}, "a", 0.8 / 1.1},
		"E2 a weight of ten":                                                      {[]Cluster{on("a", values(10, 0.7)), on("b", values(10, 0.7031))}, "b", 7.1 / 10.1},
		"E2 below the threshold":                                                  {[]Cluster{on("a", values(10, 0.7)), on("b", values(10, 0.7029))}, "a", 7.1 / 10.1},
		"E3 both at the top":                                                      {[]Cluster{on("a", values(0.45, 1)), on("b", values(0.45, 1))}, "a", 1},
		"one that is not online is none":                                          {[]Cluster{on("a", values(1, 0.1)), on("b", values(1, 0.9), in(api.ClusterOffline))}, "a", 0.2 / 1.1},
		"one that is being deleted is none":                                       {[]Cluster{on("a", values(1, 0.1)), on("b", values(1, 0.9), deleted)}, "a", 0.2 / 1.1},
		"one of another namespace is none":                                        {[]Cluster{on("a", values(1, 0.1)), on("b", values(1, 0.9), elsewhere)}, "a", 0.2 / 1.1},
		"the best of several":                                                     {[]Cluster{on("a", values(1, 0.1)), on("b", values(1, 0.8)), on("c", values(1, 0.9))}, "c", 0.2 / 1.1},
		"weights that add up to nothing":                                          {[]Cluster{on("a", values(1, 0.1)), on("b", values(1, 1, -1, 0))}, "a", 0.2 / 1.1},
		"weights of the present one that do so":                                   {[]Cluster{on("a", values(0, 1)), on("b", values(1, 0.2))}, "b", 0.1},
	} {
		t.Run(name, func(t *testing.T) {
			s, here := NewSnapshot(c.clusters), c.clusters[0].Name
			a := application(since(here, time.Hour))
			v := Weigh(s, a, Look{Rules: free, Now: noon})
			got := here
			if v.Outcome == Moved {
				got = v.There.Name
			}
			if got != c.want || v.Reason == "" || v.Code == "" {
				t.Errorf("want %s, got %+v", c.want, v)
			}
			if score := v.Here.score(free.Stickiness); math.Abs(score-c.current) > 1e-9 {
				t.Errorf("the present score is %v, want %v", score, c.current)
			}
			d := v.Record(s, a, noon)
			if d.Chosen != c.want || d.Current != here || d.Outcome != v.Outcome || d.Code != v.Code || d.Candidates[0].Name != c.want {
				t.Errorf("the record says %+v", d)
			}
		})
	}
}

// looks goes on looking at an application, at times before and after noon, with the values of two clusters that change.
func looks(t *testing.T, rules Rules, a *api.Application, story ...float64) (v Verdict) {
	t.Helper()
	var last time.Duration
	for i := 0; i < len(story); i += 3 {
		at := time.Duration(story[i] * float64(time.Second))
		elapsed := at - last
		if i == 0 {
			elapsed = 0
		}
		s := NewSnapshot([]Cluster{on("a", values(1, story[i+1])), on("b", values(1, story[i+2]))})
		v = Weigh(s, a, Look{Rules: rules, Memory: v.Memory, Elapsed: elapsed, Now: noon.Add(at)})
		last = at
	}
	return v
}

// The rows about time, with the rules of a Krake that is not told otherwise.
func TestWhenAMoveIsMade(t *testing.T) {
	second := DefaultRules
	second.RescheduleAfter = time.Second
	for name, c := range map[string]struct {
		rules   Rules
		app     *api.Application
		story   []float64 // times in seconds after noon, and values of a and b
		outcome string
		code    string
	}{
		"A-51 bound a moment ago":                     {second, application(since("a", 0)), []float64{0.1, 0.25, 0.5, 0.9, 0.25, 0.5}, Waiting, Residence},
		"A-51 after reschedule_after":                 {second, application(since("a", 0)), []float64{0.1, 0.25, 0.5, 1.1, 0.25, 0.5}, Moved, Better},
		"A-52 with migration off":                     {second, application(since("a", 0), fixed), []float64{0.1, 0.25, 0.5, 1.1, 0.25, 0.5}, Kept, MigrationOff},
		"A-53 an edit changes nothing about it":       {DefaultRules, application(since("a", 20*time.Second), edited), []float64{-10, 0.1, 0.9, 0, 0.1, 0.9}, Waiting, Residence},
		"A-55 nothing has changed":                    {DefaultRules, application(since("a", time.Hour)), []float64{-100, 0.5, 0.5, 0, 0.5, 0.5}, Kept, Matches},
		"A-60 migration was just switched on":         {DefaultRules, application(since("a", time.Hour)), []float64{0, 0.1, 0.9, 15.1, 0.1, 0.9}, Moved, Better},
		"A-62 a flip, 70 seconds later":               {DefaultRules, application(since("a", time.Hour)), []float64{0, 0.1, 0.9, 70, 0.1, 0.9}, Moved, Better},
		"A-67 bound 59 seconds ago":                   {DefaultRules, application(since("a", 59*time.Second)), []float64{-40, 0.1, 0.9, 0, 0.1, 0.9}, Waiting, Residence},
		"A-67 bound 61 seconds ago":                   {DefaultRules, application(since("a", 61*time.Second)), []float64{-40, 0.1, 0.9, 0, 0.1, 0.9}, Moved, Better},
		"A-69 after a failed move":                    {DefaultRules, application(since("a", time.Hour), heldUntil(noon.Add(time.Minute))), []float64{-40, 0.1, 0.9, 0, 0.1, 0.9}, Waiting, FailedMove},
		"A-69 when that is over":                      {DefaultRules, application(since("a", time.Hour), heldUntil(noon)), []float64{-40, 0.1, 0.9, 0, 0.1, 0.9}, Moved, Better},
		"R-4 a FAILED one is left alone":              {DefaultRules, application(since("a", time.Hour), state(api.AppFailed)), []float64{-40, 0.1, 0.9, 0, 0.1, 0.9}, Kept, NotRunning},
		"one with files, which would stay behind":     {DefaultRules, application(since("a", time.Hour), claim("data")), []float64{-40, 0.1, 0.9, 0, 0.1, 0.9}, Kept, HasFiles},
		"one with files, which are copied":            {DefaultRules, application(since("a", time.Hour), claim("data"), files(api.DataCopy)), []float64{-40, 0.1, 0.9, 0, 0.1, 0.9}, Moved, Better},
		"one with files, which may stay behind":       {DefaultRules, application(since("a", time.Hour), claim("data"), files(api.DataLeave)), []float64{-40, 0.1, 0.9, 0, 0.1, 0.9}, Moved, Better},
		"one with a device, which is to be copied":    {DefaultRules, application(since("a", time.Hour), device("data"), files(api.DataCopy)), []float64{-40, 0.1, 0.9, 0, 0.1, 0.9}, Kept, HasFiles},
		"one with a device, which may stay behind":    {DefaultRules, application(since("a", time.Hour), device("data"), files(api.DataLeave)), []float64{-40, 0.1, 0.9, 0, 0.1, 0.9}, Moved, Better},
		"one that has done its work":                  {DefaultRules, application(since("a", time.Hour), state(api.AppCompleted)), []float64{-40, 0.1, 0.9, 0, 0.1, 0.9}, Kept, NotRunning},
		"one that is moving":                          {DefaultRules, application(since("a", time.Hour), condition(api.Migrating, api.True)), []float64{-40, 0.1, 0.9, 0, 0.1, 0.9}, Kept, UnderWay},
		"one that has not arrived":                    {DefaultRules, application(since("a", time.Hour), runningOn("c")), []float64{-40, 0.1, 0.9, 0, 0.1, 0.9}, Kept, UnderWay},
		"the advantage has not lasted":                {DefaultRules, application(since("a", time.Hour)), []float64{0, 0.1, 0.9, 14, 0.1, 0.9}, Waiting, Unpaid},
		"it has gone between":                         {DefaultRules, application(since("a", time.Hour)), []float64{0, 0.1, 0.9, 10, 0.9, 0.1, 20, 0.1, 0.9, 30, 0.1, 0.9}, Waiting, Unpaid},
		"the margin is a share of the score":          {Rules{Margin: 0.1}, application(since("a", time.Hour)), []float64{0, 0.8, 0.879}, Kept, Matches},
		"the margin is a share of a small score, too": {Rules{Margin: 0.1}, application(since("a", time.Hour)), []float64{0, 0.2, 0.221}, Moved, Better},
		"a stamp from the future says nothing":        {DefaultRules, application(since("a", -24*time.Hour)), []float64{-40, 0.1, 0.9, 0, 0.1, 0.9}, Moved, Better},
	} {
		t.Run(name, func(t *testing.T) {
			v := looks(t, c.rules, c.app, c.story...)
			if v.Outcome != c.outcome || v.Code != c.code {
				t.Errorf("want %s, %s; got %+v", c.outcome, c.code, v)
			}
			if (v.Memory.Waiting != nil) != (c.outcome == Waiting) || (v.Again > 0) != (c.outcome == Waiting) {
				t.Errorf("waiting %+v, again in %s", v.Memory.Waiting, v.Again)
			}
		})
	}
}

// the values of W8, of which the better one is better by 0.038. The reference moves within 70 seconds of the change,
// and so do we.
func TestA61ASmallAdvantage(t *testing.T) {
	s := NewSnapshot([]Cluster{on("k1", values(1, 0.2, 1.5, 0.01)), on("k2", values(1.5, 0.2, 1, 0.01))})
	a := application(since("k1", time.Hour))
	first := Weigh(s, a, Look{Rules: DefaultRules, Now: noon})
	for after, outcome := range map[time.Duration]string{40 * time.Second: Waiting, 60 * time.Second: Moved} {
		v := Weigh(s, a, Look{Rules: DefaultRules, Memory: first.Memory, Elapsed: after, Now: noon.Add(after)})
		if v.Outcome != outcome {
			t.Errorf("after %s: %+v", after, v)
		}
	}
}

// two clusters whose values change places whenever the application has moved. The reference moves it every minute;
// by default each move within an hour makes it stay longer, and with the cool-down switched off it is as in the reference.
func TestA63FluctuatingMetrics(t *testing.T) {
	for name, c := range map[string]struct {
		coolDown time.Duration
		moves    int
	}{"by default": {time.Minute, 3}, "without a cool-down": {0, 5}} {
		t.Run(name, func(t *testing.T) {
			rules := DefaultRules
			rules.CoolDown = c.coolDown
			here, there := "a", "b"
			a := application(since(here, time.Minute))
			var m Memory
			moves := 0
			for at := time.Duration(0); at <= 300*time.Second; at += 5 * time.Second {
				s := NewSnapshot([]Cluster{on(here, values(1, 0.1)), on(there, values(1, 0.9))})
				v := Weigh(s, a, Look{Rules: rules, Memory: m, Elapsed: 5 * time.Second, Now: noon.Add(at)})
				if m = v.Memory; v.Outcome == Moved {
					moves++
					m = m.Moved(here, there, noon.Add(at))
					here, there = there, here
					since(here, -at)(a)
				}
			}
			if moves != c.moves {
				t.Errorf("it moved %d times in five minutes, want %d", moves, c.moves)
			}
		})
	}
}

func edited(a *api.Application) { a.Metadata.Generation++ }
func state(s api.ApplicationState) func(*api.Application) {
	return func(a *api.Application) { a.Status.State = s }
}
func runningOn(name string) func(*api.Application) {
	return func(a *api.Application) {
		ref := api.ClusterKind.Ref(testing1, name)
		a.Status.RunningOn = &ref
	}
}

// The examples of the specification with a price in units of the carbon intensity: a scale of 1000, hours, and two at
// which a low value is the better one.
func TestThePriceOfAMove(t *testing.T) {
	// The price is an advantage that lasts for an hour.
	rules := func(price, gamma float64) Rules {
		return Rules{RescheduleAfter: time.Hour, Price: price * gamma / 1000}
	}
	intensity := func(g float64) float64 { return 1 - g/1000 }
	a := func() *api.Application { return application(since("a", 1000*time.Hour)) }
	hourly := func(pairs ...float64) (story []float64) {
		for i := 0; i < len(pairs); i += 2 {
			story = append(story, float64(i/2)*3600, intensity(pairs[i]), intensity(pairs[i+1]))
		}
		return story
	}
	t.Run("E4 a constant and one that goes up and down", func(t *testing.T) {
		var pairs []float64
		for range 12 {
			pairs = append(pairs, 200, 190, 200, 210)
		}
		for n := 2; n <= len(pairs); n += 2 {
			v := looks(t, rules(100, 1), a(), hourly(pairs[:n]...)...)
			if v.Outcome == Moved || v.Memory.Regret > 0.01*3600+1e-6 {
				t.Fatalf("after %d hours: %+v", n/2-1, v)
			}
		}
	})
	for gamma, tick := range map[float64]int{2: 4, 1: 2} {
		t.Run(fmt.Sprintf("E5 gamma %g", gamma), func(t *testing.T) {
			for n := 0; n <= tick; n++ {
				var pairs []float64
				for range n + 1 {
					pairs = append(pairs, 300, 250)
				}
				if v := looks(t, rules(100, gamma), a(), hourly(pairs...)...); (v.Outcome == Moved) != (n == tick) {
					t.Errorf("after %d hours: %+v", n, v)
				}
			}
		})
	}
}

func TestAMoveThatWaitsSaysWhy(t *testing.T) {
	moves := func(ago ...time.Duration) (out []api.Move) {
		for _, d := range ago {
			at := api.At(noon.Add(-d))
			out = append(out, api.Move{Time: &at, From: "b", To: "a"})
		}
		return out
	}
	paid := DefaultRules.price()
	for name, c := range map[string]struct {
		app   *api.Application
		moves []api.Move
		full  map[string]time.Time
		code  string
		until time.Duration // after noon
		says  string
	}{
		"it came a moment ago":        {application(since("a", 20*time.Second)), nil, nil, Residence, 40 * time.Second, "it has been on a since 2026-03-20T11:59:40Z, and stays for 1m0s at least"},
		"it has moved":                {application(since("a", 61*time.Second)), moves(61*time.Second, 70*time.Second)[:1], nil, "", 0, ""},
		"it has moved twice":          {application(since("a", 61*time.Second)), moves(20*time.Minute, 61*time.Second), nil, CoolDown, 59 * time.Second, "within an hour it has moved twice, and stays for 2m0s after that"},
		"it has moved four times":     {application(since("a", 61*time.Second)), moves(40*time.Minute, 30*time.Minute, 20*time.Minute, 2*time.Minute), nil, CoolDown, 6 * time.Minute, "4 times"},
		"long ago does not count":     {application(since("a", 61*time.Second)), moves(61*time.Minute, 60*time.Minute, 61*time.Second), nil, "", 0, ""},
		"nor does what is to come":    {application(since("a", 61*time.Second)), moves(-61*time.Minute, -time.Minute), nil, "", 0, ""},
		"its budget is used up":       {application(since("a", time.Hour)), moves(59*time.Minute, 58*time.Minute, 57*time.Minute, 56*time.Minute, 55*time.Minute, 54*time.Minute), nil, ApplicationBudget, time.Minute, "it has moved 6 times within an hour, and may not more often"},
		"the target's is":             {application(since("a", time.Hour)), nil, map[string]time.Time{"b": noon.Add(9 * time.Minute)}, TargetBudget, 9 * time.Minute, "within an hour 120 applications have moved to b"},
		"another target's is not":     {application(since("a", time.Hour)), nil, map[string]time.Time{"c": noon.Add(9 * time.Minute)}, "", 0, ""},
		"the longest of several":      {application(since("a", 20*time.Second)), nil, map[string]time.Time{"b": noon.Add(9 * time.Minute)}, TargetBudget, 9 * time.Minute, "not more may"},
		"after a failed move it says": {application(since("a", time.Hour), heldUntil(noon.Add(2*time.Minute))), nil, nil, FailedMove, 2 * time.Minute, "a move has failed"},
	} {
		t.Run(name, func(t *testing.T) {
			s := NewSnapshot([]Cluster{on("a", values(1, 0.1)), on("b", values(1, 0.9))})
			l := Look{Rules: DefaultRules, Memory: Memory{Place: "a", Regret: paid, Moves: c.moves}, Now: noon, Full: c.full}
			v := Weigh(s, c.app, l)
			if c.code == "" {
				if v.Outcome != Moved || !strings.Contains(v.Reason, "It moves from a to b, which is better: 0.9 against 0.1") {
					t.Errorf("want a move, got %+v", v)
				}
				return
			}
			w := v.Memory.Waiting
			if v.Outcome != Waiting || v.Code != c.code || v.Again != c.until || !strings.Contains(v.Reason, c.says) ||
				w == nil || w.To != "b" || w.Code != c.code || w.Message != v.Reason || !w.Until.Time().Equal(noon.Add(c.until)) || !w.Since.Time().Equal(noon) {
				t.Errorf("got %+v, waiting %+v", v, w)
			}
			l.Memory, l.Now = v.Memory, noon.Add(time.Second)
			if later := Weigh(s, c.app, l).Memory.Waiting; !later.Since.Time().Equal(noon) {
				t.Errorf("a second later it waits since %s", later.Since)
			}
		})
	}
}

func TestWhatIsStoredIsNeverTooMuch(t *testing.T) {
	r := Rules{RescheduleAfter: 100 * time.Second, Price: 1} // a move costs 100
	wait := &api.WaitingMove{To: "b", Code: Unpaid}
	stored := func(regret float64, w *api.WaitingMove) api.Placement {
		return Memory{Place: "a", Regret: regret, Waiting: w}.Store(api.Placement{})
	}
	for name, c := range map[string]struct {
		memory       Memory
		stored       api.Placement
		must, should bool
	}{
		"nothing is new":                {Memory{Place: "a", Regret: 50, Waiting: wait}, stored(50, wait), false, false},
		"a little more":                 {Memory{Place: "a", Regret: 74, Waiting: wait}, stored(50, wait), false, false},
		"a quarter more":                {Memory{Place: "a", Regret: 75, Waiting: wait}, stored(50, wait), false, true},
		"a little less":                 {Memory{Place: "a", Regret: 30, Waiting: wait}, stored(50, wait), false, false},
		"a quarter less":                {Memory{Place: "a", Regret: 24, Waiting: wait}, stored(50, wait), true, true},
		"more, but no move waits":       {Memory{Place: "a", Regret: 90}, stored(50, nil), false, false},
		"a move begins to wait":         {Memory{Place: "a", Waiting: wait}, stored(0, nil), false, true},
		"it does not wait any more":     {Memory{Place: "a"}, stored(0, wait), false, true},
		"it waits for something else":   {Memory{Place: "a", Waiting: &api.WaitingMove{To: "b", Code: CoolDown}}, stored(0, wait), false, true},
		"it is about another place now": {Memory{Place: "b", Regret: 10, Waiting: wait}, stored(90, wait), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			if must, should := c.memory.Outgrown(c.stored, r); must != c.must || should != c.should {
				t.Errorf("must %t, should %t", must, should)
			}
			if must, _ := c.memory.Outgrown(c.stored, r); !must && c.memory.Place == c.stored.Place && Recall(c.stored, r).Regret > c.memory.Regret {
				t.Errorf("after a restart it would be %g", Recall(c.stored, r).Regret)
			}
		})
	}
}

func TestRulesThatCannotBeMeant(t *testing.T) {
	if err := DefaultRules.Check(); err != nil {
		t.Error(err)
	}
	for _, r := range []Rules{{Price: -1}, {Stickiness: math.NaN()}, {RescheduleAfter: -1}, {PerTarget: -1}, {Margin: -0.1}, {CoolDown: -1}, {PerApplication: -1}} {
		if err := r.Check(); err == nil || !strings.Contains(err.Error(), "must not be below zero") {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

func TestWhomNewValuesConcern(t *testing.T) {
	base := func() []Cluster {
		return []Cluster{on("low", values(1, 0.2)), on("mid", values(1, 0.5)), on("top", values(1, 0.8)), on("plain")}
	}
	unread := on("mid", func(c *Cluster) { c.Unread = "no answer" })
	for name, c := range map[string]struct {
		at   int
		new  Cluster
		want string
	}{
		"nothing has changed":              {3, on("plain"), ""},
		"one has become better":            {1, on("mid", values(1, 0.6)), "low mid plain"},
		"one has become the best":          {0, on("low", values(1, 0.9)), "low mid plain top"},
		"one has become worse":             {1, on("mid", values(1, 0.4)), "mid"},
		"one cannot be read any more":      {1, unread, "mid"},
		"one has got metrics":              {3, on("plain", values(1, 0.3)), "low plain"},
		"one of better weights, same mean": {1, on("mid", values(2, 0.5)), "mid"},
	} {
		t.Run(name, func(t *testing.T) {
			after := base()
			after[c.at] = c.new
			var got []string
			for _, ref := range Concerned(NewSnapshot(base()), NewSnapshot(after)) {
				got = append(got, ref.Name)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %v, want %s", got, c.want)
			}
		})
	}
	if all := Concerned(nil, NewSnapshot(base())); len(all) != 4 {
		t.Errorf("at first %v", all)
	}
}

func TestACandidateSaysWhatIsOddAboutItsMetrics(t *testing.T) {
	held := func(c *Cluster) {
		c.Measure([]Measurement{{Name: "heat", Weight: 1, Merit: 0.5, Held: true}, {Name: "co2", Weight: 1}})
	}
	d := Decide(NewSnapshot([]Cluster{on("a", held), on("b", values(1, 1, -1, 0))}), application(), noon)
	for name, note := range map[string]string{
		"a": "cannot be read at the moment and counts as it was: heat",
		"b": "the weights of its metrics add up to 0, so it counts as one without metrics",
	} {
		found := ""
		for _, c := range d.Candidates {
			if c.Name == name {
				found = c.Note
			}
		}
		if found != note {
			t.Errorf("%s: %q", name, found)
		}
	}
}

// claim gives an application files on a claim.
func claim(name string) func(*api.Application) {
	return func(a *api.Application) {
		a.Spec.Manifest = api.Manifest{{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": map[string]any{"name": name}}}
	}
}

func device(name string) func(*api.Application) {
	return func(a *api.Application) {
		claim(name)(a)
		a.Spec.Manifest[0]["spec"] = map[string]any{"volumeMode": "Block"}
	}
}

func files(data api.MigrationData) func(*api.Application) {
	return func(a *api.Application) { a.Spec.MigrationData = data }
}

// One that must leave goes without its files, unless these are to come along and cannot.
func TestFilesHoldAnApplicationThatMustLeaveOnlyIfTheyAreToComeAlong(t *testing.T) {
	for name, c := range map[string]struct {
		app  *api.Application
		held bool
	}{
		"nothing is said":         {application(claim("data"), files(api.DataNone)), false},
		"they are left":           {application(claim("data"), files(api.DataLeave)), false},
		"they are copied":         {application(claim("data"), files(api.DataCopy)), false},
		"they cannot be copied":   {application(device("data"), files(api.DataCopy)), true},
		"there are none to copy":  {application(files(api.DataCopy)), false},
		"they need not be copied": {application(device("data"), files(api.DataLeave)), false},
	} {
		if h := holdOf(c.app, true, noon); (h.code == HasFiles) != c.held {
			t.Errorf("%s: %+v", name, h)
		}
	}
}
