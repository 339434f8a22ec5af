package gc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/controller"
)

var plain = client.DeleteOptions{}

func TestWhatNothingDependsOnGoes(t *testing.T) {
	w := newWorld(t)
	w.collect()
	w.cluster("alone")
	w.cluster("other")
	w.delete("alone", plain)
	w.untilGone("alone")
	if w.marked("other") {
		t.Error("another one was deleted, too")
	}
}

func TestEveryKindIsCollected(t *testing.T) {
	w := newWorld(t)
	w.collect()
	c := w.collector()
	for _, kind := range api.Kinds {
		if c.kinds[kind.Group+"/"+kind.Name] == nil {
			t.Errorf("%s is not", kind.Name)
		}
	}
	l := api.NewLeftover(w.app("a", "nowhere"), "identity", "a test")
	leftovers := client.Of[api.Leftover](w.client)
	made := must(leftovers.Create(t.Context(), l))(w)
	must(leftovers.Delete(t.Context(), space, made.Metadata.Name, plain))(w)
	w.until("the leftover is gone", func() bool {
		_, err := leftovers.Get(t.Context(), space, made.Metadata.Name)
		return client.NotFound(err)
	})
}

func TestF7AClusterWaitsForItsApplications(t *testing.T) {
	w := newWorld(t)
	w.collect()
	w.cluster("c")
	for _, name := range []string{"a1", "a2", "a3"} {
		w.app(name, "c")
	}
	w.delete("c", plain)
	for _, name := range []string{"a1", "a2", "a3"} {
		w.until(name+" waits for its cleaning", func() bool {
			m := must(w.apps.Get(t.Context(), space, name))(w).Metadata
			return m.Deleted != nil && slices.Equal(m.Finalizers, []string{api.FinalizerResources})
		})
		if !must(w.apps.Get(t.Context(), space, name))(w).Status.Cascaded {
			t.Errorf("%s seems to be deleted by its name", name)
		}
	}
	w.cleaned("a1")
	w.cleaned("a2")
	w.caughtUp()
	if !w.exists("c") {
		t.Fatal("the cluster went before the last application")
	}
	w.cleaned("a3")
	w.untilGone("c")
}

func TestAnEvacuatedClusterTakesNoApplicationAlong(t *testing.T) {
	w := newWorld(t)
	w.collect()
	w.cluster("c")
	w.cluster("other")
	w.app("a", "c")
	w.delete("c", client.DeleteOptions{How: api.Evacuate})
	w.caughtUp()
	if m := must(w.apps.Get(t.Context(), space, "a"))(w).Metadata; m.Deleted != nil {
		t.Fatal("the application was deleted")
	}
	must(w.apps.Do(t.Context(), space, "a", "binding", &api.ClusterBinding{Cluster: ref("other")}))(w)
	w.until("the collector has done its part", func() bool {
		m := must(w.clusters.Get(t.Context(), space, "c"))(w).Metadata
		return slices.Equal(m.Finalizers, []string{api.FinalizerEvacuation})
	})
	must(w.apps.Do(t.Context(), space, "a", "binding", &api.ClusterBinding{Cluster: ref("c")}))(w) // by an old scheduler
	w.caughtUp()
	if m := must(w.apps.Get(t.Context(), space, "a"))(w).Metadata; m.Deleted != nil {
		t.Fatal("an application that came late was deleted")
	}
	w.delete("c", plain)
	w.until("the application is deleted at last", func() bool {
		return must(w.apps.Get(t.Context(), space, "a"))(w).Metadata.Deleted != nil
	})
	w.cleaned("a")
	w.untilGone("c")
}

func TestApplicationsGoInTheWayOfTheirCluster(t *testing.T) {
	for _, how := range []api.Deletion{api.DeletePlain, api.KeepWorkloads} {
		w := newWorld(t)
		w.collect()
		w.cluster("c")
		w.cluster("below", "c") // knows the way, too
		w.app("a", "below")
		w.delete("c", client.DeleteOptions{How: how})
		w.until("the application waits for its cleaning", func() bool {
			return must(w.apps.Get(t.Context(), space, "a"))(w).Metadata.Deleted != nil
		})
		if got := must(w.apps.Get(t.Context(), space, "a"))(w).Metadata.Deletion; got != how {
			t.Errorf("it is deleted by %q, its cluster by %q", got, how)
		}
		w.cleaned("a")
		w.untilGone("below", "c")
	}
}

func TestF8F9ThreeLevelsGoFromBelow(t *testing.T) {
	w := newWorld(t)
	w.collect()
	w.cluster("above")
	w.cluster("top", "above")
	w.cluster("sibling", "above")
	w.cluster("left", "top")
	w.cluster("right", "top")
	last := w.cluster("bottom", "left")
	w.delete("top", plain)
	var order []string
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	done := errors.New("done")
	err := w.clusters.Watch(ctx, space, last.Metadata.ResourceVersion, func(e client.Event[*api.Cluster]) error {
		if e.Type == client.Deleted {
			order = append(order, e.Object.Metadata.Name)
		}
		if len(order) == 4 {
			return done
		}
		return nil
	})
	if err != done {
		t.Fatalf("after %v: %v", order, err)
	}
	if slices.Index(order, "bottom") > slices.Index(order, "left") || order[3] != "top" {
		t.Errorf("they went in the order %v", order)
	}
	w.caughtUp()
	if w.marked("above") || w.marked("sibling") {
		t.Error("an owner or a sibling was deleted, too")
	}
}

func TestADependentGoesWithItsLastOwner(t *testing.T) {
	w := newWorld(t)
	w.collect()
	w.cluster("source")
	w.cluster("target")
	w.cluster("moving", "source", "target")
	w.cluster("between", "source", "target")
	w.delete("source", plain)
	w.caughtUp()
	if w.marked("moving") || !w.exists("source") {
		t.Fatal("the dependent of two owners went with the first, or that did not wait for it")
	}
	w.own("moving", ref("target"))
	w.own("between", ref("target"))
	w.untilGone("source")
	w.delete("target", plain)
	w.untilGone("moving", "between", "target")
}

// gate lets requests of a path wait until it is opened.
type gate struct {
	http.RoundTripper
	path string
	open chan struct{}
}

func (g gate) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == g.path {
		<-g.open
	}
	return g.RoundTripper.RoundTrip(r)
}

func TestNothingIsCollectedBeforeAllKindsAreKnown(t *testing.T) {
	w := newWorld(t)
	w.cluster("owner")
	w.delete("owner", plain)
	l := api.NewLeftover(w.app("a", "nowhere"), "identity", "a test")
	l.Metadata.Owners = refs([]string{"owner"})
	leftovers := client.Of[api.Leftover](w.client)
	must(leftovers.Create(t.Context(), l))(w)

	slow := gate{w.transport, api.LeftoverKind.Path("", ""), make(chan struct{})}
	c, err := client.New(client.Config{URL: "http://krake.internal", Transport: slow})
	if err != nil {
		t.Fatal(err)
	}
	free := w.client
	w.client = c
	w.collect()
	w.client = free
	for range 100 { // give it the chance to do wrong
		if !w.exists("owner") {
			t.Fatal("the owner went although not all kinds were known")
		}
	}
	close(slow.open)
	w.untilGone("owner")
	if _, err := leftovers.Get(t.Context(), space, l.Metadata.Name); !client.NotFound(err) {
		t.Errorf("the owner went before its dependent (%v)", err)
	}
}

func TestAnOwnerThatCannotExistKeepsNobody(t *testing.T) {
	w := newWorld(t)
	w.collect()
	w.cluster("owner")
	w.cluster("d")
	foreign := ref("owner")
	foreign.API = "elsewhere"
	nowhere := ref("owner")
	nowhere.Namespace = nil
	w.own("d", ref("owner"), ref("a/b c?"), ref(""), foreign, nowhere, ref("missing"))
	w.delete("owner", plain)
	w.untilGone("d", "owner")
}

func TestF11ACircleIsReportedAndGoesAsAWhole(t *testing.T) {
	w := newWorld(t)
	w.collect()
	for _, name := range []string{"a", "b", "c"} {
		w.cluster(name)
	}
	w.cluster("below", "a")
	w.own("a", ref("c"))
	w.own("b", ref("a"))
	w.own("c", ref("b"))
	w.until("the circle is reported", func() bool { return w.log.count("own each other in a circle") > 0 })
	w.delete("a", plain)
	w.untilGone("below")
	w.caughtUp() // others are collected as ever
	if !w.exists("a") || w.marked("b") || w.marked("c") {
		t.Fatal("a member of a circle went alone, or took the others along")
	}
	w.delete("b", plain)
	w.delete("c", plain)
	w.untilGone("a", "b", "c")
	if n := w.log.count("own each other in a circle"); n != 1 {
		t.Errorf("the circle was reported %d times", n)
	}
}

func TestF13ADiamondIsNoCircle(t *testing.T) {
	w := newWorld(t)
	w.collect()
	w.cluster("top")
	w.cluster("left", "top")
	w.cluster("right", "top")
	w.cluster("bottom", "left", "right")
	w.delete("top", plain)
	w.untilGone("bottom", "left", "right", "top")
	if w.log.count("circle") > 0 {
		t.Error("a circle was reported")
	}
}

func TestF12WhatLosesItsOwnerByForceStays(t *testing.T) {
	w := newWorld(t)
	w.collect()
	w.cluster("owner")
	w.cluster("orphan", "owner")
	w.caughtUp()
	w.delete("owner", client.DeleteOptions{Force: true})
	w.until("the orphan is reported", func() bool {
		return w.log.count("owner=kubernetes/Cluster/testing/owner") > 0 && w.log.count("kubernetes/Cluster/testing/orphan") > 0
	})
	w.caughtUp()
	if w.marked("orphan") {
		t.Error("the orphan was deleted")
	}
}

func TestF14ACollectorThatWasAwayCatchesUp(t *testing.T) {
	w := newWorld(t)
	stop := w.collect()
	for _, name := range []string{"1", "2"} {
		w.cluster("owner" + name)
		w.cluster("vanished"+name, "owner"+name)
		w.cluster("stayed"+name, "owner"+name)
	}
	w.delete("owner1", plain) // in the middle of its work
	stop()
	for _, name := range []string{"vanished1", "vanished2"} {
		// A request that the collector had sent before it stopped may still take it.
		if _, err := w.clusters.Delete(w.Context(), space, name, client.DeleteOptions{Force: true}); err != nil && !client.NotFound(err) {
			t.Fatal(err)
		}
	}
	w.delete("owner2", plain)
	w.collect()
	w.untilGone("stayed1", "owner1", "stayed2", "owner2")
}

func TestHundredsOfDependentsGo(t *testing.T) {
	w := newWorld(t)
	w.collect()
	w.cluster("owner")
	for i := range 200 {
		w.cluster(fmt.Sprint("d", i), "owner")
	}
	w.delete("owner", plain)
	w.untilGone("owner")
	left, _, err := w.clusters.List(t.Context(), space)
	if err != nil || len(left) > 0 {
		t.Errorf("%d are left, %v", len(left), err)
	}
}

// behind returns a collector whose caches have what there is now and then fall behind.
func (w world) behind() *Collector {
	w.Helper()
	c := w.collector()
	ctx, cancel := context.WithCancel(w.Context())
	ended := make(chan error)
	for _, k := range c.kinds {
		go func() { ended <- k.cache.Run(ctx) }()
	}
	c.complete(ctx)
	cancel()
	for range c.kinds {
		<-ended
	}
	return c
}

func (w world) reconcile(c *Collector, name string) error {
	_, err := c.reconcile(w.Context(), c.kinds["kubernetes/Cluster"], controller.Key{Namespace: space, Name: name})
	return err
}

func TestNothingIsDeletedForANamesakeOfItsOwner(t *testing.T) {
	w := newWorld(t)
	w.cluster("owner")
	w.cluster("d", "owner")
	w.delete("owner", plain)
	c := w.behind()
	w.delete("owner", client.DeleteOptions{Force: true})
	w.cluster("owner")
	if err := w.reconcile(c, "d"); err != nil || w.marked("d") {
		t.Errorf("the dependent of a new owner was deleted for the old one (%v)", err)
	}
}

func TestNothingIsDeletedWhileAnOwnerIsNotKnownYet(t *testing.T) {
	w := newWorld(t)
	w.cluster("owner")
	w.cluster("d", "owner", "late")
	w.delete("owner", plain)
	c := w.behind()
	w.cluster("late")
	if err := w.reconcile(c, "d"); err != nil || w.marked("d") {
		t.Errorf("deleted although one of its owners lives (%v)", err)
	}
}

func TestOnlyTheVersionThatWasDecidedOnIsDeletedOrReleased(t *testing.T) {
	w := newWorld(t)
	w.cluster("owner")
	w.cluster("d", "owner")
	w.cluster("namesake", "owner")
	w.cluster("free")
	w.delete("owner", plain)
	w.delete("free", plain)
	c := w.behind()
	w.own("d")
	w.delete("namesake", client.DeleteOptions{Force: true})
	w.cluster("namesake")
	w.delete("free", client.DeleteOptions{Force: true})
	w.cluster("free")
	for _, name := range []string{"d", "namesake", "free"} {
		if err := w.reconcile(c, name); !client.Conflict(err) || w.marked(name) {
			t.Errorf("%s: got %v, want a conflict", name, err)
		}
	}
}

func TestAClusterStaysForAnApplicationThatIsNotKnownYet(t *testing.T) {
	w := newWorld(t)
	w.cluster("c")
	w.delete("c", plain)
	c := w.behind()
	w.app("late", "c")
	if err := w.reconcile(c, "c"); err != nil || !w.exists("c") {
		t.Errorf("the cluster went before the application that was bound to it (%v)", err)
	}
}

func TestACircleOfAClusterAndItsApplicationGoes(t *testing.T) {
	w := newWorld(t)
	w.collect()
	w.cluster("c")
	a := w.app("a", "c")
	w.own("c", api.ApplicationKind.Ref(space, "a"))
	w.until("the circle is reported", func() bool { return w.log.count("circle") > 0 })
	w.delete("c", plain)
	must(w.apps.Delete(t.Context(), space, a.Metadata.Name, plain))(w)
	w.untilGone("c")
	w.cleaned("a")
}

func TestReferencesPrintAsPeopleWriteThem(t *testing.T) {
	global := RefOf(api.ResourceRef{API: "infrastructure", Kind: "GlobalCloud", Name: "g"})
	if got := strings.Join(names([]Ref{RefOf(ref("c")), global}), " "); got != "kubernetes/Cluster/testing/c infrastructure/GlobalCloud/g" {
		t.Errorf("got %s", got)
	}
}
