package scheduler

import (
	"fmt"
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

// roomy registers a cluster whose capacity counts, of so many cores, with others using some.
func (w world) roomy(namespace, name string, cores, others int) *api.Cluster {
	w.Helper()
	c := w.cluster(namespace, name)
	c.Spec.CheckCapacity = true
	return w.offer(must(w.clusters.Update(w.Context(), c))(w), cores, others)
}

// offer reports what a cluster has and what others use, as the cluster controller does.
func (w world) offer(c *api.Cluster, cores, others int) *api.Cluster {
	w.Helper()
	fresh := must(w.clusters.Get(w.Context(), c.Metadata.NamespaceOrEmpty(), c.Metadata.Name))(w)
	used := object{"cpu": fmt.Sprint(others), "pods": "1"}
	return must(w.clusters.PatchStatus(w.Context(), fresh, object{"status": object{
		"allocatable": object{"cpu": fmt.Sprint(cores), "pods": "1000"}, "used": used, "used_by_others": used,
	}}))(w)
}

// cores makes an application ask for so many.
func cores(n int) func(*api.Application) {
	return func(a *api.Application) {
		a.Spec.Manifest = api.Manifest{{"apiVersion": "v1", "kind": "Pod", "metadata": object{"name": "p"}, "spec": object{
			"containers": []any{object{"name": "c", "image": "i", "resources": object{"requests": object{"cpu": fmt.Sprint(n)}}}}}}}
	}
}

// spread counts how many applications are on each cluster; "" is nowhere.
func (w world) spread(apps []*api.Application) map[string]int {
	w.Helper()
	out := map[string]int{}
	for _, a := range apps {
		out[place(w.get(a))]++
	}
	return out
}

func waits(a *api.Application) bool {
	c := a.Status.Conditions.Get(api.Scheduled)
	return c.Status == api.False && c.ObservedGeneration == a.Metadata.Generation
}

// decided waits until all of these applications have a place or were refused one.
func (w world) decided(apps []*api.Application) {
	w.Helper()
	for _, a := range apps {
		w.until(a, "decided on", func(a *api.Application) bool { return a.Status.Conditions.Get(api.Scheduled).Status != api.Unknown })
	}
}

func (w world) crowd(n int, edits ...func(*api.Application)) []*api.Application {
	w.Helper()
	out := make([]*api.Application, n)
	for i := range out {
		out[i] = w.app(fmt.Sprintf("app-%03d", i), edits...)
	}
	return out
}

func TestACrowdDoesNotOverrunAnyCluster(t *testing.T) {
	w := newWorld(t)
	w.roomy(space, "small", 10, 0)
	w.roomy(space, "busy", 40, 20)
	apps := w.crowd(100, cores(1))
	w.schedule()
	w.decided(apps)
	if got := w.spread(apps); got["small"] != 10 || got["busy"] != 20 || got[""] != 70 {
		t.Fatalf("%v", got)
	}
	waiting := apps[0]
	for _, a := range apps {
		if place(w.get(a)) == "" {
			waiting = a
		}
	}
	p := w.placement(waiting)
	if d := p.Decisions[0]; d.Refused["no-room"] != 2 {
		t.Errorf("%+v", d)
	}

	w.roomy(space, "large", 70, 0)
	for _, a := range apps {
		w.until(a, "placed", func(a *api.Application) bool { return place(a) != "" })
	}
	if got := w.spread(apps); got["small"] != 10 || got["busy"] != 20 || got["large"] != 70 {
		t.Fatalf("%v", got)
	}
}

func TestRoomThatComesFreeGoesToThoseThatWait(t *testing.T) {
	for name, free := range map[string]func(w world, on *api.Cluster, there *api.Application){
		"an application goes": func(w world, _ *api.Cluster, there *api.Application) {
			must(w.apps.Delete(w.Context(), space, there.Metadata.Name, client.DeleteOptions{Force: true}))(w)
		},
		"an application asks for less": func(w world, _ *api.Cluster, there *api.Application) { w.edit(there, cores(1)) },
		"the work of one is done": func(w world, _ *api.Cluster, there *api.Application) {
			w.set(there, func(*api.Application) object { return object{"state": api.AppCompleted} })
		},
		"the cluster grows": func(w world, on *api.Cluster, _ *api.Application) { w.offer(on, 6, 1) },
		"others use less":   func(w world, on *api.Cluster, _ *api.Application) { w.offer(on, 4, 0) },
		"its room does not count": func(w world, on *api.Cluster, _ *api.Application) {
			fresh := must(w.clusters.Get(w.Context(), space, on.Metadata.Name))(w)
			fresh.Spec.CheckCapacity = false
			must(w.clusters.Update(w.Context(), fresh))(w)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			on := w.roomy(space, "here", 4, 1)
			w.schedule()
			there := w.untilOn(w.app("there", cores(3)), "here")
			needed := 1
			if name == "an application asks for less" {
				needed = 2
			}
			queued := w.app("queued", cores(needed), retrying(-1, 300))
			w.until(queued, "refused", waits)
			free(w, on, there)
			w.untilOn(queued, "here")
		})
	}
}

func TestARestartForgetsNoRoom(t *testing.T) {
	w := newWorld(t)
	w.roomy(space, "here", 10, 0)
	stop := w.schedule()
	apps := w.crowd(6, cores(1))
	for _, a := range apps {
		w.untilOn(a, "here")
	}
	stop()
	w.schedule()
	more := []*api.Application{w.app("large", cores(5)), w.app("fits", cores(4))}
	w.until(more[0], "refused", waits)
	w.untilOn(more[1], "here")
}

func TestTwoRecordsOfAClusterShareItsRoom(t *testing.T) {
	w := newWorld(t)
	for _, namespace := range []string{space, "other"} {
		c := w.roomy(namespace, "same", 10, 0)
		must(w.clusters.PatchStatus(w.Context(), c, object{"status": object{"identity": "one"}}))(w)
	}
	w.schedule()
	first := w.untilOn(w.app("first", cores(7)), "same")
	namespace := "other"
	elsewhere := w.app("second", cores(4), retrying(-1, 300), func(a *api.Application) { a.Metadata.Namespace = &namespace })
	w.until(elsewhere, "refused", waits)
	must(w.apps.Delete(w.Context(), space, first.Metadata.Name, client.DeleteOptions{Force: true}))(w)
	w.untilOn(elsewhere, "same")
}

func TestWithoutTheSwitchNobodyLooksAtRoom(t *testing.T) {
	w := newWorld(t)
	c := w.roomy(space, "here", 1, 1)
	c.Spec.CheckCapacity = false
	must(w.clusters.Update(w.Context(), c))(w)
	w.schedule()
	w.untilOn(w.app("large", cores(100)), "here")
}
