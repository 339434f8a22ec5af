package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
	"github.com/rak-n-rok/krake/internal/server"
)

// failing are settings with which a silent cluster is given up soon.
func failing() server.Settings {
	s := quick
	s.Rules.FailoverAfter = 3 * time.Second
	return s
}

// strandedOn holds when an application stays on a cluster that was given up, and says why in these words.
func strandedOn(cluster string, words ...string) fact {
	return all(ranOn(cluster), condition(api.Scheduled, api.True, "Stranded", words...))
}

// lastDecision reads why an application is where it is.
func (s *scene) lastDecision(name string) api.Decision {
	s.Helper()
	var p api.Placement
	if _, err := s.apps.GetPart(s.Context(), s.app(name), api.PlacementPart, &p); err != nil {
		s.Fatal(err)
	}
	return p.Decisions[0]
}

// A whole cluster dies. What may run twice runs elsewhere, though nobody can ask the dead cluster anything and Krake is
// restarted meanwhile. When the cluster returns, with everything that ran on it, one copy of each is left.
func TestApplicationsLeaveAClusterThatHasDied(t *testing.T) {
	on := sites(t, "lost", "berlin")
	t.Parallel()
	cfg := server.Config{DataDir: t.TempDir(), Settings: failing()}
	k := ownKrake(t, cfg)
	s := sceneOn(t, k)
	s.join("lost", on[0])
	s.create("web", "", web)
	s.create("data", "", strings.ReplaceAll(store, "name: web", "name: data"))
	s.create("held", "", named("held"), func(a *api.Application) { a.Spec.Constraints.Migration = false })
	for _, name := range []string{"web", "data", "held"} {
		s.awaitApp(name, running("lost"), healthy)
	}
	on[0].Stop(t)
	s.awaitCluster("lost", api.ClusterOffline)
	s.awaitApp("web", strandedOn("lost", "there is no other place"))
	if err := k.end(); err != nil {
		t.Fatal(err)
	}
	s.use(ownKrake(t, cfg)) // a process that knows nothing but what is stored
	s.join("berlin", on[1])

	s.awaitApp("web", running("berlin"), healthy, settled, reachable(on[1], s.space))
	if d := s.lastDecision("web"); d.Outcome != core.Moved || d.Code != string(core.Dead) || d.Current != "lost" || d.Chosen != "berlin" {
		t.Errorf("the decision is %+v", d)
	}
	s.awaitEvent("Application", "web", "FailedOver", "It moves from lost to berlin: the cluster has not answered since")
	s.awaitLeftovers(1)
	s.awaitApp("data", strandedOn("lost", "must not run twice: StatefulSet data keeps state that would part"))
	s.awaitApp("held", strandedOn("lost", "its migration is switched off"))

	on[0].Start(t)
	s.awaitCluster("lost", api.ClusterOnline)
	s.awaitLeftovers(0)
	s.await("the end of the second copy", func() error {
		if o, err := on[0].look(deployments, s.space, "web"); err != nil || o != nil {
			return fmt.Errorf("%v, %v", o, err)
		}
		return nil
	})
	if on[1].find(s, deployments, s.space, "web") == nil {
		t.Error("the other copy is gone, too")
	}
	for _, name := range []string{"data", "held"} {
		s.awaitApp(name, running("lost"), healthy, condition(api.Scheduled, api.True, "Placed"))
	}
	if o := on[1].find(s, statefulSets, s.space, "data"); o != nil {
		t.Errorf("what must not run twice is on berlin, too: %v", o)
	}
	s.takeDown("data")
	s.takeDown("held")
	s.removeCluster("lost")
	if err := all(running("berlin"), healthy)(s.app("web")); err != nil {
		t.Error(err)
	}
}

// A cluster hangs: requests to it get no answer, not even a refusal. Nothing waits for it, and its record may go.
func TestAnApplicationOutlivesTheRecordOfAClusterThatHangs(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	t.Parallel()
	s := sceneOn(t, ownKrake(t, server.Config{Settings: failing()}))
	l := s.away("here", on[0], web)
	s.join("there", on[1])
	thaw := l.freeze()
	defer thaw()
	s.awaitCluster("here", api.ClusterOffline)
	s.awaitApp("web", running("there"), healthy, settled)
	s.removeCluster("here")
	s.awaitApp("web", running("there"), healthy)
	s.awaitLeftovers(2) // what the application has there, and the way to it
	thaw()
	s.awaitEmpty(on[0])
	s.awaitLeftovers(0)
	if err := all(running("there"), healthy)(s.app("web")); err != nil {
		t.Error(err)
	}
}
