package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/server"
)

var (
	claims            = schema.GroupVersionResource{Version: "v1", Resource: "persistentvolumeclaims"}
	persistentVolumes = schema.GroupVersionResource{Version: "v1", Resource: "persistentvolumes"}
)

// filed is an application with files. Nothing can be written to them here, where no containers run: what does become of
// files is tested by package node.
const filed = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: files, namespace: SPACE}
spec: {accessModes: [ReadWriteOnce], storageClassName: SPACE, resources: {requests: {storage: 1Mi}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: SPACE}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: SPACE}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "web:1.10", volumeMounts: [{name: v, mountPath: /files}]}]
      volumes: [{name: v, persistentVolumeClaim: {claimName: files}}]
`

// shelves makes a volume for the scene on each cluster.
func (s *scene) shelves(on ...*site) {
	s.Helper()
	for _, site := range on {
		site.create(s, persistentVolumes, strings.ReplaceAll(`
apiVersion: v1
kind: PersistentVolume
metadata: {name: SPACE}
spec: {capacity: {storage: 1Mi}, accessModes: [ReadWriteOnce], storageClassName: SPACE, hostPath: {path: /nowhere}}
`, "SPACE", s.space))
		s.Cleanup(func() { site.remove(s, persistentVolumes, "", s.space) })
	}
}

// uid is that of an object on a cluster, empty if there is none.
func (s *scene) uid(on *site, kind schema.GroupVersionResource, name string) string {
	s.Helper()
	if live := on.find(s, kind, s.space, name); live != nil {
		return string(live.GetUID())
	}
	return ""
}

// awaitNone waits until an object is gone from a cluster.
func (s *scene) awaitNone(on *site, kind schema.GroupVersionResource, name string) {
	s.Helper()
	s.await("the end of "+name, func() error {
		if uid := s.uid(on, kind, name); uid != "" {
			return errors.New("it is there: " + uid)
		}
		return nil
	})
}

// awaitKept waits until the only leftover keeps one claim, and says so.
func (s *scene) awaitKept() (l *api.Leftover) {
	s.Helper()
	s.await("files to be kept", func() error {
		all, _, err := s.leftovers.List(s.Context(), s.space)
		if err != nil || len(all) != 1 {
			return fmt.Errorf("there are %v, %w", leftoverNames(all), err)
		}
		l = all[0]
		if l.Spec.KeepUntil == nil || len(l.Spec.Objects) != 1 {
			return fmt.Errorf("it is %+v", l.Spec)
		}
		return asWanted(l.Status.Conditions.Get(api.AwaitingApproval), api.True, api.KeptFiles, "1 object stays until 20")
	})
	return l
}

// moveFiled moves an application with files away from the first of two clusters, and returns the claim that it leaves.
func (s *scene) moveFiled(on []*site, data api.MigrationData) (claim string) {
	s.Helper()
	s.join("berlin", on[0])
	s.join("bratislava", on[1])
	s.shelves(on...)
	s.create("web", "berlin", filed, func(a *api.Application) { a.Spec.MigrationData = data })
	s.awaitApp("web", running("berlin"), healthy)
	claim = s.uid(on[0], claims, "files")
	s.send("web", "bratislava")
	return claim
}

// Whatever moves an application, its files are not deleted with what it leaves.
func TestFilesThatAreLeftBehindAreKept(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	s := newScene(t)
	claim := s.moveFiled(on, api.DataNone)
	s.awaitApp("web", running("bratislava"), healthy, settled, synced)
	if got := s.uid(on[0], claims, "files"); got != claim {
		t.Errorf("the claim on the source was %q, and is %q", claim, got)
	}
	s.awaitNone(on[0], deployments, "web")
	s.awaitNone(on[0], configMaps, "settings")
	for _, o := range s.inventory("web") {
		if o.Cluster != s.cluster("bratislava").Status.Identity {
			t.Errorf("it still has %+v", o)
		}
	}
	l := s.awaitKept()
	approval := api.RemovalApproval{UIDs: waiting(s, s.leftovers, l)}
	if _, err := s.leftovers.Do(s.Context(), s.space, l.Metadata.Name, "approval", approval); err != nil {
		t.Fatal(err)
	}
	s.awaitLeftovers(0)
	s.awaitNone(on[0], claims, "files")
	if s.uid(on[1], claims, "files") == "" {
		t.Error("the new claim is gone, too")
	}
}

func TestKeptFilesGoWithTheApplicationThatSomebodyDeletes(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	s := newScene(t)
	s.moveFiled(on, api.DataLeave)
	s.awaitApp("web", running("bratislava"), healthy, settled)
	s.awaitKept()
	if _, err := s.apps.Delete(s.Context(), s.space, "web", client.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	s.awaitLeftovers(0)
	s.awaitNone(on[0], claims, "files")
	s.awaitNone(on[1], claims, "files")
}

// It comes back to the files that it left, and nobody takes them away from it.
func TestAnApplicationMayComeBackToItsFiles(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	s := newScene(t)
	claim := s.moveFiled(on, api.DataLeave)
	s.awaitApp("web", running("bratislava"), healthy, settled)
	l := s.awaitKept()
	approval := api.RemovalApproval{UIDs: waiting(s, s.leftovers, l)}
	s.send("web", "berlin")
	s.awaitApp("web", running("berlin"), healthy, settled)
	// The leftover may have noticed already that the application has its files again, and refuse.
	if _, err := s.leftovers.Do(s.Context(), s.space, l.Metadata.Name, "approval", approval); err != nil && !client.Conflict(err) && !client.NotFound(err) {
		t.Fatal(err)
	}
	s.send("web", "bratislava")
	s.awaitApp("web", running("bratislava"), healthy, settled)
	s.send("web", "berlin")
	s.awaitApp("web", running("berlin"), healthy, settled, synced)
	if got := s.uid(on[0], claims, "files"); got != claim {
		t.Errorf("the claim was %q, and is %q", claim, got)
	}
}

func TestKeptFilesGoWhenTheirTimeIsOver(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	t.Parallel()
	settings, none := quick, time.Duration(0)
	settings.KeepVolumes = &none
	s := sceneOn(t, ownKrake(t, server.Config{Settings: settings}))
	s.moveFiled(on, api.DataNone)
	s.awaitApp("web", running("bratislava"), healthy, settled)
	s.awaitLeftovers(0)
	s.awaitNone(on[0], claims, "files")
}

// What cannot be copied stays, and is not even stopped.
func TestAnApplicationStaysWhoseFilesCannotBeCopied(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	s := newScene(t)
	claim := s.moveFiled(on, api.DataCopy)
	deployment := s.uid(on[0], deployments, "web")
	s.awaitApp("web", inState(api.AppRunning), ranOn("berlin"), gaveUp("has no image to copy volumes with (--volume-image)"))
	if s.uid(on[0], claims, "files") != claim || s.uid(on[0], deployments, "web") != deployment {
		t.Error("it was stopped")
	}
	s.awaitNone(on[1], claims, "files")
}

// Here no commands can be run in containers: that is found out before anything is stopped.
func TestAnApplicationIsNotStoppedForATargetThatCannotTakeItsFiles(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	t.Parallel()
	settings := quick
	settings.VolumeImage, settings.MoveTimeout = "krake.test/volume:1", 20*time.Second
	s := sceneOn(t, ownKrake(t, server.Config{Settings: settings}))
	claim := s.moveFiled(on, api.DataCopy)
	before := s.uid(on[0], deployments, "web")
	s.awaitApp("web", inPhase(api.PhaseClaiming))
	s.awaitApp("web", ranOn("berlin"), gaveUp("no place for the files on the target in time"))
	s.stayed(on, claim, before)
}

// stayed checks that an application was not stopped for a move that came to nothing, and that nothing is left of that.
func (s *scene) stayed(on []*site, claim, deployment string) {
	s.Helper()
	s.edit("web", func(a *api.Application) { a.Spec.Constraints.Cluster.Labels = s.labels("berlin") })
	s.awaitApp("web", inState(api.AppRunning), ranOn("berlin"), healthy, synced)
	if after := s.uid(on[0], deployments, "web"); after != deployment {
		s.Errorf("the workload was %q, and is %q", deployment, after)
	}
	if got := s.uid(on[0], claims, "files"); got != claim {
		s.Errorf("the claim was %q, and is %q", claim, got)
	}
	s.awaitNone(on[1], claims, "files")
	for _, site := range on {
		s.await("the end of all helpers", func() error {
			if left := site.marked(s, pods, s.space); len(left) > 0 {
				return fmt.Errorf("there are %v", left)
			}
			return nil
		})
	}
	s.awaitLeftovers(0)
}

// A right that is missing is named, with the rule that gives it, and nothing was stopped in vain.
func TestTheRightToCopyFilesIsToldWhenItIsMissing(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	t.Parallel()
	settings := quick
	settings.VolumeImage = "krake.test/volume:1"
	s := sceneOn(t, ownKrake(t, server.Config{Settings: settings}))
	role := documentedRole(t)
	role.Object["rules"] = append(role.Object["rules"].([]any), map[string]any{
		"apiGroups": []any{""}, "resources": []any{"persistentvolumeclaims", "pods"},
		"verbs": []any{"get", "create", "patch", "delete", "list", "watch"},
	})
	s.register("berlin", s.projectUser(on[0], role))
	s.register("bratislava", s.projectUser(on[1], role))
	s.awaitCluster("berlin", api.ClusterOnline)
	s.awaitCluster("bratislava", api.ClusterOnline)
	s.shelves(on...)
	s.create("web", "berlin", filed, func(a *api.Application) { a.Spec.MigrationData = api.DataCopy })
	s.awaitApp("web", running("berlin"), healthy)
	claim, deployment := s.uid(on[0], claims, "files"), s.uid(on[0], deployments, "web")
	s.send("web", "bratislava")
	s.awaitApp("web", ranOn("berlin"), gaveUp(`resources: ["pods/exec"]`, "of a Role in the namespace "+s.space))
	s.stayed(on, claim, deployment)
}
