package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/constraint"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/apiserver"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
	"github.com/rak-n-rok/krake/internal/store"
)

const space = "testing"

// patience is how long anything may take on a machine that is busy with other things.
const patience = 30 * time.Second

// world is a real API in this process, with what users and other components do to it.
type world struct {
	*testing.T
	client   *client.Client
	apps     client.Set[api.Application, *api.Application]
	clusters client.Set[api.Cluster, *api.Cluster]
}

func newWorld(t *testing.T) world {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	st, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), UnsafeNoFsync: true, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	server := apiserver.New(apiserver.Options{Store: st, Log: quiet})
	c, err := client.New(client.Config{URL: "http://krake.internal", Transport: server.Local("system:scheduler")})
	if err != nil {
		t.Fatal(err)
	}
	return world{t, c, client.Of[api.Application](c), client.Of[api.Cluster](c)}
}

// schedule runs a scheduler until the test ends, or until the function is called that it returns.
func (w world) schedule() (stop func()) { return w.scheduleBy(core.DefaultRules) }

// scheduleBy runs a scheduler with other rules for moves.
func (w world) scheduleBy(rules core.Rules) (stop func()) { return w.scheduleAt(rules, time.Now) }

// scheduleAt runs a scheduler by another clock.
func (w world) scheduleAt(rules core.Rules, now func() time.Time) (stop func()) {
	w.Helper()
	log := slog.New(slog.DiscardHandler)
	apps := client.NewCache(w.apps, log, client.Project(ProjectApplication))
	clusters := client.NewCache(w.clusters, log, client.Project(ProjectCluster))
	s := New(Options{Client: w.client, Apps: apps, Clusters: clusters, Log: log, MetricsPeriod: 20 * time.Millisecond, Rules: rules, Now: now})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- controller.Supervise(ctx, log, controller.Component{Name: "applications", Run: apps.Run},
			controller.Component{Name: "clusters", Run: clusters.Run}, controller.Component{Name: "scheduler", Run: s.Run})
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			w.Error(err)
		}
	})
	w.Cleanup(stop)
	return stop
}

// cluster registers a cluster that is ONLINE, with labels as pairs.
func (w world) cluster(namespace, name string, labels ...string) *api.Cluster {
	w.Helper()
	c := api.New[api.Cluster]()
	c.Metadata.Name, c.Metadata.Namespace, c.Metadata.Labels = name, &namespace, pairs(labels)
	c.Spec.Tosca = map[string]any{"tosca_definitions_version": "tosca_simple_yaml_1_0", "topology_template": map[string]any{
		"outputs": map[string]any{"kubeconfig": map[string]any{"value": "x"}}}}
	made := must(w.clusters.Create(w.Context(), c))(w)
	return w.report(made, api.ClusterOnline)
}

// report sets the state of a cluster, as the cluster controller does.
func (w world) report(c *api.Cluster, state api.ClusterState) *api.Cluster {
	w.Helper()
	return must(w.clusters.PatchStatus(w.Context(), c, object{"status": object{"state": state}}))(w)
}

func (w world) label(c *api.Cluster, labels ...string) *api.Cluster {
	w.Helper()
	fresh := must(w.clusters.Get(w.Context(), c.Metadata.NamespaceOrEmpty(), c.Metadata.Name))(w)
	fresh.Metadata.Labels = pairs(labels)
	return must(w.clusters.Update(w.Context(), fresh))(w)
}

func pairs(labels []string) api.Labels {
	out := api.Labels{}
	for i := 0; i < len(labels); i += 2 {
		out[labels[i]] = labels[i+1]
	}
	return out
}

type object = map[string]any

// app hands in an application.
func (w world) app(name string, edits ...func(*api.Application)) *api.Application {
	w.Helper()
	namespace := space
	a := api.New[api.Application]()
	a.Metadata.Name, a.Metadata.Namespace = name, &namespace
	a.Spec.Constraints.Migration = true
	a.Spec.Manifest = manifest("1")
	for _, edit := range edits {
		edit(a)
	}
	return must(w.apps.Create(w.Context(), a))(w)
}

func manifest(version string) api.Manifest {
	return api.Manifest{{"apiVersion": "v1", "kind": "ConfigMap", "metadata": object{"name": "c"}, "data": object{"version": version}}}
}

func demanding(text string) func(*api.Application) {
	return func(a *api.Application) {
		l, err := constraint.ParseLabel(text)
		if err != nil {
			panic(err)
		}
		a.Spec.Constraints.Cluster.Labels = []constraint.Label{l}
	}
}

func retrying(limit, delay int64) func(*api.Application) {
	return func(a *api.Application) { a.Spec.BackoffLimit, a.Spec.BackoffDelay = limit, delay }
}

// edit changes an application as a user does.
func (w world) edit(a *api.Application, edits ...func(*api.Application)) *api.Application {
	w.Helper()
	fresh := w.get(a)
	for _, edit := range edits {
		edit(fresh)
	}
	return must(w.apps.Update(w.Context(), fresh))(w)
}

func (w world) get(a *api.Application) *api.Application {
	w.Helper()
	return must(w.apps.Get(w.Context(), a.Metadata.NamespaceOrEmpty(), a.Metadata.Name))(w)
}

// set writes a part of an application's status as another component does, until nothing comes between.
func (w world) set(a *api.Application, status func(*api.Application) object) *api.Application {
	w.Helper()
	for {
		fresh := w.get(a)
		done, err := w.apps.PatchStatus(w.Context(), fresh, object{"status": status(fresh)})
		if err == nil {
			return done
		}
		if !client.Conflict(err) {
			w.Fatal(err)
		}
	}
}

func condition(t api.ConditionType, status api.ConditionStatus) func(*api.Application) object {
	return func(a *api.Application) object {
		return object{"conditions": a.Status.Conditions.With(api.Condition{Type: t, Status: status, Reason: "Test"}, api.At(time.Now()))}
	}
}

// until waits for an application to come into a state, and returns it.
func (w world) until(a *api.Application, what string, holds func(*api.Application) bool) *api.Application {
	w.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		fresh := w.get(a)
		if holds(fresh) {
			return fresh
		}
		if time.Now().After(deadline) {
			w.Fatalf("%s is not %s: state %s, %+v, on %v, %+v", a.Metadata.Name, what, fresh.Status.State, fresh.Status.Reason,
				fresh.Status.ScheduledTo, fresh.Status.Conditions)
		}
	}
}

// untilOn waits until an application is bound to a cluster of its namespace.
func (w world) untilOn(a *api.Application, cluster string) *api.Application {
	w.Helper()
	return w.until(a, "on "+cluster, func(a *api.Application) bool { return place(a) == cluster })
}

func place(a *api.Application) string {
	if a.Status.ScheduledTo == nil {
		return ""
	}
	return a.Status.ScheduledTo.Name
}

// caughtUp waits until the scheduler has handled everything that happened before: it gives a place to an application
// that comes after all that, on a cluster that comes after all that.
func (w world) caughtUp(n int) {
	w.Helper()
	probe := fmt.Sprint("probe", n)
	w.cluster(space, probe, "probe", probe)
	w.untilOn(w.app(probe, demanding("probe is "+probe)), probe)
}

func (w world) placement(a *api.Application) api.Placement {
	w.Helper()
	var p api.Placement
	if _, err := w.apps.GetPart(w.Context(), a, api.PlacementPart, &p); err != nil {
		w.Fatal(err)
	}
	return p
}

func must[R any](r R, err error) func(world) R {
	return func(w world) R {
		w.Helper()
		if err != nil {
			w.Fatal(err)
		}
		return r
	}
}

var errDone = errors.New("seen enough")

func contextWithin(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), patience)
}
