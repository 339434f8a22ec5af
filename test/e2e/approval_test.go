package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/server"
)

// guarded are the settings of a server with the limit of removals that users have.
func guarded() server.Settings {
	settings := quick
	settings.Removals = nil
	return settings
}

// configs is a manifest of so many ConfigMaps, called NAME-0 and so on.
func configs(name string, number int) string {
	var documents []string
	for i := range number {
		documents = append(documents, fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s-%d, namespace: SPACE}\n", name, i))
	}
	return strings.Join(documents, "---\n")
}

// cut leaves so many objects in a manifest.
func (s *scene) cut(name string, number int) {
	s.Helper()
	s.edit(name, func(a *api.Application) { a.Spec.Manifest = a.Spec.Manifest[:number] })
}

// waits holds while the removal of so many objects waits for approval.
func waits(number int) fact {
	return func(a *api.Application) error { return awaiting(a.Status.Conditions, number) }
}

func awaiting(cs api.Conditions, number int) error {
	c := cs.Get(api.AwaitingApproval)
	if c.Status != api.True || c.Reason != api.ManyRemovals || !strings.HasPrefix(c.Message, fmt.Sprintf("%d objects", number)) {
		return fmt.Errorf("%d objects should wait, but: %+v", number, c)
	}
	return nil
}

// nothingWaits holds when nothing is said of an approval.
func nothingWaits(a *api.Application) error {
	if c := a.Status.Conditions.Get(api.AwaitingApproval); c.Reason != "" {
		return fmt.Errorf("something waits: %+v", c)
	}
	return nil
}

// has compares how many marked ConfigMaps of an application there are in the scene's namespace.
func (s *scene) has(on *site, name string, number int) error {
	s.Helper()
	found := slices.DeleteFunc(on.marked(s, configMaps, s.space), func(n string) bool { return !strings.HasPrefix(n, name+"-") })
	if len(found) != number {
		return fmt.Errorf("%s has %d objects on %s, not %d: %v", name, len(found), on.Name, number, found)
	}
	return nil
}

func (s *scene) mustHave(on *site, name string, number int) {
	s.Helper()
	if err := s.has(on, name, number); err != nil {
		s.Fatal(err)
	}
}

func (s *scene) awaitObjects(on *site, name string, number int) {
	s.Helper()
	s.await("the objects of "+name, func() error { return s.has(on, name, number) })
}

// waiting are the UIDs of the objects that wait.
func waiting[P api.Resource](s *scene, set client.Objects[P], of P) (uids []string) {
	s.Helper()
	var removal api.Removal
	if _, err := set.GetPart(s.Context(), of, api.RemovalPart, &removal); err != nil {
		s.Fatal(err)
	}
	for _, o := range removal.Waiting {
		uids = append(uids, o.UID)
	}
	return uids
}

func (s *scene) approve(name string, uids ...string) error {
	_, err := s.apps.Do(s.Context(), s.space, name, "approval", api.RemovalApproval{UIDs: uids})
	return err
}

// forget removes the record of an application by force.
func (s *scene) forget(name string) {
	s.Helper()
	if _, err := s.apps.Delete(s.Context(), s.space, name, client.DeleteOptions{Force: true}); err != nil {
		s.Fatal(err)
	}
}

// awaitLeftover waits until the removal of so many objects of the only leftover waits for approval.
func (s *scene) awaitLeftover(number int) (l *api.Leftover) {
	s.Helper()
	s.await("a leftover to wait", func() error {
		all, _, err := s.leftovers.List(s.Context(), s.space)
		if err != nil {
			return err
		}
		if len(all) != 1 {
			return fmt.Errorf("there are %d: %v", len(all), leftoverNames(all))
		}
		l = all[0]
		return awaiting(l.Status.Conditions, number)
	})
	return l
}

// A manifest that was cut short takes nothing away before somebody has looked at what would go.
func TestManyRemovalsByACutManifestWaitForApproval(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	t.Parallel()
	cfg := server.Config{DataDir: t.TempDir(), Settings: guarded()}
	k := ownKrake(t, cfg)
	s := sceneOn(t, k)
	s.join("berlin", berlin)
	s.create("big", "", configs("big", 25))
	s.create("small", "", configs("small", 5))
	s.awaitApp("big", running("berlin"))
	s.awaitApp("small", running("berlin"))

	s.cut("big", 1)
	s.awaitApp("big", running("berlin"), waits(24))
	s.awaitEvent("Application", "big", "RemovalWaits", "24 objects", "cluster berlin", "rok kube application approve -n "+s.space+" big")
	s.cut("small", 1) // few objects of another application go on
	s.awaitApp("small", running("berlin"), nothingWaits)
	s.awaitObjects(berlin, "small", 1)
	s.mustHave(berlin, "big", 25)

	if err := k.end(); err != nil {
		t.Fatal(err)
	}
	s.use(ownKrake(t, cfg)) // a process that knows nothing but what is stored
	s.edit("big", func(a *api.Application) { a.Spec.Manifest[0]["data"] = map[string]any{"after": "the restart"} })
	a := s.awaitApp("big", running("berlin"), waits(24))
	s.mustHave(berlin, "big", 25)

	uids := waiting(s, s.apps, a)
	kept := string(berlin.get(s, configMaps, s.space, "big-0").GetUID())
	if err := s.approve("big", append([]string{kept}, uids...)...); !client.Conflict(err) || !strings.Contains(err.Error(), kept) ||
		strings.Contains(err.Error(), uids[0]) {
		t.Errorf("an approval of what does not wait: %v", err)
	}
	last := string(berlin.get(s, configMaps, s.space, "big-24").GetUID())
	if err := s.approve("big", last); err != nil { // of this one and no other
		t.Fatal(err)
	}
	s.awaitObjects(berlin, "big", 24)
	s.awaitApp("big", running("berlin"), waits(23))
	if berlin.find(s, configMaps, s.space, "big-24") != nil {
		t.Error("another object went than the one that was approved")
	}
	if err := s.approve("big", last, kept); !client.Conflict(err) {
		t.Errorf("an approval of what is gone and of what does not wait: %v", err)
	}

	s.edit("big", func(a *api.Application) { a.Spec.Manifest = append(a.Spec.Manifest, s.manifest(configs("big", 2))[1]) })
	a = s.awaitApp("big", running("berlin"), waits(22)) // what is wanted again does not wait any more
	if err := s.approve("big", uids...); !client.Conflict(err) {
		t.Errorf("an approval of what was shown before: %v", err)
	}
	s.mustHave(berlin, "big", 24)
	if err := s.approve("big", waiting(s, s.apps, a)...); err != nil {
		t.Fatal(err)
	}
	s.awaitObjects(berlin, "big", 2)
	s.awaitApp("big", running("berlin"), nothingWaits)

	s.create("mended", "", configs("mended", 25))
	s.awaitApp("mended", running("berlin"))
	s.cut("mended", 1)
	s.awaitApp("mended", waits(24))
	s.edit("mended", func(a *api.Application) { a.Spec.Manifest = s.manifest(configs("mended", 25)) })
	s.awaitApp("mended", running("berlin"), nothingWaits)
	s.mustHave(berlin, "mended", 25)
}

// Who asks for the deletion of an application by its name gets it, whatever it has.
func TestADeletionByNameNeverWaits(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	t.Parallel()
	s := sceneOn(t, ownKrake(t, server.Config{Settings: guarded()}))
	s.join("berlin", berlin)
	for _, name := range []string{"whole", "waiting"} {
		s.create(name, "", configs(name, 25))
		s.awaitApp(name, running("berlin"))
	}
	s.takeDown("whole")
	s.cut("waiting", 1)
	s.awaitApp("waiting", waits(24))
	s.takeDown("waiting")
	s.mustHave(berlin, "whole", 0)
	s.mustHave(berlin, "waiting", 0)
	s.awaitLeftovers(0)
}

// What goes because a cluster's record was deleted was not asked for by name.
func TestManyRemovalsByACascadeWaitForApproval(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	t.Parallel()
	cfg := server.Config{DataDir: t.TempDir(), Settings: guarded()}
	k := ownKrake(t, cfg)
	s := sceneOn(t, k)
	s.join("berlin", berlin)
	for name, number := range map[string]int{"approved": 25, "named": 25, "small": 5} {
		s.create(name, "", configs(name, number))
	}
	for _, name := range []string{"approved", "named", "small"} {
		s.awaitApp(name, running("berlin"))
	}
	if _, err := s.clusters.Delete(s.Context(), s.space, "berlin", client.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	s.awaitEnd("small")
	held := all(inState(api.AppDeleting), waits(25))
	s.awaitApp("approved", held)
	s.awaitApp("named", held)

	if err := k.end(); err != nil {
		t.Fatal(err)
	}
	s.use(ownKrake(t, cfg))
	a := s.awaitApp("approved", held)
	s.mustHave(berlin, "approved", 25)
	s.takeDown("named") // now somebody has named it
	s.awaitApp("approved", held)
	s.mustHave(berlin, "approved", 25)
	s.mustHave(berlin, "named", 0)
	if s.cluster("berlin").Metadata.Deleted == nil {
		t.Error("the cluster is not being deleted")
	}
	if err := s.approve("approved", waiting(s, s.apps, a)...); err != nil {
		t.Fatal(err)
	}
	s.awaitEnd("approved")
	s.mustHave(berlin, "approved", 0)
	s.await("the end of the cluster", func() error {
		_, err := s.clusters.Get(s.Context(), s.space, "berlin")
		return isGone(err)
	})
}

// What is left over after a forced deletion waits, too.
func TestManyLeftoversWaitForApproval(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	t.Parallel()
	s := sceneOn(t, ownKrake(t, server.Config{Settings: guarded()}))
	s.join("berlin", berlin)
	s.create("big", "", configs("big", 25))
	s.create("small", "", configs("small", 5))
	s.awaitApp("big", running("berlin"))
	s.awaitApp("small", running("berlin"))
	s.forget("small")
	s.awaitObjects(berlin, "small", 0)
	s.awaitLeftovers(0)
	s.forget("big")
	l := s.awaitLeftover(25)
	if !strings.Contains(l.Status.Message, "rok kube leftover approve -n "+s.space) {
		t.Errorf("its message is %q", l.Status.Message)
	}
	s.awaitEvent("Leftover", l.Metadata.Name, "RemovalWaits", "25 objects")
	s.mustHave(berlin, "big", 25)
	approval := api.RemovalApproval{UIDs: waiting(s, s.leftovers, l)}
	if _, err := s.leftovers.Do(s.Context(), s.space, l.Metadata.Name, "approval", approval); err != nil {
		t.Fatal(err)
	}
	s.awaitLeftovers(0)
	s.mustHave(berlin, "big", 0)
}

// What runs elsewhere after a move is still there, so a move waits for nobody. What the manifest has lost on the way is not.
func TestAMoveWaitsForNoApprovalOfWhatItHasMoved(t *testing.T) {
	both := sites(t, "berlin", "vienna")
	berlin, vienna := both[0], both[1]
	t.Parallel()
	s := sceneOn(t, ownKrake(t, server.Config{Settings: guarded()}))
	s.join("berlin", berlin)
	s.join("vienna", vienna)
	s.create("whole", "berlin", configs("whole", 25))
	s.create("cut", "berlin", configs("cut", 25))
	s.create("strict", "berlin", configs("strict", 25), func(a *api.Application) { a.Spec.MigrationStrategy = api.MigrateDeleteFirst })
	for _, name := range []string{"whole", "cut", "strict"} {
		s.awaitApp(name, running("berlin"))
	}
	s.send("whole", "vienna")
	s.awaitApp("whole", running("vienna"), nothingWaits)
	s.awaitObjects(berlin, "whole", 0)
	s.mustHave(vienna, "whole", 25)
	s.awaitLeftovers(0)

	lose := func(a *api.Application) {
		a.Spec.Manifest, a.Spec.Constraints.Cluster.Labels = a.Spec.Manifest[:1], s.labels("vienna")
	}
	s.edit("cut", lose)
	s.awaitApp("cut", running("vienna"), nothingWaits)
	s.awaitLeftover(25)
	s.mustHave(berlin, "cut", 25)

	s.edit("strict", lose) // which must not be twice: it stays as it is until somebody has approved what it would lose
	a := s.awaitApp("strict", inState(api.AppMigrating), waits(24))
	s.mustHave(berlin, "strict", 25)
	s.mustHave(vienna, "strict", 0)
	if err := s.approve("strict", waiting(s, s.apps, a)...); err != nil {
		t.Fatal(err)
	}
	s.awaitApp("strict", running("vienna"), nothingWaits)
	s.mustHave(berlin, "strict", 0)
	s.mustHave(vienna, "strict", 1)
}
