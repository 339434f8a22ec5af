package core

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/constraint"
)

// Place is where a cluster can be made: a cloud or a project.
type Place struct {
	Ref      api.ResourceRef
	UID      string
	Labels   map[string]string
	Deleting bool
	// Rated says that it refers to metrics, whether or not they can be read.
	Rated bool
	Readings
}

// Wish is what a cluster asks of the place where it is made.
type Wish struct {
	UID        string
	Generation int64
	Labels     []constraint.Label
	Metrics    []constraint.Metric
}

// Market is what there is to choose from.
type Market struct {
	Noun string // what the places are, such as cloud
	// Tiers are the places, those first that are chosen whatever the others offer, if one of them matches.
	Tiers [][]Place
	// Strict has a place chosen only by what is read: one whose metrics cannot be read is none, and neither is one without
	// metrics as soon as another has some. Otherwise both are chosen when nothing better is there.
	Strict bool
	// Unmatched begins the reason when no place matches, Unrated when one does, but nothing is known of its metrics.
	Unmatched, Unrated string
}

// Choose says where a cluster is to be made, and why. It is Decide for those that are placed once; nil is for nowhere.
func Choose(m Market, w Wish, now time.Time) (*Place, api.Decision) {
	c := choice{market: m, wish: w, refused: map[Code]int64{}}
	for i := range m.Tiers {
		if c.best = c.rank(m.Tiers[i]); len(c.best) > 0 {
			return c.best[0], c.record(Placed, First, c.preferred(), now)
		}
	}
	why := m.Unmatched
	if c.matched {
		why = m.Unrated
	}
	return nil, c.record(Refused, Nowhere, why+": "+inWords(c.refused, "there are no "+m.Noun+"s"), now)
}

// choice is a decision in the making.
type choice struct {
	market   Market
	wish     Wish
	best     []*Place // of one tier, in the order of preference
	matched  bool     // some place has what is asked for
	refused  map[Code]int64
	examples []api.CandidateRecord
}

// rank returns those places that can be chosen, the best first. What is equally good is spread as clusters are over
// applications.
func (c *choice) rank(places []Place) []*Place {
	var out []*Place
	rated := false
	for i := range places {
		if r := c.check(&places[i]); r.Code != "" {
			c.refuse(&places[i], r)
			continue
		}
		c.matched = true
		rated = rated || places[i].Rated
		out = append(out, &places[i])
	}
	if c.market.Strict && rated {
		out = slices.DeleteFunc(out, func(p *Place) bool {
			switch {
			case p.Unread != "":
				c.refuse(p, Refusal{Code: Unread, Have: p.Unread, Of: c.market.Noun})
			case !p.Rated:
				c.refuse(p, Refusal{Code: Unmeasured, Of: c.market.Noun})
			default:
				return false
			}
			return true
		})
	}
	seeker := hash(c.wish.UID)
	slices.SortFunc(out, func(x, y *Place) int {
		return cmp.Or(x.compare(&y.Readings), cmp.Compare(weight(seeker, hash(y.UID)), weight(seeker, hash(x.UID))),
			cmp.Compare(x.Ref.Name, y.Ref.Name))
	})
	return out
}

// check says why a place does not have what is asked for.
func (c *choice) check(p *Place) Refusal {
	r := Refusal{Of: c.market.Noun}
	if p.Deleting {
		r.Code = Deleting
		return r
	}
	for _, l := range c.wish.Labels {
		if !l.Matches(p.Labels) {
			r.Code, r.Demand, r.Have = Label, l.String(), p.Labels[l.Key()]
			return r
		}
	}
	for _, m := range c.wish.Metrics {
		value, known := p.Metrics[m.Key()]
		switch {
		case !known || math.IsNaN(value):
			r.Code, r.Demand = MetricUnknown, m.String()
			return r
		case !m.Matches(p.Metrics):
			r.Code, r.Demand, r.Have = Metric, m.String(), strconv.FormatFloat(value, 'g', 6, 64)
			return r
		}
	}
	return Refusal{}
}

func (c *choice) refuse(p *Place, r Refusal) {
	if c.refused[r.Code]++; c.refused[r.Code] <= int64(recorded.examples) {
		c.examples = append(c.examples, candidate(p, r))
	}
}

func candidate(p *Place, r Refusal) api.CandidateRecord {
	return api.CandidateRecord{Name: p.Ref.Name, Score: p.Score, Note: api.Shorten(cmp.Or(p.Note, p.Unread), maxRefusal), Refusal: api.Shorten(r.String(), maxRefusal),
		Terms: p.records(recorded.terms)}
}

// preferred says why the best of the places that match is that.
func (c *choice) preferred() string {
	first, n := c.best[0], len(c.best)
	switch {
	case n == 1:
		return fmt.Sprintf("Only the %s %s matches.", c.market.Noun, first.Ref.Name)
	case !first.Measured:
		return fmt.Sprintf("%d %ss match and are equally good; %s is this cluster's share of them.", n, c.market.Noun, first.Ref.Name)
	case !c.best[1].Measured:
		return fmt.Sprintf("%d %ss match; %s is the only one with metrics, which give it a score of %.3g.", n, c.market.Noun, first.Ref.Name, first.Score)
	case first.compare(&c.best[1].Readings) == 0:
		return fmt.Sprintf("%d %ss match; the metrics give several of them the best score of %.3g, and %s is this cluster's share of these.",
			n, c.market.Noun, first.Score, first.Ref.Name)
	default:
		return fmt.Sprintf("%d %ss match; the metrics give %s the best score, %.3g, and %s the next, %.3g.",
			n, c.market.Noun, first.Ref.Name, first.Score, c.best[1].Ref.Name, c.best[1].Score)
	}
}

// record gives the decision as it is stored.
func (c *choice) record(outcome, code, reason string, now time.Time) api.Decision {
	at := api.At(now)
	d := api.Decision{Time: &at, Generation: c.wish.Generation, Outcome: outcome, Code: code, Reason: api.Shorten(reason, maxReason),
		Candidates: []api.CandidateRecord{}, Refused: map[string]int64{}}
	for _, p := range c.best[:min(len(c.best), recorded.best)] {
		d.Candidates = append(d.Candidates, candidate(p, Refusal{}))
	}
	if outcome == Placed {
		d.Chosen = c.best[0].Ref.Name
		if len(c.best) > 1 {
			d.RunnerUp = c.best[1].Ref.Name
			if c.best[1].Measured {
				d.Margin = c.best[0].Score - c.best[1].Score
			}
		}
	}
	d.Candidates = append(d.Candidates, c.examples[:min(len(c.examples), maxListed-len(d.Candidates))]...)
	for code, n := range c.refused {
		d.Refused[string(code)] = n
	}
	return d
}
