package scheduler

import (
	"slices"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// ask asks for a move as a user does.
func (w world) ask(a *api.Application, to string) {
	w.Helper()
	must(w.apps.Do(w.Context(), space, a.Metadata.Name, "move", &api.ApplicationMove{Cluster: to}))(w)
}

func TestAnApplicationMovesWhenItIsAskedTo(t *testing.T) {
	w := newWorld(t)
	w.cluster(space, "a")
	w.schedule()
	a := w.untilOn(w.app("echo"), "a")
	w.cluster(space, "b")
	w.ask(a, "b")
	a = w.untilOn(a, "b")
	if d := w.placement(a).Decisions[0]; d.Outcome != core.Moved || d.Code != core.ByHand || d.Current != "a" || a.Status.MoveRequest != nil {
		t.Errorf("asked for is %+v, decided was %+v", a.Status.MoveRequest, d)
	}
	if m := w.placement(a).Moves; len(m) != 1 || m[0].To != "b" {
		t.Errorf("the moves are %+v", m)
	}
}

func TestAMoveThatCannotBeIsRefusedAndSaysWhy(t *testing.T) {
	w := newWorld(t)
	w.cluster(space, "a")
	w.schedule()
	a := w.untilOn(w.app("echo"), "a")
	b := w.cluster(space, "b")
	w.report(b, api.ClusterNotReady)
	w.caughtUp(1)
	w.ask(a, "b")
	a = w.until(a, "refused", func(a *api.Application) bool { return a.Status.MoveRequest != nil && !a.Status.MoveRequest.Open() })
	if m := a.Status.MoveRequest; m.To != "b" || m.Time == nil || !strings.Contains(m.Refused, "the cluster is NOTREADY, not ONLINE") || place(a) != "a" {
		t.Errorf("on %s, %+v", place(a), m)
	}
	d := w.placement(a).Decisions[0]
	if d.Outcome != core.Kept || d.Code != core.ByHand || !refusedIn(d, "b", "not-online: ") {
		t.Errorf("the decision is %+v", d)
	}
	// What was refused is not made later by itself.
	w.report(must(w.clusters.Get(t.Context(), space, "b"))(w), api.ClusterOnline)
	w.caughtUp(2)
	if now := w.get(a); place(now) != "a" || now.Status.MoveRequest.Open() {
		t.Errorf("on %s, %+v", place(now), now.Status.MoveRequest)
	}
	w.ask(a, "b")
	w.untilOn(a, "b")
}

// refusedIn says whether a decision has a cluster among those that were looked at, with a refusal that begins like this.
func refusedIn(d api.Decision, name, refusal string) bool {
	return slices.ContainsFunc(d.Candidates, func(c api.CandidateRecord) bool {
		return c.Name == name && strings.HasPrefix(c.Refusal, refusal)
	})
}
