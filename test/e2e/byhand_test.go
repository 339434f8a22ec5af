package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// ask asks for a move as a user does.
func (s *scene) ask(name, to string) {
	s.Helper()
	if _, err := s.apps.Do(s.Context(), s.space, name, "move", &api.ApplicationMove{Cluster: to}); err != nil {
		s.Fatal(err)
	}
}

// awaitRefusedMove waits until a move that was asked for is refused, in these words.
func (s *scene) awaitRefusedMove(name string, words ...string) {
	s.Helper()
	s.awaitApp(name, func(a *api.Application) error {
		m := a.Status.MoveRequest
		if m == nil || m.Open() {
			return fmt.Errorf("asked for is %+v", m)
		}
		for _, word := range words {
			if !strings.Contains(m.Refused, word) {
				return fmt.Errorf("the refusal does not speak of %q: %s", word, m.Refused)
			}
		}
		return nil
	})
}

func TestAnApplicationGoesWhereItIsToldAndStaysWhereItIsPinned(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	s := newScene(t)
	s.join("berlin", on[0])
	s.create("web", "", web)
	s.awaitApp("web", running("berlin"), healthy)
	s.join("bratislava", on[1])
	witness := watchCopies(s, deployments, on...)

	s.ask("web", "bratislava")
	s.awaitApp("web", running("bratislava"), healthy, settled, reachable(on[1], s.space))
	if d := s.lastDecision("web"); d.Outcome != core.Moved || d.Code != core.ByHand {
		t.Errorf("the decision is %+v", d)
	}
	s.awaitEmpty(on[0])

	s.set("berlin", func(c *api.Cluster) { c.Spec.Unschedulable = true })
	s.create("other", "", named("other"), func(a *api.Application) { a.Spec.Pin = "berlin" })
	s.awaitApp("other", placeless("1 cordoned")) // the scheduler knows of the cordon
	s.ask("web", "berlin")
	s.awaitRefusedMove("web", "It stays on bratislava and does not move to berlin, as was asked for: the cluster is cordoned")
	s.edit("web", func(a *api.Application) { a.Spec.Pin = "berlin" })
	s.awaitApp("web", placeless("1 cordoned, 1 other than the one that it is pinned to; it stays on bratislava, although the application is pinned to berlin"))
	s.set("berlin", func(c *api.Cluster) { c.Spec.Unschedulable = false })
	s.awaitApp("web", running("berlin"), healthy, settled)
	if d := s.lastDecision("web"); d.Outcome != core.Moved || d.Code != string(core.Pinned) {
		t.Errorf("the decision is %+v", d)
	}
	s.awaitEmpty(on[1])

	s.edit("web", func(a *api.Application) { a.Spec.Pin, a.Spec.Paused = "", true })
	s.set("berlin", func(c *api.Cluster) { c.Spec.Drain = true })
	s.awaitDrained("berlin", api.False, "Held", "web: It stays on berlin, because it is paused, although the cluster is being drained")
	s.edit("web", func(a *api.Application) { a.Spec.Manifest[0]["spec"].(map[string]any)["replicas"] = int64(2) })
	s.awaitApp("web", ranOn("berlin"), healthy, func(a *api.Application) error {
		if n := a.Status.ContainerHealth.RunningPods; n != 2 {
			return fmt.Errorf("%d pods run", n)
		}
		return nil
	})
	s.edit("web", func(a *api.Application) { a.Spec.Paused = false })
	s.awaitApp("web", running("bratislava"), healthy, settled)
	witness.swearAlwaysReady()
}
