//go:build crash

package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/failpoint"
)

// kill says how a process is to die.
type kill struct {
	point   failpoint.Point // at this step; empty for a time
	arrival int             // at the how manieth arrival there
	after   time.Duration   // how long after it was ready
	early   bool            // after counts from the start of the process: it dies while it is starting
	outage  outage
}

// outage says which cluster cannot be reached from when the process is ready, and for how long.
type outage struct {
	site string // empty for none
	last time.Duration
}

// pointWithin is how long a process may take to arrive at a step; then it is killed wherever it is.
const pointWithin = 8 * time.Second

// arrivals are tried in addition to the first one at steps that are passed often: what has happened before a step
// differs from one arrival to the next.
var arrivals = map[failpoint.Point][]int{
	failpoint.Created:          {2},
	failpoint.Changed:          {2, 7, 19, 53},
	failpoint.Removed:          {2},
	failpoint.Announced:        {2, 5},
	failpoint.ObjectApplied:    {2, 3, 5, 9},
	failpoint.WaveStored:       {2, 3, 5},
	failpoint.Deployed:         {2, 4},
	failpoint.ObjectDeleted:    {2, 3, 5, 9},
	failpoint.RemovalStored:    {2, 3, 5},
	failpoint.RemovalCharged:   {2, 3},
	failpoint.MoveBegun:        {2},
	failpoint.MoveAdvanced:     {2, 3, 4, 6},
	failpoint.FinalizerSet:     {2},
	failpoint.FinalizerRemoved: {2},
	failpoint.CascadeRemoved:   {2},
	failpoint.Bound:            {2, 4},
}

// newPlan draws a number of kills: each step once, then, as far as the number allows, its further arrivals, and the rest
// at random times; all in random order.
func newPlan(dice *rand.Rand, number int) []kill {
	var plan, further []kill
	for _, point := range failpoint.Points {
		plan = append(plan, kill{point: point, arrival: 1, outage: outageFor(point)})
		for _, n := range arrivals[point] {
			further = append(further, kill{point: point, arrival: n, outage: outageFor(point)})
		}
	}
	room := max(number-len(plan), 0)
	dice.Shuffle(len(further), func(i, j int) { further[i], further[j] = further[j], further[i] })
	plan = append(plan, further[:min(len(further), room/2)]...)
	for len(plan) < number {
		plan = append(plan, atRandom(dice))
	}
	dice.Shuffle(len(plan), func(i, j int) { plan[i], plan[j] = plan[j], plan[i] })
	return plan
}

// outageFor is what has to happen for a step to be passed: objects are left over on clusters that do not answer.
func outageFor(point failpoint.Point) outage {
	if strings.HasPrefix(string(point), "leftover") {
		return outage{"a", 4 * time.Second}
	}
	return outage{}
}

func atRandom(dice *rand.Rand) kill {
	switch dice.IntN(10) {
	case 0:
		return kill{early: true, after: time.Duration(dice.IntN(250)) * time.Millisecond}
	case 1:
		site := []string{"a", "b"}[dice.IntN(2)]
		return kill{after: time.Duration(500+dice.IntN(1500)) * time.Millisecond,
			outage: outage{site, time.Duration(200+dice.IntN(1800)) * time.Millisecond}}
	default:
		return kill{after: time.Duration(dice.IntN(1500)) * time.Millisecond}
	}
}

func (k kill) String() string {
	s := fmt.Sprintf("%s after it was ready", k.after)
	switch {
	case k.point != "":
		s = fmt.Sprintf("at %s:%d", k.point, k.arrival)
	case k.early:
		s = fmt.Sprintf("%s after its start", k.after)
	}
	if k.outage.site != "" {
		s += fmt.Sprintf(", with the cluster %s out of reach for %s", k.outage.site, k.outage.last)
	}
	return s
}

// die starts the server and has it die as k says. reached says whether it died at the step it was to die at.
func (x *experiment) die(ctx context.Context, o startOptions, k kill) (reached bool, err error) {
	if k.point != "" {
		o.failpoint = fmt.Sprintf("%s:%d", k.point, k.arrival)
	}
	p, err := x.server.start(o)
	if err != nil {
		return false, err
	}
	defer p.kill()
	if k.early {
		return false, sleep(ctx, k.after)
	}
	ready, err := p.await(ctx)
	if err != nil {
		return false, err
	}
	if ready {
		x.interrupt(k.outage)
		if err := x.load.audit(ctx); err != nil && !client.Unreachable(err) {
			return false, err
		}
		limit := k.after
		if k.point != "" {
			limit = pointWithin
		}
		select {
		case <-p.ended:
		case <-time.After(limit):
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
	p.kill()
	if !p.killed() {
		return false, fmt.Errorf("the server ended by itself: %v", p.stopped)
	}
	return p.reached == string(k.point) && k.point != "", nil
}

// interrupt cuts the way to a cluster and has it mended later.
func (x *experiment) interrupt(o outage) {
	if o.site == "" {
		return
	}
	for _, c := range x.clusters {
		if c.site == o.site {
			c.link.cut()
			time.AfterFunc(o.last, c.link.mend)
		}
	}
}

// revive starts the server without a fail point, and everything can be reached.
func (x *experiment) revive(ctx context.Context, o startOptions) (*process, error) {
	for _, c := range x.clusters {
		c.link.mend()
	}
	p, err := x.server.start(o)
	if err != nil {
		return nil, err
	}
	ready, err := p.await(ctx)
	if err == nil && !ready {
		err = errors.New("the server ended by itself while it was starting: see its log")
	}
	if err != nil {
		p.kill()
		return nil, err
	}
	return p, x.load.audit(ctx)
}
