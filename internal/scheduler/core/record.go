package core

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rak-n-rok/krake/api"
)

// MaxRecord is the largest size of the record of an application's decisions, in bytes of JSON.
const MaxRecord = 16 << 10

// Texts hold what users wrote, such as constraints, which may be of any length. They are cut to this many bytes.
const (
	maxReason  = 512
	maxRefusal = 160
	maxListed  = 8 // clusters that are listed in one decision
)

// Unplaceable is how the reason of every refusal begins. Users know it from the Python Krake.
const Unplaceable = "No matching Kubernetes cluster found"

// noPlace says in one sentence why there is no place.
func (d *decision) noPlace() string {
	text := Unplaceable + ": " + d.refusals()
	if d.current != "" {
		text += "; it stays on " + d.current + ", although " + d.leave.sentence()
	}
	return text
}

// refusals counts the clusters that cannot be chosen, by what is wrong with them.
func (d *decision) refusals() string { return inWords(d.refused, "the namespace has no clusters") }

// inWords says of numbers of places what is wrong with them; none is for when there are not any.
func inWords(refused map[Code]int64, none string) string {
	var parts []string
	for _, c := range counted {
		if n := refused[c.code]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, c.words))
		}
	}
	if len(parts) == 0 {
		return none
	}
	return strings.Join(parts, ", ")
}

// record gives the decision as it is stored, or told.
func (d *decision) record(now time.Time) api.Decision {
	at := api.At(now)
	out := api.Decision{
		Time: &at, Generation: d.app.Metadata.Generation, Outcome: d.outcome, Chosen: d.chosen, Current: d.current, Code: d.code,
		Reason: api.Shorten(d.reason, d.extent.reason), Candidates: d.candidates(), Refused: map[string]int64{},
	}
	for code, n := range d.refused {
		out.Refused[string(code)] = n
	}
	out.RunnerUp, out.Margin = d.runnerUp()
	return out
}

// runnerUp is the cluster that would be next, and by how much the score of the chosen one is the higher.
func (d *decision) runnerUp() (name string, margin float64) {
	chosen := d.there
	if chosen == nil {
		chosen = d.here
	}
	for _, c := range d.best {
		switch {
		case d.chosen == "" || c.Name == d.chosen:
		case chosen != nil && chosen.Measured && c.Measured:
			return c.Name, chosen.Score - c.Score
		default:
			return c.Name, 0
		}
	}
	return "", 0
}

// candidates lists the chosen cluster, the current one, those that would have been next, and examples of refusals.
func (d *decision) candidates() []api.CandidateRecord {
	x := d.extent
	out, listed := []api.CandidateRecord{}, map[string]bool{}
	add := func(name string, c *Cluster, r Refusal) {
		if name == "" || len(out) == x.listed || listed[name] {
			return
		}
		record := api.CandidateRecord{Name: name, Refusal: api.Shorten(r.String(), x.refusal), Terms: []api.TermRecord{}}
		if c != nil {
			record.Score, record.Note = c.Score, api.Shorten(c.Note, x.refusal)
		}
		if c != nil && len(out) < x.told {
			record.Terms = c.records(x.terms)
		}
		out, listed[name] = append(out, record), true
	}
	if d.there != nil {
		add(d.chosen, d.there, Refusal{})
	}
	add(d.current, d.here, d.leave)
	for _, c := range d.best {
		add(c.Name, c, Refusal{})
	}
	for _, e := range d.examples {
		add(e.cluster.Name, e.cluster, e.refusal)
	}
	return out
}

// Remember adds a decision to the record, the newest first. A refusal that goes on, and a move that goes on waiting, is one
// decision in its newest form, so that retries do not push out what was before. What is old is shortened, then forgotten, to keep to the limits.
func Remember(p api.Placement, d api.Decision) api.Placement {
	old := p.Decisions
	goesOn := d.Outcome == Refused || d.Outcome == Waiting
	if len(old) > 0 && goesOn && old[0].Outcome == d.Outcome && old[0].Generation == d.Generation {
		old = old[1:]
	}
	p.Decisions = append([]api.Decision{d}, old[:min(len(old), api.KeptDecisions-1)]...)
	for i := len(p.Decisions) - 1; i > 0 && size(p) > MaxRecord; i-- {
		p.Decisions[i].Candidates = withoutTerms(p.Decisions[i].Candidates)
	}
	for i := len(p.Decisions) - 1; i > 0 && size(p) > MaxRecord; i-- {
		p.Decisions[i].Candidates = []api.CandidateRecord{}
	}
	for len(p.Decisions) > 1 && size(p) > MaxRecord {
		p.Decisions = p.Decisions[:len(p.Decisions)-1]
	}
	return p
}

// withoutTerms are candidates without what their scores are made of.
func withoutTerms(candidates []api.CandidateRecord) []api.CandidateRecord {
	out := slices.Clone(candidates)
	for i := range out {
		out[i].Terms = []api.TermRecord{}
	}
	return out
}

func size(p api.Placement) int {
	data, err := json.Marshal(p)
	if err != nil {
		return MaxRecord + 1 // never, of plain strings and numbers
	}
	return len(data)
}
