package scheduler

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/capacity"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// tenantOf is an application of one core in some version, bound to a cluster and running on one; "" is none.
func tenantOf(uid string, version int, bound, running string) *api.Application {
	namespace := space
	a := api.New[api.Application]()
	a.Metadata.UID, a.Metadata.Name, a.Metadata.Namespace, a.Metadata.ResourceVersion = uid, uid, &namespace, fmt.Sprint(version)
	cores(1)(a)
	ref := func(name string) *api.ResourceRef {
		if name == "" {
			return nil
		}
		ref := api.ClusterKind.Ref(space, name)
		return &ref
	}
	a.Status.ScheduledTo, a.Status.RunningOn = ref(bound), ref(running)
	return a
}

func roomOn(name string, cores int64) *core.Cluster {
	return &core.Cluster{Namespace: space, Name: name, Room: &core.Room{
		Known: true, Offered: api.AmountsOf(map[string]int64{"cpu": cores * 1000, "pods": 1000}),
		Shared: []api.ResourceRef{api.ClusterKind.Ref(space, name)},
	}}
}

// held is how many cores applications have on a cluster.
func (t *tenants) held(name string) int64 {
	return t.besides("", []*core.Cluster{roomOn(name, 0)})[name].Total.Of("cpu") / 1000
}

func TestAReservationLastsUntilItsEndIsKnown(t *testing.T) {
	a := roomOn("a", 1)
	begin := func() (*tenants, *api.Application) {
		ts, app := newTenants(), tenantOf("app", 5, "", "")
		ts.follow(nil, app)
		if !ts.take(app, a) || ts.held("a") != 1 {
			t.Fatal("there was room")
		}
		return ts, app
	}
	for name, test := range map[string]struct {
		do   func(ts *tenants, app *api.Application)
		want int64
	}{
		"nothing happens":                      {func(*tenants, *api.Application) {}, 1},
		"it is given back":                     {func(ts *tenants, app *api.Application) { ts.giveBack(app) }, 0},
		"the server says that it is bound":     {func(ts *tenants, app *api.Application) { ts.note(tenantOf("app", 7, "a", "")) }, 1},
		"a report of its health comes between": {func(ts *tenants, app *api.Application) { ts.follow(app, tenantOf("app", 6, "", "")) }, 1},
		"and then it is given back": {func(ts *tenants, app *api.Application) {
			ts.follow(app, tenantOf("app", 6, "", ""))
			ts.giveBack(app)
		}, 0},
		"what was before is heard after": {func(ts *tenants, app *api.Application) {
			ts.note(tenantOf("app", 7, "a", ""))
			ts.follow(app, tenantOf("app", 6, "", ""))
		}, 1},
		"the cache hears of it": {func(ts *tenants, app *api.Application) {
			ts.follow(app, tenantOf("app", 7, "a", ""))
			ts.giveBack(app)
		}, 1},
		"it is removed meanwhile": {func(ts *tenants, app *api.Application) {
			ts.follow(app, nil)
			ts.note(tenantOf("app", 7, "a", ""))
		}, 0},
		"another one has its name now": {func(ts *tenants, app *api.Application) { ts.follow(app, tenantOf("other", 8, "", "")) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			ts, app := begin()
			test.do(ts, app)
			if got := ts.held("a"); got != test.want {
				t.Errorf("%d cores are held", got)
			}
		})
	}
	if ts := newTenants(); ts.take(tenantOf("never heard of", 1, "", ""), a) {
		t.Error("one that nobody has told of gets room")
	}
}

func TestAMoveHoldsRoomOnBothSides(t *testing.T) {
	ts := newTenants()
	before := tenantOf("app", 1, "a", "a")
	ts.follow(nil, before)
	moving := tenantOf("app", 2, "b", "a")
	if left := ts.follow(before, moving); len(left) > 0 || ts.held("a") != 1 || ts.held("b") != 1 {
		t.Errorf("%d and %d, left %v", ts.held("a"), ts.held("b"), left)
	}
	left := ts.follow(moving, tenantOf("app", 3, "b", "b"))
	if d := cmp.Diff([]controller.Key{{Namespace: space, Name: "a"}}, left); d != "" || ts.held("a") != 0 {
		t.Error(d)
	}
}

func TestManyWorkersTakeNoMoreThanThereIs(t *testing.T) {
	const rooms, apps = 7, 40
	ts, here := newTenants(), roomOn("here", rooms)
	var took atomic.Int64
	var all sync.WaitGroup
	for i := range apps {
		app := tenantOf(fmt.Sprint(i), i+1, "", "")
		ts.follow(nil, app)
		all.Go(func() {
			for range 20 {
				if !ts.take(app, here) {
					continue
				}
				if i%2 == 0 {
					ts.giveBack(app)
					continue
				}
				took.Add(1)
				ts.note(tenantOf(fmt.Sprint(i), 100+i, "here", ""))
				return
			}
		})
	}
	all.Wait()
	if took.Load() > rooms || ts.held("here") != took.Load() {
		t.Errorf("%d took, %d are held", took.Load(), ts.held("here"))
	}
}

// What is held is at all times what the applications say that were heard of last.
func TestTotalsAreThoseOfTheApplications(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ts, known := newTenants(), map[string]*api.Application{}
		places := rapid.SampledFrom([]string{"", "a", "b"})
		for version := range rapid.IntRange(1, 30).Draw(t, "steps") {
			uid := rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "application")
			var next *api.Application
			if rapid.IntRange(0, 4).Draw(t, "goes") > 0 {
				next = tenantOf(uid, version+1, places.Draw(t, "bound"), places.Draw(t, "running"))
				cores(rapid.IntRange(0, 3).Draw(t, "cores"))(next)
			}
			ts.follow(known[uid], next)
			if known[uid] = next; next == nil {
				delete(known, uid)
			}
			for _, name := range []string{"a", "b"} {
				want := int64(0)
				for _, a := range known {
					for _, key := range placesOf(a) {
						if key.Name == name {
							want += capacity.RequestsOf(a).Total.Of("cpu") / 1000
						}
					}
				}
				if got := ts.held(name); got != want {
					t.Fatalf("%s: %d, want %d", name, got, want)
				}
			}
		}
	})
}
