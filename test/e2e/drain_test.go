package e2e

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/fleet"
	"github.com/rak-n-rok/krake/internal/server"
)

// set changes a cluster's record as a user would.
func (s *scene) set(name string, change func(*api.Cluster)) {
	s.Helper()
	for {
		c := s.cluster(name)
		change(c)
		_, err := s.clusters.Update(s.Context(), c)
		if err == nil {
			return
		}
		if !client.Conflict(err) {
			s.Fatal(err)
		}
	}
}

// remove asks for the deletion of a cluster in a way.
func (s *scene) remove(name string, how api.Deletion) {
	s.Helper()
	if _, err := s.clusters.Delete(s.Context(), s.space, name, client.DeleteOptions{How: how}); err != nil {
		s.Fatal(err)
	}
}

// awaitNoCluster waits until the record of a cluster is gone.
func (s *scene) awaitNoCluster(name string) {
	s.Helper()
	s.await("the end of the cluster "+name, func() error {
		c, err := s.clusters.Get(s.Context(), s.space, name)
		if err == nil {
			return fmt.Errorf("finalizers %v, %s: %+v", c.Metadata.Finalizers, c.Metadata.Deletion, c.Status.Conditions.Get(api.Drained))
		}
		return isGone(err)
	})
}

// awaitDrained waits until a cluster says that it is drained, or why not, in these words.
func (s *scene) awaitDrained(name string, want api.ConditionStatus, reason string, words ...string) {
	s.Helper()
	s.await("what is said of the drain of "+name, func() error {
		return asWanted(s.cluster(name).Status.Conditions.Get(api.Drained), want, reason, words...)
	})
}

// named is settingsMap under another name.
func named(name string) string {
	return strings.ReplaceAll(settingsMap, "name: settings", "name: "+name)
}

// placeless holds when the scheduler has found no place, and says so in these words.
func placeless(words ...string) fact { return condition(api.Scheduled, api.False, "", words...) }

func TestACordonedClusterTakesNoNewApplicationAndKeepsItsOwn(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	s.create("before", "", named("before"))
	s.awaitApp("before", running("here"))
	s.set("here", func(c *api.Cluster) { c.Spec.Unschedulable = true })
	s.create("after", "", named("after"))
	s.awaitApp("after", placeless("1 cordoned"))
	var record api.Placement
	if _, err := s.apps.GetPart(s.Context(), s.app("after"), api.PlacementPart, &record); err != nil {
		s.Fatal(err)
	}
	if d := record.Decisions[0]; d.Refused["cordoned"] != 1 || !strings.HasPrefix(d.Candidates[0].Refusal, "cordoned: ") {
		s.Errorf("the placement says %+v", d)
	}
	s.edit("before", func(a *api.Application) { a.Spec.Manifest[0]["data"] = map[string]any{"a": "c"} })
	s.awaitApp("before", running("here"))
	s.set("here", func(c *api.Cluster) { c.Spec.Unschedulable = false })
	s.awaitApp("after", running("here"))
}

func TestADrainMovesWhatMayMoveAndNamesTheRest(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	s := newScene(t)
	s.join("berlin", on[0])
	s.create("web", "", web)
	s.create("pinned", "", named("pinned"), func(a *api.Application) { a.Spec.Constraints.Migration = false })
	s.create("choosy", "berlin", named("choosy"))
	for _, name := range []string{"web", "pinned", "choosy"} {
		s.awaitApp(name, running("berlin"), healthy)
	}
	s.set("berlin", func(c *api.Cluster) { c.Spec.Drain = true })
	s.awaitDrained("berlin", api.False, "Held", "web: It stays on berlin for now, because there is no other place (1 being drained)")
	if err := running("berlin")(s.app("web")); err != nil {
		s.Errorf("that it cannot leave has changed it: %v", err)
	}
	witness := watchCopies(s, deployments, on...)
	s.join("bratislava", on[1])
	s.awaitApp("web", running("bratislava"), healthy, settled)
	witness.swearAlwaysReady()
	s.awaitDrained("berlin", api.False, "Held", "pinned: It stays on berlin, because its migration is switched off", "choosy: It stays on berlin for now")
	s.edit("pinned", func(a *api.Application) { a.Spec.Constraints.Migration = true })
	s.send("choosy", "")
	for _, name := range []string{"pinned", "choosy"} {
		s.awaitApp(name, running("bratislava"), settled)
	}
	s.awaitDrained("berlin", api.True, "Empty")
	for _, left := range [][]string{on[0].marked(t, configMaps, s.space), on[0].marked(t, deployments, s.space)} {
		if len(left) > 0 {
			s.Errorf("the drained cluster still has %v", left)
		}
	}
	s.set("berlin", func(c *api.Cluster) { c.Spec.Drain = false })
	s.await("the end of what was said of the drain", func() error {
		if c := s.cluster("berlin").Status.Conditions.Get(api.Drained); c.Reason != "" {
			return fmt.Errorf("drained: %+v", c)
		}
		return nil
	})
}

// Stopping comes first where two copies would harm. The drain says so, and waits with it.
func TestADrainSaysWhatItStopsFirst(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	s := newScene(t)
	s.join("berlin", on[0])
	s.join("bratislava", on[1])
	s.create("web", "berlin", slowly(store))
	s.awaitApp("web", running("berlin"), healthy)
	s.Cleanup(func() { _, _ = on[1].change(pods, s.space, "web-0", unbusy) })
	s.send("web", "")
	s.set("berlin", func(c *api.Cluster) { c.Spec.Drain = true })
	s.awaitDrained("berlin", api.False, "Leaving",
		"web: it is moving to bratislava (Stopping): it is stopped before it is created on bratislava, because StatefulSet web keeps state that would part")
	on[0].patch(s, pods, s.space, "web-0", unbusy)
	s.awaitApp("web", running("bratislava"), healthy, settled)
	s.awaitDrained("berlin", api.True, "Empty")
}

func TestAClusterThatIsEvacuatedGoesWhenItIsEmpty(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	t.Parallel()
	cfg := server.Config{DataDir: t.TempDir(), Settings: quick}
	k := ownKrake(t, cfg)
	s := sceneOn(t, k)
	s.join("berlin", on[0])
	s.create("web", "", web)
	s.create("pinned", "", named("pinned"), func(a *api.Application) { a.Spec.Constraints.Migration = false })
	for _, name := range []string{"web", "pinned"} {
		s.awaitApp(name, running("berlin"), healthy)
	}
	s.remove("berlin", api.Evacuate)
	s.awaitDrained("berlin", api.False, "Held", "web: ", "pinned: ")
	if err := k.end(); err != nil {
		s.Fatal(err)
	}
	s.use(ownKrake(t, cfg)) // a process that knows nothing but what is stored
	witness := watchCopies(s, deployments, on...)
	s.join("bratislava", on[1])
	s.awaitApp("web", running("bratislava"), healthy, settled)
	s.awaitDrained("berlin", api.False, "Held", "pinned: It stays on berlin, because its migration is switched off")
	if err := running("berlin")(s.app("pinned")); err != nil {
		s.Error(err)
	}
	s.edit("pinned", func(a *api.Application) { a.Spec.Constraints.Migration = true })
	s.awaitNoCluster("berlin")
	for _, left := range [][]string{on[0].marked(t, configMaps, s.space), on[0].marked(t, deployments, s.space)} {
		if len(left) > 0 {
			s.Errorf("the record is gone and the cluster still has %v", left)
		}
	}
	s.awaitLeftovers(0)
	s.awaitApp("pinned", running("bratislava"), settled)
	witness.swearAlwaysReady()
}

func TestAnEvacuationThatIsAskedForAgainWithoutItTakesTheApplicationsAlong(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	s.create("pinned", "", named("pinned"))
	s.awaitApp("pinned", running("here"))
	s.remove("here", api.Evacuate)
	s.awaitDrained("here", api.False, "Held", "pinned: ")
	s.remove("here", api.DeletePlain)
	s.awaitEnd("pinned")
	s.awaitNoCluster("here")
	if left := berlin.marked(t, configMaps, s.space); len(left) > 0 {
		s.Errorf("the cluster still has %v", left)
	}
}

// swearKept holds if the deployment is the one that it was, without the mark of an application.
func (s *scene) swearKept(on *site, uid any) {
	s.Helper()
	o := on.get(s, deployments, s.space, "web")
	if o.GetUID() != uid || o.GetDeletionTimestamp() != nil {
		s.Errorf("it is %s, it was %s; deleted %v", o.GetUID(), uid, o.GetDeletionTimestamp())
	}
	if o.GetLabels()[fleet.AppUIDLabel] != "" || o.GetAnnotations()[fleet.KeptAnnotation] == "" {
		s.Errorf("labels %v, annotations %v", o.GetLabels(), o.GetAnnotations())
	}
}

func TestWorkloadsThatAreKeptAreTakenUpByALaterApplicationOfTheName(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	s.create("web", "", web)
	s.awaitApp("web", running("here"), healthy)
	before := berlin.get(s, deployments, s.space, "web")
	s.remove("here", api.KeepWorkloads)
	s.awaitEnd("web")
	s.awaitNoCluster("here")
	s.awaitLeftovers(0)
	s.swearKept(berlin, before.GetUID())
	if after := berlin.get(s, deployments, s.space, "web"); !reflect.DeepEqual(after.Object["spec"], before.Object["spec"]) {
		s.Errorf("the deployment was changed: %v, it was %v", after.Object["spec"], before.Object["spec"])
	}

	s.register("here", berlin.Kubeconfig(s))
	s.awaitCluster("here", api.ClusterOnline)
	s.create("other", "", web)
	s.awaitApp("other", refusedWith(api.KubernetesError, "was left there by the Krake application "+s.space+"/web"))
	s.swearKept(berlin, before.GetUID())
	a := s.create("web", "", web)
	s.awaitApp("web", running("here"), healthy)
	after := berlin.get(s, deployments, s.space, "web")
	if after.GetUID() != before.GetUID() || !reflect.DeepEqual(after.Object["spec"], before.Object["spec"]) {
		s.Errorf("UID %s, it was %s; %v, it was %v", after.GetUID(), before.GetUID(), after.Object["spec"], before.Object["spec"])
	}
	if after.GetLabels()[fleet.AppUIDLabel] != a.Metadata.UID || after.GetAnnotations()[fleet.KeptAnnotation] != "" {
		s.Errorf("labels %v, annotations %v", after.GetLabels(), after.GetAnnotations())
	}
	s.takeDown("web")
	s.awaitEmpty(berlin)
}

func TestWorkloadsAreKeptOnAClusterThatIsAway(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	l := s.away("here", berlin, web)
	before := berlin.get(s, deployments, s.space, "web")
	l.cut()
	s.awaitCluster("here", api.ClusterOffline)
	s.remove("here", api.KeepWorkloads)
	s.awaitEnd("web")
	s.awaitNoCluster("here")
	s.awaitLeftovers(2) // what is to be let go, and the way to the cluster
	l.mend(t)
	s.awaitLeftovers(0)
	s.swearKept(berlin, before.GetUID())
}

func TestAnApplicationMayBeDeletedWithoutWhatItHas(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	s.create("web", "", web)
	s.awaitApp("web", running("here"), healthy)
	before := berlin.get(s, deployments, s.space, "web")
	if _, err := s.apps.Delete(s.Context(), s.space, "web", client.DeleteOptions{How: api.KeepWorkloads}); err != nil {
		s.Fatal(err)
	}
	s.awaitEnd("web")
	s.swearKept(berlin, before.GetUID())
}
