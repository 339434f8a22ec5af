package kubernetes

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/fleet"
)

func entry(cluster, name, uid string) api.InventoryObject {
	return api.InventoryObject{Cluster: cluster, Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "default", Name: name, UID: uid}
}

func TestAnInventoryIsKeptByObject(t *testing.T) {
	web, db, elsewhere := entry("berlin", "web", "u1"), entry("berlin", "db", "u2"), entry("vienna", "web", "u3")
	p := &pass{inventory: api.Inventory{Objects: []api.InventoryObject{web, db, elsewhere}}}
	before := p.inventory.Objects

	p.record(web, db)
	if p.inventoryChanged {
		t.Error("what is recorded already is no change")
	}
	again := entry("berlin", "web", "u4")
	p.record(again)
	want := []api.InventoryObject{again, db, elsewhere}
	if diff := cmp.Diff(want, p.inventory.Objects); diff != "" || !p.inventoryChanged {
		t.Errorf("changed is %v: %s", p.inventoryChanged, diff)
	}
	if before[0].UID != "u1" {
		t.Error("what others may be reading was changed")
	}
	if diff := cmp.Diff([]api.InventoryObject{again, db}, p.entries("berlin")); diff != "" {
		t.Error(diff)
	}

	p.inventoryChanged = false
	p.drop(entry("berlin", "nothing", ""))
	if p.inventoryChanged {
		t.Error("dropping what is not there is no change")
	}
	p.drop(entry("berlin", "web", "another uid"))
	if diff := cmp.Diff([]api.InventoryObject{db, elsewhere}, p.inventory.Objects); diff != "" || !p.inventoryChanged {
		t.Errorf("changed is %v: %s", p.inventoryChanged, diff)
	}
	if diff := cmp.Diff([]string{"berlin", "vienna"}, p.identities()); diff != "" {
		t.Error(diff)
	}
}

func TestNothingIsRememberedOfANamesake(t *testing.T) {
	var m memory
	key := controller.Key{Namespace: "testing", Name: "web"}
	m.put(key, &remembered{uid: "first"})
	if m.get(key, "second") != nil {
		t.Error("a new application of the same name has the inventory of the old one")
	}
	m.put(key, &remembered{uid: "second"})
	if m.get(key, "first") != nil || m.get(key, "second") == nil {
		t.Error("the newer one is remembered")
	}
	m.forget(key)
	if m.get(key, "second") != nil {
		t.Error("what was forgotten is remembered")
	}
	if got, ok := m.key("second"); !ok || got != key {
		t.Error("whose objects change on a cluster is known also of a forgotten application: it is only read anew")
	}
	m.remove(key)
	for _, uid := range []string{"first", "second"} {
		if _, ok := m.key(uid); ok {
			t.Errorf("the UID %s of a removed application is known", uid)
		}
	}
}

func TestARefusedManifestWaitsUntilSomethingIsDifferent(t *testing.T) {
	berlin, vienna := api.ClusterKind.Ref("testing", "berlin"), api.ClusterKind.Ref("testing", "vienna")
	clock := noon.Time()
	c := &Applications{refused: time.Minute, clock: func() time.Time { return clock }}
	app := api.New[api.Application]()
	app.Metadata.UID, app.Metadata.Generation, app.Status.ScheduledTo = "u", 3, &berlin
	p := &pass{Applications: c, key: controller.Key{Name: "web"}, app: app}
	c.memory.put(p.key, &remembered{uid: "u"})

	if wait := p.refusedFor(); wait != 0 {
		t.Errorf("what was not refused waits %s", wait)
	}
	p.holdBack()
	clock = clock.Add(20 * time.Second)
	if wait := p.refusedFor(); wait != 40*time.Second {
		t.Errorf("it waits %s", wait)
	}
	app.Status.ScheduledTo = &vienna
	if wait := p.refusedFor(); wait != 0 {
		t.Errorf("another cluster may take it, but it waits %s", wait)
	}
	app.Status.ScheduledTo, app.Metadata.Generation = &berlin, 4
	if wait := p.refusedFor(); wait != 0 {
		t.Errorf("a changed manifest may be taken, but it waits %s", wait)
	}
	app.Metadata.Generation = 3
	clock = clock.Add(41 * time.Second)
	if wait := p.refusedFor(); wait > 0 {
		t.Errorf("it waits %s after a minute", wait)
	}
}

func TestWhoseErrorItIs(t *testing.T) {
	for name, test := range map[string]struct {
		err          error
		ours, silent bool
	}{
		"Krake's API has refused a write":      {fmt.Errorf("x: %w", &api.Problem{Status: 409}), true, false},
		"a cluster was not looked at yet":      {&WaitError{"not yet"}, false, true},
		"a kubeconfig that leads nowhere good": {&fleet.KubeconfigError{}, false, true},
		"a manifest of no sense":               {errors.New("no kind"), false, false},
		"a cluster that gives no answer":       {fmt.Errorf("apply: %w", &fleet.TransientError{Unreachable: true}), false, true},
		"a cluster that has too much to do":    {fmt.Errorf("apply: %w", &fleet.TransientError{}), false, false},
		"a kubeconfig that leads elsewhere":    {&fleet.IdentityError{}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ours(test.err); got != test.ours {
				t.Errorf("ours is %v", got)
			}
			if got := silent(test.err); got != test.silent {
				t.Errorf("silent is %v", got)
			}
		})
	}
}
