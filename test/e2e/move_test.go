package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/server"
)

// settled holds when no move is under way.
func settled(a *api.Application) error {
	if c := a.Status.Conditions.Get(api.Migrating); c.Reason != "" {
		return fmt.Errorf("migrating: %+v", c)
	}
	return nil
}

// inPhase holds while a move is in a phase, and its condition has these words.
func inPhase(phase api.MigrationPhase, words ...string) fact {
	return condition(api.Migrating, api.True, string(phase), words...)
}

func TestAMoveNeverLeavesAMomentWithoutAReadyCopy(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	s := newScene(t)
	s.join("berlin", on[0])
	s.join("bratislava", on[1])
	s.create("web", "berlin", web)
	s.awaitApp("web", running("berlin"), healthy, reachable(on[0], s.space))
	witness := watchCopies(s, deployments, on...)
	s.send("web", "bratislava")
	a := s.awaitApp("web", running("bratislava"), healthy, settled, reachable(on[1], s.space))
	if on[0].find(s, deployments, s.space, "web") != nil || on[0].find(s, services, s.space, "web") != nil {
		s.Error("something is left on the source")
	}
	for _, o := range s.inventory("web") {
		if o.Cluster != s.cluster("bratislava").Status.Identity || o.UID == "" {
			s.Errorf("inventory: %+v", o)
		}
	}
	if a.Status.MigrationRetries != 0 || a.Status.MigrationTimeout != 0 {
		s.Errorf("retries %d, held until %d", a.Status.MigrationRetries, a.Status.MigrationTimeout)
	}
	witness.swearAlwaysReady()
	s.awaitEvent("Application", "web", "Rescheduled", "berlin", "bratislava")
	s.awaitEvent("Application", "web", "Moved", "from berlin to bratislava")
}

// store is an application of which two copies would harm.
const store = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web, namespace: SPACE}
spec:
  replicas: 1
  serviceName: web
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "web:1.10"}]
`

// unbusy lets a pod of slowly end.
const unbusy = `{"metadata": {"finalizers": null}}`

// slowly has pods that take their time to end: until somebody takes off their finalizer.
func slowly(manifest string) string {
	return strings.ReplaceAll(manifest, "metadata: {labels: {app: web}}", "metadata: {labels: {app: web}, finalizers: [example.org/busy]}")
}

func TestAnApplicationThatMustNotRunTwiceIsStoppedBeforeItMoves(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	s := newScene(t)
	s.join("berlin", on[0])
	s.join("bratislava", on[1])
	s.create("web", "berlin", slowly(store))
	s.awaitApp("web", running("berlin"), healthy)
	s.Cleanup(func() { _, _ = on[1].change(pods, s.space, "web-0", unbusy) })
	witness := watchCopies(s, pods, on...)
	s.send("web", "bratislava")
	s.awaitApp("web", inPhase(api.PhaseStopping))
	s.await("the pod being terminated", func() error {
		if at(on[0].get(s, pods, s.space, "web-0"), "metadata", "deletionTimestamp") == nil {
			return errors.New("it is not")
		}
		return nil
	})
	if on[1].find(s, statefulSets, s.space, "web") != nil {
		s.Error("it was created on the target while its pod still ran on the source")
	}
	on[0].patch(s, pods, s.space, "web-0", unbusy) // at last it has ended
	s.awaitApp("web", running("bratislava"), healthy, settled)
	if on[0].find(s, statefulSets, s.space, "web") != nil {
		s.Error("it is still on the source")
	}
	witness.swearNeverTwice()
}

func TestAUserMayAskForTheOtherOrder(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	s := newScene(t)
	s.join("berlin", on[0])
	s.join("bratislava", on[1])
	s.create("web", "berlin", web, func(a *api.Application) { a.Spec.MigrationStrategy = api.MigrateDeleteFirst })
	s.awaitApp("web", running("berlin"), healthy)
	witness := watchCopies(s, deployments, on...)
	s.send("web", "bratislava")
	s.awaitApp("web", running("bratislava"), healthy, settled)
	witness.swearNeverTwice()
}

func TestATargetThatRefusesLeavesTheSourceUntouched(t *testing.T) { // D9
	on := sites(t, "berlin", "bratislava")
	s := newScene(t)
	s.join("berlin", on[0])
	s.join("bratislava", on[1])
	s.create("web", "berlin", web)
	s.awaitApp("web", running("berlin"), healthy)
	before := on[0].get(s, deployments, s.space, "web")
	// Deployments are accepted there, services are not.
	on[1].create(s, quotas, `
apiVersion: v1
kind: ResourceQuota
metadata: {name: none, namespace: `+s.space+`}
spec: {hard: {count/services: "0"}}
`)
	s.send("web", "bratislava")
	a := s.awaitApp("web", ranOn("berlin"), gaveUp("does not take the application", "exceeded quota"))
	hold := time.Until(time.Unix(a.Status.MigrationTimeout, 0))
	if a.Status.State != api.AppRunning || a.Status.MigrationRetries != 1 || hold < 30*time.Second {
		s.Errorf("state %s, %d retries, held for %s", a.Status.State, a.Status.MigrationRetries, hold)
	}
	if after := on[0].get(s, deployments, s.space, "web"); after.GetResourceVersion() != before.GetResourceVersion() {
		s.Errorf("the source was touched: it is at version %s, it was at %s", after.GetResourceVersion(), before.GetResourceVersion())
	}
	if on[1].find(s, deployments, s.space, "web") != nil {
		s.Error("something is left on the target")
	}
	s.awaitEvent("Application", "web", "MoveFailed", "stays on berlin", "exceeded quota")
	on[1].remove(s, quotas, s.space, "none")
	s.awaitApp("web", running("bratislava"), healthy, settled)
}

// gaveUp holds when the last move was given up, and says so with these words.
func gaveUp(words ...string) fact { return condition(api.Migrating, api.False, "", words...) }

func TestATargetOnWhichNothingGetsReadyIsGivenUpInTime(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	t.Parallel()
	settings := quick
	settings.MoveTimeout = 20 * time.Second // long enough for the first news of the target on a busy machine
	s := sceneOn(t, ownKrake(t, server.Config{Settings: settings}))
	s.join("berlin", on[0])
	s.join("bratislava", on[1])
	node := s.cluster("berlin").Status.Nodes[0].Metadata.Name
	on[0].patch(s, nodes, "", node, `{"metadata": {"labels": {"disk": "`+s.space+`"}}}`)
	s.create("web", "berlin", web, func(a *api.Application) {
		pod := a.Spec.Manifest[0]["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)
		pod["nodeSelector"] = map[string]any{"disk": s.space}
	})
	s.awaitApp("web", running("berlin"), healthy)
	witness := watchCopies(s, deployments, on...)
	s.send("web", "bratislava")
	s.awaitApp("web", inPhase(api.PhaseCreating, "Deployment "+s.space+"/web"))
	s.awaitApp("web", inState(api.AppRunning), ranOn("berlin"), gaveUp("not ready on the target in time", "Deployment"))
	if on[1].find(s, deployments, s.space, "web") != nil || on[1].find(s, services, s.space, "web") != nil {
		s.Error("something is left on the target")
	}
	witness.swearAlwaysReady()
}
