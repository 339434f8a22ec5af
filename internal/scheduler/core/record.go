package core

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

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
	var parts []string
	for _, c := range counted {
		if n := d.refused[c.code]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, c.words))
		}
	}
	if len(parts) == 0 {
		parts = []string{"the namespace has no clusters"}
	}
	text := Unplaceable + ": " + strings.Join(parts, ", ")
	if d.current != "" {
		text += "; it stays on " + d.current + ", although " + d.leave.sentence()
	}
	return text
}

// record gives the decision as it is stored.
func (d *decision) record(now time.Time) api.Decision {
	at := api.At(now)
	out := api.Decision{
		Time: &at, Generation: d.app.Metadata.Generation, Outcome: d.outcome, Chosen: d.chosen, Current: d.current,
		Reason: cut(d.reason, maxReason), Candidates: d.candidates(), Refused: map[string]int64{},
	}
	for code, n := range d.refused {
		out.Refused[string(code)] = n
	}
	return out
}

// candidates lists the chosen cluster, the current one, those that would have been next, and examples of refusals.
func (d *decision) candidates() []api.CandidateRecord {
	out := make([]api.CandidateRecord, 0, maxListed)
	add := func(name string, r Refusal) {
		for _, c := range out {
			if c.Name == name {
				return
			}
		}
		if name != "" && len(out) < maxListed {
			out = append(out, api.CandidateRecord{Name: name, Refusal: cut(r.String(), maxRefusal)})
		}
	}
	if d.chosen != d.current {
		add(d.chosen, Refusal{})
	}
	add(d.current, d.leave)
	for _, c := range d.best {
		add(c.Name, Refusal{})
	}
	for _, e := range d.examples {
		add(e.cluster.Name, e.refusal)
	}
	return out
}

// Remember adds a decision to the record, the newest first. A refusal that goes on is one decision in its newest form,
// so that retries do not push out what was before. What is old is shortened, then forgotten, to keep to the limits.
func Remember(p api.Placement, d api.Decision) api.Placement {
	old := p.Decisions
	if len(old) > 0 && d.Outcome == Refused && old[0].Outcome == Refused && old[0].Generation == d.Generation {
		old = old[1:]
	}
	p = api.Placement{Decisions: append([]api.Decision{d}, old[:min(len(old), api.KeptDecisions-1)]...)}
	for i := len(p.Decisions) - 1; i > 0 && size(p) > MaxRecord; i-- {
		p.Decisions[i].Candidates = []api.CandidateRecord{}
	}
	for len(p.Decisions) > 1 && size(p) > MaxRecord {
		p.Decisions = p.Decisions[:len(p.Decisions)-1]
	}
	return p
}

func size(p api.Placement) int {
	data, err := json.Marshal(p)
	if err != nil {
		return MaxRecord + 1 // never, of plain strings and numbers
	}
	return len(data)
}

// cut shortens a text to at most limit bytes, not within a character.
func cut(s string, limit int) string {
	const more = "…"
	if len(s) <= limit {
		return s
	}
	end := limit - len(more)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + more
}
