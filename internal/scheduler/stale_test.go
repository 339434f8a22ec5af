package scheduler

import (
	"context"
	"log/slog"
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/controller"
)

// freeze fills a cache with what there is now and lets it fall behind.
func freeze[P api.Resource](t *testing.T, c *client.CacheOf[P]) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	<-c.Synced()
	cancel()
	<-ended
}

// behind returns a scheduler that has its applications from now, but its clusters from before meanwhile was called.
func (w world) behind(meanwhile func()) *Scheduler {
	w.Helper()
	log := slog.New(slog.DiscardHandler)
	apps, clusters := client.NewCache(w.apps, log), client.NewCache(w.clusters, log)
	s := New(Options{Client: w.client, Apps: apps, Clusters: clusters, Log: log})
	freeze(w.T, clusters)
	meanwhile()
	freeze(w.T, apps)
	return s
}

func (w world) reconcile(s *Scheduler, a *api.Application) {
	w.Helper()
	if _, err := s.reconcile(w.Context(), controller.KeyOf(a)); err != nil {
		w.Error(err)
	}
}

func TestNoApplicationFailsForAClusterThatTheCacheLacks(t *testing.T) {
	w := newWorld(t)
	var a *api.Application
	s := w.behind(func() {
		w.cluster(space, "new")
		a = w.app("echo", retrying(0, 1))
	})
	w.reconcile(s, a)
	if now := w.get(a); place(now) != "new" {
		t.Errorf("it is %s: %+v", now.Status.State, now.Status.Reason)
	}
}

func TestNoApplicationLeavesAClusterThatTheCacheLacks(t *testing.T) {
	w := newWorld(t)
	w.cluster(space, "old")
	var a *api.Application
	s := w.behind(func() {
		w.cluster(space, "new")
		a = w.app("echo")
		ref := api.ClusterKind.Ref(space, "new")
		a = must(w.apps.Do(t.Context(), space, "echo", "binding", &api.ClusterBinding{Cluster: ref}))(w)
	})
	w.reconcile(s, a)
	if now := w.get(a); place(now) != "new" {
		t.Errorf("it was bound to %s", place(now))
	}
}

func TestNoApplicationGoesToAClusterOfWhichTheCacheIsBehind(t *testing.T) {
	for name, change := range map[string]func(w world, c *api.Cluster){
		"cordoned": func(w world, c *api.Cluster) {
			must(w.clusters.Patch(w.Context(), c, object{"spec": object{"unschedulable": true}}))(w)
		},
		"relabeled": func(w world, c *api.Cluster) { w.label(c, "tier", "silver") },
		"removed": func(w world, c *api.Cluster) {
			must(w.clusters.Delete(w.Context(), space, c.Metadata.Name, client.DeleteOptions{Force: true}))(w)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c := w.cluster(space, "here", "tier", "gold")
			var a *api.Application
			s := w.behind(func() {
				change(w, c)
				a = w.app("echo", demanding("tier is gold"))
			})
			result, err := s.reconcile(t.Context(), controller.KeyOf(a))
			if now := w.get(a); err != nil || result.After == 0 || place(now) != "" {
				t.Errorf("it is on %q, again in %s, %v", place(now), result.After, err)
			}
		})
	}
}

func TestADecisionOnWhatHasChangedIsNotWritten(t *testing.T) {
	changes := map[string]func(w world, a *api.Application){
		"by another binding": func(w world, a *api.Application) {
			ref := api.ClusterKind.Ref(space, "other")
			must(w.apps.Do(w.Context(), space, "echo", "binding", &api.ClusterBinding{Cluster: ref}))(w)
		},
		"by an edit": func(w world, a *api.Application) { w.edit(a, demanding("tier is gold")) },
		"by a namesake": func(w world, a *api.Application) {
			must(w.apps.Delete(w.Context(), space, "echo", client.DeleteOptions{Force: true}))(w)
			w.app("echo")
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.cluster(space, "old")
			a := w.app("echo")
			s := w.behind(func() {})
			change(w, a)
			changed := w.get(a)
			_, err := s.reconcile(t.Context(), controller.KeyOf(a))
			if now := w.get(a); !client.Conflict(err) || now.Metadata.ResourceVersion != changed.Metadata.ResourceVersion {
				t.Errorf("got %v, bound to %q", err, place(now))
			}
		})
	}
}
