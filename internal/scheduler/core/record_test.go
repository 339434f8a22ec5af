package core

import (
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
)

func TestARefusalThatGoesOnIsRememberedOnce(t *testing.T) {
	refused := func(generation int64, reason string) api.Decision {
		return api.Decision{Generation: generation, Outcome: Refused, Reason: reason}
	}
	p := Remember(api.Placement{}, api.Decision{Generation: 1, Outcome: Placed})
	for _, reason := range []string{"first", "second", "third"} {
		p = Remember(p, refused(2, reason))
	}
	p = Remember(p, refused(3, "after an edit"))
	var got []string
	for _, d := range p.Decisions {
		got = append(got, d.Outcome+" "+d.Reason)
	}
	if want := "refused after an edit|refused third|placed "; strings.Join(got, "|") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRememberingLeavesTheOldRecordAlone(t *testing.T) {
	old := api.Placement{Decisions: make([]api.Decision, 1, 20)}
	old.Decisions[0] = api.Decision{Outcome: Placed}
	_ = Remember(old, api.Decision{Outcome: Kept})
	_ = Remember(old, api.Decision{Outcome: Moved})
	if len(old.Decisions) != 1 || old.Decisions[0].Outcome != Placed {
		t.Errorf("the old record became %+v", old)
	}
}

func TestOldDecisionsAreShortenedBeforeTheyAreForgotten(t *testing.T) {
	var p api.Placement
	for range 20 {
		d := api.Decision{Outcome: Moved, Candidates: make([]api.CandidateRecord, maxListed)}
		for i := range d.Candidates {
			d.Candidates[i].Name = strings.Repeat("n", 255)
		}
		p = Remember(p, d)
	}
	if n := len(p.Decisions); n != api.KeptDecisions || size(p) > MaxRecord {
		t.Errorf("%d decisions in %d bytes", n, size(p))
	}
	if first, last := p.Decisions[0].Candidates, p.Decisions[9].Candidates; len(first) != maxListed || last == nil || len(last) != 0 {
		t.Errorf("the newest lists %d clusters, the oldest %d", len(first), len(last))
	}
}
