package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/fleet"
	"github.com/rak-n-rok/krake/internal/server"
)

// away registers a cluster over a line of its own, with an application that runs there.
func (s *scene) away(name string, on *site, manifest string) *line {
	s.Helper()
	l, kubeconfig := lineTo(s, on)
	s.place(on)
	s.register(name, kubeconfig)
	s.awaitCluster(name, api.ClusterOnline)
	s.create("web", "", manifest)
	s.awaitApp("web", running(name), healthy)
	return l
}

// states records the states that a cluster goes through.
func (s *scene) states(name string) func() []api.ClusterState {
	s.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	s.Cleanup(func() { stop(); watching.Wait() })
	var mu sync.Mutex
	c := s.cluster(name)
	seen := []api.ClusterState{c.Status.State}
	watching.Go(func() {
		_ = s.clusters.Watch(ctx, s.space, c.Metadata.ResourceVersion, func(e client.Event[*api.Cluster]) error {
			mu.Lock()
			defer mu.Unlock()
			if e.Object.Metadata.Name == name && e.Object.Status.State != seen[len(seen)-1] {
				seen = append(seen, e.Object.Status.State)
			}
			return nil
		})
	})
	return func() []api.ClusterState {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(seen)
	}
}

// awaitLeftovers waits until there are leftovers of the scene, and returns them.
func (s *scene) awaitLeftovers(n int) (all []*api.Leftover) {
	s.Helper()
	s.await(fmt.Sprintf("%d leftovers", n), func() (err error) {
		if all, _, err = s.leftovers.List(s.Context(), s.space); err == nil && len(all) != n {
			err = fmt.Errorf("there are %d: %v", len(all), leftoverNames(all))
		}
		return err
	})
	return all
}

func leftoverNames(all []*api.Leftover) []string {
	var out []string
	for _, l := range all {
		out = append(out, fmt.Sprintf("%s (%s; %d objects; %s)", l.Metadata.Name, l.Spec.Cause, len(l.Spec.Objects), l.Status.Message))
	}
	return out
}

// awaitEmpty waits until nothing of the application is left on a cluster.
func (s *scene) awaitEmpty(on *site) {
	s.Helper()
	s.await("nothing to be left on "+on.Name, func() error {
		for _, kind := range []schema.GroupVersionResource{deployments, services, statefulSets} {
			o, err := on.look(kind, s.space, "web")
			if err == nil && o != nil {
				err = fmt.Errorf("%s/%s is there", kind.Resource, o.GetName())
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func TestAClusterThatWasNeverReachedIsOfflineAtOnceAndComesByItself(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	l, kubeconfig := lineTo(t, berlin)
	l.cut()
	s.register("here", kubeconfig)
	c := s.awaitCluster("here", api.ClusterOffline)
	if err := says(c.Status.Reason, api.ClusterNotReachable, "connection refused"); err != nil {
		s.Error(err)
	}
	if took := c.Status.Conditions.Get(api.Reachable).LastTransition.Time().Sub(c.Metadata.Created.Time()); took > 8*time.Second {
		s.Errorf("OFFLINE after %s", took)
	}
	version := c.Metadata.ResourceVersion
	states := s.states("here")
	time.Sleep(3 * time.Second) // long enough for several attempts
	if now := s.cluster("here").Metadata.ResourceVersion; now != version {
		s.Errorf("every attempt is written down: version %s, then %s", version, now)
	}
	s.awaitEvent("Cluster", "here", "NotOnline", "OFFLINE", "connection refused")
	l.mend(t)
	s.awaitCluster("here", api.ClusterOnline)
	s.awaitEvent("Cluster", "here", "Online")
	s.await("the states", func() error {
		if got, want := states(), []api.ClusterState{api.ClusterOffline, api.ClusterConnecting, api.ClusterOnline}; !slices.Equal(got, want) {
			return fmt.Errorf("they were %v", got)
		}
		return nil
	})
}

func TestAnOutageLeavesApplicationsAloneAndWhatWasAskedMeanwhileIsDone(t *testing.T) {
	third := sites(t, "cardiff")[0] // which nobody else uses
	s := newScene(t)
	s.join("here", third)
	s.create("web", "", web)
	s.awaitApp("web", running("here"), healthy)
	before := third.get(s, deployments, s.space, "web")
	states := s.states("here")
	stopping := time.Now()
	third.Stop(s)
	c := s.awaitCluster("here", api.ClusterOffline)
	// Five seconds after it answered for the last time, which was up to an interval before.
	if took := time.Since(stopping); took < 5*time.Second-quick.ClusterInterval {
		s.Errorf("it was given up after %s", took)
	}
	if c.Status.Reason == nil || c.Status.Reason.Code != api.ClusterNotReachable || len(c.Status.Nodes) != 0 {
		s.Errorf("reason %+v, %d nodes", c.Status.Reason, len(c.Status.Nodes))
	}
	if err := running("here")(s.app("web")); err != nil {
		s.Errorf("the outage has changed the application: %v", err)
	}
	s.edit("web", func(a *api.Application) { a.Spec.Manifest[0]["spec"].(map[string]any)["replicas"] = 2 })
	s.awaitApp("web", ranOn("here"), inState(api.AppReconciling), func(a *api.Application) error {
		return says(a.Status.Reason, api.ClusterNotReachable)
	})
	third.Start(s)
	s.awaitCluster("here", api.ClusterOnline)
	s.awaitApp("web", running("here"), healthy, func(a *api.Application) error {
		if a.Status.ContainerHealth.RunningPods != 2 {
			return fmt.Errorf("pods: %+v", a.Status.ContainerHealth)
		}
		return nil
	})
	if got := third.get(s, deployments, s.space, "web").GetUID(); got != before.GetUID() {
		s.Error("the deployment was made again")
	}
	want := []api.ClusterState{api.ClusterOnline, api.ClusterOffline, api.ClusterConnecting}
	if got := states(); len(got) < 4 || !slices.Equal(got[:3], want) {
		s.Errorf("states: %v", got)
	}
}

func TestAClusterRemovedByForceWhileItIsAwayIsCleanedWhenItReturns(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	s := newScene(t)
	l := s.away("here", on[0], web)
	s.join("there", on[1])
	l.cut()
	s.awaitCluster("here", api.ClusterOffline)
	if _, err := s.clusters.Delete(s.Context(), s.space, "here", client.DeleteOptions{Force: true}); err != nil {
		s.Fatal(err)
	}
	s.awaitApp("web", running("there"), healthy, settled)
	s.awaitLeftovers(2) // the way to the cluster, and what the application has there
	if on[0].find(s, deployments, s.space, "web") == nil {
		s.Error("it was reached all the same")
	}
	l.mend(t)
	s.awaitEmpty(on[0])
	s.awaitLeftovers(0)
	if err := all(running("there"), healthy)(s.app("web")); err != nil {
		s.Error(err)
	}
}

func TestDeletingAClusterThatIsAwayWaitsForItAndSaysSo(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	l := s.away("here", berlin, web)
	l.cut()
	s.awaitCluster("here", api.ClusterOffline)
	if _, err := s.clusters.Delete(s.Context(), s.space, "here", client.DeleteOptions{}); err != nil {
		s.Fatal(err)
	}
	s.awaitApp("web", inState(api.AppDeleting), func(a *api.Application) error {
		return says(a.Status.Reason, api.ClusterNotReachable, "connection refused")
	})
	s.cluster("here")
	l.mend(t)
	s.awaitEnd("web")
	s.awaitEmpty(berlin)
	s.await("the end of the cluster's record", func() error {
		_, err := s.clusters.Get(s.Context(), s.space, "here")
		return isGone(err)
	})
	s.awaitLeftovers(0)
}

func TestAnApplicationRemovedByForceIsCleanedWhenItsClusterReturns(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	l := s.away("here", berlin, web)
	l.cut()
	if _, err := s.apps.Delete(s.Context(), s.space, "web", client.DeleteOptions{Force: true}); err != nil {
		s.Fatal(err)
	}
	left := s.awaitLeftovers(1)[0]
	if left.Spec.Identity != s.cluster("here").Status.Identity || len(left.Spec.Objects) != 2 || left.Spec.Application.Name != "web" {
		s.Errorf("leftover: %+v", left.Spec)
	}
	s.await("a word on why it stays", func() error {
		if l := s.awaitLeftovers(1)[0]; l.Status.Message == "" {
			return fmt.Errorf("status %+v", l.Status)
		}
		return nil
	})
	l.mend(t)
	s.awaitEmpty(berlin)
	s.awaitLeftovers(0)
}

func TestWhatAnApplicationLeavesOnAClusterThatIsAwayIsCleanedWhenItReturns(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	s := newScene(t)
	l := s.away("here", on[0], web)
	s.join("there", on[1])
	l.cut()
	s.awaitCluster("here", api.ClusterOffline)
	s.send("web", "there")
	s.awaitApp("web", running("there"), healthy, settled)
	s.awaitLeftovers(1)
	s.awaitEvent("Application", "web", "LeftOver", "on the cluster here")
	l.mend(t)
	s.awaitEmpty(on[0])
	s.awaitLeftovers(0)
	if err := all(running("there"), healthy)(s.app("web")); err != nil {
		s.Error(err)
	}
}

func TestAnApplicationThatMustNotRunTwiceWaitsForAClusterThatIsAway(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	s := newScene(t)
	l := s.away("here", on[0], store)
	s.join("there", on[1])
	witness := watchCopies(s, pods, on...)
	l.cut()
	s.awaitCluster("here", api.ClusterOffline)
	s.send("web", "there")
	s.awaitApp("web", inState(api.AppMigrating), inPhase(api.PhaseStopping, "connection refused"))
	l.mend(t)
	s.awaitApp("web", running("there"), healthy, settled)
	witness.swearNeverTwice()
	s.awaitLeftovers(0)
}

// The first attempt to deploy was under way on a cluster when the scheduler chose another one: nobody knows what came of
// it, and running_on says nothing.
func TestAnApplicationThatMustNotRunTwiceWaitsForWhatAnUnfinishedAttemptHasLeft(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	t.Parallel()
	cfg := server.Config{DataDir: t.TempDir(), Settings: quick}
	k := ownKrake(t, cfg)
	s := sceneOn(t, k)
	l, kubeconfig := lineTo(s, on[0])
	s.place(on[0])
	s.register("here", kubeconfig)
	identity := s.awaitCluster("here", api.ClusterOnline).Status.Identity
	s.join("there", on[1])
	app := s.create("web", "nowhere", store)
	s.awaitApp("web", func(a *api.Application) error {
		if c := a.Status.Conditions.Get(api.Scheduled); c.Status != api.False {
			return fmt.Errorf("scheduled: %+v", c)
		}
		return nil
	})
	l.cut()
	begun := strings.Replace(strings.ReplaceAll(store, "SPACE", s.space), "metadata: {",
		"metadata: {labels: {"+fleet.AppUIDLabel+": "+app.Metadata.UID+"}, ", 1)
	on[0].create(s, statefulSets, begun)
	intent := api.InventoryObject{Cluster: identity, Group: "apps", Version: "v1", Kind: "StatefulSet", Namespace: s.space, Name: "web", Wave: 3}
	if _, err := s.apps.PutPart(s.Context(), app, api.InventoryPart, api.Inventory{Objects: []api.InventoryObject{intent}}, "0"); err != nil {
		s.Fatal(err)
	}
	if err := k.end(); err != nil {
		s.Fatal(err)
	}
	s.use(ownKrake(t, cfg)) // a process that knows nothing but what is stored
	s.await("the copy", func() error {
		pod, err := on[0].look(pods, s.space, "web-0")
		if err == nil && (pod == nil || !isReady(pod)) {
			err = errors.New("it is not ready")
		}
		return err
	})
	witness := watchCopies(s, pods, on...)
	s.send("web", "there")
	s.awaitApp("web", func(a *api.Application) error {
		c := a.Status.Conditions.Get(api.Applied)
		if c.Status != api.Unknown || !strings.Contains(c.Message, "what is left elsewhere has to go") {
			return fmt.Errorf("applied: %+v", c)
		}
		return nil
	})
	l.mend(t)
	s.awaitApp("web", running("there"), healthy)
	if on[0].find(s, statefulSets, s.space, "web") != nil {
		s.Error("what was begun is still there")
	}
	witness.swearNeverTwice()
}

// A cluster that does not answer holds up whoever speaks to it until a deadline. That is no reason for others to wait.
func TestAClusterThatHangsHoldsUpNoOther(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	t.Parallel()
	s := sceneOn(t, ownKrake(t, server.Config{Settings: quick}))
	l, kubeconfig := lineTo(s, on[0])
	s.place(on[0])
	s.register("here", kubeconfig)
	s.awaitCluster("here", api.ClusterOnline)
	s.join("there", on[1])
	const many = 40
	name := func(i int) string { return fmt.Sprintf("app-%d", i) }
	thaw := l.freeze()
	defer thaw()
	for i := range many {
		s.create(name(i), "here", strings.ReplaceAll(settingsMap, "name: settings", "name: "+name(i)))
	}
	s.create("other", "there", settingsMap)
	s.awaitApp("other", func(a *api.Application) error { // any word of the controller will do
		if c := a.Status.Conditions.Get(api.Applied); c.Reason == "" {
			return fmt.Errorf("applied: %+v", c)
		}
		return nil
	})
	for i := range many {
		if c := s.app(name(i)).Status.Conditions.Get(api.Applied); c.Reason == string(api.ClusterNotReachable) {
			s.Fatalf("the other cluster had to wait until %s was given up: %s", name(i), c.Message)
		}
	}
	s.awaitApp("other", running("there"))
	thaw()
	for i := range many {
		s.awaitApp(name(i), running("here"))
	}
}

// The record may go as soon as nothing is bound to the cluster any more, although what was left there could not be
// removed yet.
func TestWhatIsLeftOnAClusterIsCleanedAlsoWhenItsRecordIsGone(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	s := newScene(t)
	l := s.away("here", on[0], web)
	s.join("there", on[1])
	l.cut()
	s.awaitCluster("here", api.ClusterOffline)
	s.send("web", "there")
	s.awaitApp("web", running("there"), healthy, settled)
	s.removeCluster("here")
	s.awaitLeftovers(2) // what the application has there, and the way to it
	l.mend(t)
	s.awaitEmpty(on[0])
	s.awaitLeftovers(0)
}

func TestTheWaysToAClusterThatNobodyNeedsAreForgotten(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	s.register("also-here", berlin.Kubeconfig(s))
	s.awaitCluster("also-here", api.ClusterOnline)
	for _, name := range []string{"here", "also-here"} {
		if _, err := s.clusters.Delete(s.Context(), s.space, name, client.DeleteOptions{Force: true}); err != nil {
			s.Fatal(err)
		}
	}
	s.awaitLeftovers(0)
}
