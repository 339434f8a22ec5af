package core

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rak-n-rok/krake/api"
)

// Explain says what Obey, Decide, Rescue or Weigh decide, with every cluster in full, and what would lead to another decision: to one of
// the first clusters, or to the one that it is asked about, if a name is given.
func Explain(s *Snapshot, a *api.Application, l Look, about string) (api.Decision, []api.PlacementChange) {
	x := &inquiry{snapshot: s, app: a, look: l, hash: hash(a.Metadata.UID), staying: Stays(s, a), having: map[string][]*Cluster{}}
	clusters := s.namespaces[a.Metadata.NamespaceOrEmpty()]
	for i := range clusters {
		for _, m := range clusters[i].Terms {
			x.having[m.Name] = append(x.having[m.Name], &clusters[i])
		}
	}
	var above *float64
	var v Verdict
	if a.Status.MoveRequest.Open() && a.Status.ScheduledTo != nil {
		return obey(s, a, l.Now, whole).record(l.Now), []api.PlacementChange{}
	}
	if x.staying {
		if rescue := Rescue(s, a, l.Rules, l.Now); rescue.Code != "" {
			return rescue.decision(s, a, whole).record(l.Now), []api.PlacementChange{}
		}
		v = Weigh(s, a, l)
		x.decision, above = v.decision(s, a, whole), v.MoveAbove
	} else {
		x.decision = decide(s, a, l.Now, whole)
	}
	out := x.record(l.Now)
	out.MoveAbove = above
	return out, x.changes(v, about)
}

// inquiry looks for what would lead to another decision.
type inquiry struct {
	*decision
	snapshot *Snapshot
	app      *api.Application
	look     Look
	hash     uint64                // of the application
	staying  bool                  // it is on a cluster that it may stay on
	having   map[string][]*Cluster // by metric
}

// An explanation is for people who wait for it: mostProspects is of how many clusters it looks for a change, and a metric
// that more than widely clusters have is not tried, since it changes little between them and takes long.
const (
	mostProspects = 20
	widely        = 32
)

// changes gives for clusters but the chosen one what would make them that.
func (x *inquiry) changes(v Verdict, about string) []api.PlacementChange {
	if words := x.held(); words != "" {
		return []api.PlacementChange{change("", words)}
	}
	out := []api.PlacementChange{}
	switch {
	case v.Outcome == Waiting:
		out = append(out, change(v.There.Name, "It moves to "+v.There.Name+" at "+x.look.Now.Add(v.Again).UTC().Format(time.RFC3339)+
			", unless something changes."), x.prospect(v.Here, Refusal{}))
	case x.outcome == Placed && x.matching == 1:
		out = append(out, change(x.chosen, "Without "+x.chosen+" there would be no place for it."))
	case x.outcome == Placed:
		out = append(out, change(x.chosen, "Without "+x.chosen+" it would go to "+x.best[1].Name+"."))
	}
	n := 0
	add := func(c *Cluster, refusal Refusal) {
		if c.Name == x.chosen || v.Outcome == Waiting && c == v.There {
			return
		}
		if n++; n <= mostProspects || c.Name == about {
			out = append(out, x.prospect(c, refusal))
		}
	}
	for _, c := range x.best {
		add(c, Refusal{})
	}
	for _, e := range x.examples {
		add(e.cluster, e.refusal)
	}
	return out
}

func change(cluster, sentence string) api.PlacementChange {
	return api.PlacementChange{Cluster: cluster, Sentence: sentence, Metrics: map[string]float64{}}
}

// refusal says why a cluster, which may be otherwise than it is, could not be chosen.
func (x *inquiry) refusal(c *Cluster) Refusal { return x.snapshot.refusal(c, x.app) }

// held says what would have to change of the application itself before any other place counts, empty for nothing.
func (x *inquiry) held() string {
	if x.current == "" || x.outcome == Moved {
		return ""
	}
	if x.staying && x.code == Blind {
		return "It could move if the values of the metrics of " + x.current + " could be read, and " + x.current + " answered."
	}
	h := holdOf(x.app, !x.staying, x.look.Now)
	if h.code == "" || !h.until.IsZero() {
		return ""
	}
	if words := releases[h.code]; words != "" {
		return "It could move if " + words + "."
	}
	return "It stays on " + x.current + ", whatever other clusters offer, as long as this is so: " + h.sentence + "."
}

// releases say what would end a hold.
var releases = map[string]string{
	MigrationOff: "its migration were switched on",
	UnderWay:     "the move that is under way had ended",
	NotRunning:   "it ran",
	HasFiles:     "its files could be copied (migration_data: COPY) or were left behind (LEAVE)",
}

// prospect says what would make a cluster the chosen one.
func (x *inquiry) prospect(c *Cluster, refusal Refusal) api.PlacementChange {
	r := &repair{app: x.app, cluster: c, values: map[string]float64{}}
	for refusal.Code != "" {
		if !r.mend(refusal) {
			return change(c.Name, c.Name+" cannot be chosen: "+refusal.sentence()+".")
		}
		refusal = x.refusal(r.cluster)
	}
	altered := x.altered(r.values, r.cluster)
	winner := x.result(altered)
	if r.unseen {
		return x.unseen(r, winner)
	}
	if winner == nil || winner.Name != c.Name {
		if name, from, raw, found := x.tip(r, winner); found {
			r.values[name] = raw
			r.conditions = append(r.conditions, valued(name, from, raw))
			winner = r.cluster
		}
	}
	out := api.PlacementChange{Cluster: c.Name, Metrics: r.values}
	switch {
	case winner != nil && winner.Name != c.Name:
		out.Sentence = x.outdone(r, winner)
	case len(r.conditions) == 0:
		out.Sentence = "It goes to " + c.Name + " as soon as nothing holds it back."
	default:
		out.Sentence = x.wins(c) + " if " + strings.Join(r.conditions, " and ") + "."
	}
	return out
}

// unseen says what would make a cluster the chosen one whose metrics cannot be read. One with metrics is better than one
// without, whatever they say.
func (x *inquiry) unseen(r *repair, winner *Cluster) api.PlacementChange {
	text := x.wins(r.cluster) + " if " + strings.Join(r.conditions, " and ")
	if winner != nil && winner.Name != r.cluster.Name && winner.Measured {
		text += " and gave it a score above " + brief(*x.above(winner))
	}
	return change(r.cluster.Name, text+".")
}

// above is the score that another cluster has to exceed to be chosen instead of this one; nil if none would do.
func (x *inquiry) above(winner *Cluster) *float64 {
	if x.staying && winner.Name == x.current {
		return x.look.Rules.MoveAbove(winner)
	}
	return &winner.Score
}

func (x *inquiry) wins(c *Cluster) string {
	switch {
	case c.Name == x.current:
		return "It would stay on " + c.Name
	case x.staying:
		return "It would move to " + c.Name + ", once that had paid for the move,"
	default:
		return "It would go to " + c.Name
	}
}

// outdone says why a cluster would not be chosen although it could be.
func (x *inquiry) outdone(r *repair, winner *Cluster) string {
	c := r.cluster
	text := c.Name + " could be chosen"
	if len(r.conditions) > 0 {
		text += " if " + strings.Join(r.conditions, " and ")
	}
	above := x.above(winner)
	switch {
	case c.Held:
		return text + ", but its values cannot be read at the moment, so it is no reason to leave " + winner.Name + "."
	case above == nil || !winner.Measured && !c.Measured:
		if x.staying {
			return text + ", but without metrics it is no reason to leave " + winner.Name + "."
		}
		return text + ", but " + winner.Name + " is as good and is this application's share of them."
	case !c.Measured:
		return text + ", but only metrics that give it a score above " + brief(*above) + " would make it better than " + winner.Name + "."
	case c.Score == winner.Score && !x.staying:
		return text + ", but " + winner.Name + " is as good and is this application's share of them."
	default:
		return text + ", but it would need a score above " + brief(*above) + " to be better than " + winner.Name + " and has " + brief(c.Score) + "."
	}
}

// tip looks for the smallest change of one metric after which the mended cluster is the chosen one, among its own metrics
// and those of the cluster that is chosen instead.
func (x *inquiry) tip(r *repair, winner *Cluster) (name string, from, to float64, found bool) {
	least := 0.0
	for _, m := range terms(r.cluster, winner) {
		if _, used := r.values[m.Name]; used || m.Scale == nil || len(x.having[m.Name]) > widely {
			continue
		}
		values := maps.Clone(r.values)
		raw, ok := nearest(m, func(raw float64) bool {
			values[m.Name] = raw
			c, _ := r.cluster.revalued(values)
			if x.refusal(c).Code != "" && c.Name != x.current {
				return false
			}
			result := x.result(x.altered(values, c))
			return result != nil && result.Name == c.Name
		})
		if step := abs(raw-m.Raw) / (m.Scale.Max - m.Scale.Min); ok && (!found || step < least) {
			name, from, to, found, least = m.Name, m.Raw, raw, true, step
		}
	}
	return name, from, to, found
}

// terms are the measurements of two clusters; winner may be nil.
func terms(c, winner *Cluster) []Measurement {
	out := slices.Clone(c.Terms)
	if winner == nil {
		return out
	}
	for _, m := range winner.Terms {
		if c.term(m.Name) == nil {
			out = append(out, m)
		}
	}
	return out
}

// altered are the clusters that are not as they are when metrics have other values, and one that is mended.
func (x *inquiry) altered(values map[string]float64, mended *Cluster) map[string]*Cluster {
	out := map[string]*Cluster{}
	for name := range values {
		for _, c := range x.having[name] {
			if next, changed := c.revalued(values); changed {
				out[c.Name] = next
			}
		}
	}
	out[mended.Name] = mended
	return out
}

// result is the cluster that would be decided for if some clusters were otherwise; nil if none could be chosen.
func (x *inquiry) result(altered map[string]*Cluster) *Cluster {
	here := x.here
	if c := altered[x.current]; c != nil && here != nil {
		here = c
	}
	if here == nil || check(here, x.app, true).Code != "" {
		return x.first(altered, func(*Cluster) bool { return true })
	}
	if blind(here) {
		return here
	}
	rival := x.first(altered, func(c *Cluster) bool { return c.Name != here.Name && c.Measured && !c.Held })
	if rival != nil {
		if enough, _ := x.look.Rules.pays(rival, here); enough {
			return rival
		}
	}
	return here
}

// first is the one that is preferred of those that could be chosen and that pass.
func (x *inquiry) first(altered map[string]*Cluster, passes func(*Cluster) bool) *Cluster {
	var out *Cluster
	for _, c := range x.best {
		if altered[c.Name] == nil && passes(c) {
			out = c
			break
		}
	}
	for _, name := range slices.Sorted(maps.Keys(altered)) {
		c := altered[name]
		if passes(c) && x.refusal(c).Code == "" && (out == nil || preference(x.hash, c, out) < 0) {
			out = c
		}
	}
	return out
}
