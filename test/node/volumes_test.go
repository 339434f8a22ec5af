//go:build node

package node

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rak-n-rok/krake/internal/kubelabtest"
	"github.com/rak-n-rok/krake/internal/transfer"
)

const volumeImage = "krake.test/volume:1"

// disks are two volumes of a cluster, each a folder of this machine. A claim gets its volume when a pod has it.
const disks = `
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: %[1]s}
provisioner: kubernetes.io/no-provisioner
volumeBindingMode: WaitForFirstConsumer
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: %[1]s-one, labels: {disk: one}}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  storageClassName: %[1]s
  persistentVolumeReclaimPolicy: Retain
  hostPath: {path: %[2]q, type: Directory}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: %[1]s-two, labels: {disk: two}}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  storageClassName: %[1]s
  persistentVolumeReclaimPolicy: Retain
  hostPath: {path: %[3]q, type: Directory}
`

// keeper has a claim of its own, and one that a StatefulSet makes.
const keeper = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: %[1]s-files}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: %[1]s
  resources: {requests: {storage: 1Gi}}
  selector: {matchLabels: {disk: one}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s}
spec:
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: guest, image: "krake.test/guest:1", volumeMounts: [{name: v, mountPath: /files}]}]
      volumes: [{name: v, persistentVolumeClaim: {claimName: %[1]s-files}}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: %[1]s-db}
spec:
  serviceName: %[1]s-db
  selector: {matchLabels: {app: %[1]s-db}}
  template:
    metadata: {labels: {app: %[1]s-db}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: guest, image: "krake.test/guest:1", volumeMounts: [{name: data, mountPath: /data}]}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec:
      accessModes: [ReadWriteOnce]
      storageClassName: %[1]s
      resources: {requests: {storage: 1Gi}}
      selector: {matchLabels: {disk: two}}
---
apiVersion: v1
kind: Service
metadata: {name: %[1]s}
spec: {type: NodePort, ports: [{port: 8080}], selector: {app: %[1]s}}
`

// files is an application with files on the first of two clusters.
type files struct {
	*krake
	name   string
	folder map[string][2]string // of the volumes, by cluster
}

// newFiles starts a Krake that copies volumes, and an application that has some.
func newFiles(t *testing.T, name, data string) *files {
	t.Helper()
	k := newKrake(t, "--volume-image", volumeImage)
	for image, source := range map[string]string{volumeImage: "../../cmd/krake-volume", "krake.test/guest:1": "./guest"} {
		program := filepath.Join(t.TempDir(), "program")
		build := exec.Command("go", "build", "-o", program, source)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		kubelabtest.Image(t, image, program)
	}
	f := &files{k, name, map[string][2]string{}}
	for cluster, location := range map[string]string{"berlin": "DE", "bratislava": "SK"} {
		f.folder[cluster] = [2]string{t.TempDir(), t.TempDir()}
		disks := fmt.Sprintf(disks, name, f.folder[cluster][0], f.folder[cluster][1])
		k.rok("kube", "app", "create", "-f", k.file(disks), "-L", "location is "+location, "--wait", "running", name+"-disks-"+cluster)
		t.Cleanup(func() { _, _ = k.tryRok("kube", "app", "delete", name+"-disks-"+cluster) })
	}
	k.rok("kube", "app", "create", "-f", k.file(fmt.Sprintf(keeper, name)), "-L", "location is DE", "--migration-data", data, name)
	k.awaitRunning(name, "berlin")
	k.awaitHealthy(name)
	return f
}

func (k *krake) file(content string) string {
	k.Helper()
	name := filepath.Join(k.TempDir(), "manifest.yaml")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		k.Fatal(err)
	}
	return name
}

// awaitHealthy waits until all pods of an application are ready.
func (k *krake) awaitHealthy(name string) {
	k.Helper()
	k.await(name+" being healthy", func() error {
		app, err := k.app(k.Context(), name)
		if err == nil && !strings.Contains(string(app.Status.Conditions), `"type":"Healthy","status":"True"`) {
			err = errors.New(string(app.Status.Conditions))
		}
		return err
	})
}

// fill writes files on both volumes of a cluster; many bytes of them on the first one.
func (f *files) fill(cluster string, large int) {
	f.Helper()
	for i, folder := range f.folder[cluster] {
		content := make([]byte, 1<<20)
		_, _ = rand.Read(content)
		must(f, os.MkdirAll(filepath.Join(folder, "a/b c"), 0o750))
		must(f, os.WriteFile(filepath.Join(folder, "a/b c/random"), content, 0o640))
		must(f, os.WriteFile(filepath.Join(folder, "which"), []byte(strconv.Itoa(i)), 0o600))
		must(f, os.Chown(filepath.Join(folder, "which"), 1234, 4321))
		must(f, os.Symlink("which", filepath.Join(folder, "link")))
	}
	must(f, os.WriteFile(filepath.Join(f.folder[cluster][0], "large"), nil, 0o600))
	must(f, os.Truncate(filepath.Join(f.folder[cluster][0], "large"), int64(large)))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// content lists what is on the volumes of a cluster.
func (f *files) content(cluster string) string {
	f.Helper()
	var out bytes.Buffer
	for _, folder := range f.folder[cluster] {
		must(f, transfer.List(folder, &out))
	}
	return strings.ReplaceAll(out.String(), "#\n", "") // a sign of life while a long file is read
}

// leftover is what is read of one.
type leftover struct {
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		KeepUntil *string `json:"keep_until"`
		Objects   []struct {
			Kind string `json:"kind"`
			Name string `json:"name"`
		} `json:"objects"`
	} `json:"spec"`
}

// kept reads what is kept of files.
func (f *files) kept() (out []leftover) {
	f.Helper()
	var list []leftover
	must(f, json.Unmarshal([]byte(f.rok("kube", "leftover", "list", "-o", "json")), &list))
	for _, l := range list {
		if l.Spec.KeepUntil != nil {
			out = append(out, l)
		}
	}
	return out
}

// approve gives up what is kept, and waits until it is gone.
func (f *files) approve() {
	f.Helper()
	for _, l := range f.kept() {
		f.await("what is kept being told", func() error {
			_, err := f.tryRok("kube", "leftover", "approve", "--yes", l.Metadata.Name)
			return err
		})
	}
	f.await("the end of what was kept", func() error {
		if list := f.rok("kube", "leftover", "list"); strings.Contains(list, ".data") {
			return errors.New(list)
		}
		return nil
	})
}

// D7: the files of an application arrive with it, the same by their checksums, and the source keeps its own for a while.
func TestFilesComeAlong(t *testing.T) {
	f := newFiles(t, "keeper", "COPY")
	f.fill("berlin", 0)
	before := f.content("berlin")
	f.rok("kube", "app", "update", "-L", "location is SK", f.name)
	f.awaitRunning(f.name, "bratislava")
	f.awaitHealthy(f.name)
	if got := f.content("bratislava"); got != before {
		t.Errorf("on the target are\n%swant\n%s", got, before)
	}
	if got := f.content("berlin"); got != before {
		t.Errorf("on the source are\n%swant\n%s", got, before)
	}
	kept := f.kept()
	if len(kept) != 1 || len(kept[0].Spec.Objects) != 2 {
		t.Fatalf("kept are %+v", kept)
	}
	f.awaitInSync(f.name)
	f.approve()
	f.remove(f.name)
}

// awaitInSync waits until clusters hold what was asked for: nothing more, and nothing less.
func (k *krake) awaitInSync(name string) {
	k.Helper()
	k.await(name+" being in sync", func() error {
		app, err := k.app(k.Context(), name)
		if err == nil && !strings.Contains(string(app.Status.Conditions), `"type":"InSync","status":"True"`) {
			err = errors.New(string(app.Status.Conditions))
		}
		return err
	})
}

// A pod that is killed while it receives files costs an attempt and nothing else.
func TestCopyingThatBreaksOffIsBegunAnew(t *testing.T) {
	f := newFiles(t, "stubborn", "COPY")
	f.fill("berlin", 256<<20)
	before := f.content("berlin")
	f.rok("kube", "app", "update", "-L", "location is SK", f.name)
	f.breakOff()
	f.awaitRunning(f.name, "bratislava")
	if f.content("bratislava") != before || f.content("berlin") != before {
		t.Error("files were lost")
	}
	f.remove(f.name)
}

// What fails again and again is undone: the application is back where its files are, and has lost none.
func TestCopyingThatNeverWorksIsUndone(t *testing.T) { // D8
	f := newFiles(t, "hopeless", "COPY")
	f.fill("berlin", 256<<20)
	before := f.content("berlin")
	f.rok("kube", "app", "update", "-L", "location is SK", f.name)
	// It is killed as often as it takes: an attempt may fail by itself as well.
	f.await("the move being given up", func() error {
		_, _ = killReceiver()
		app, err := f.app(f.Context(), f.name)
		if conditions := string(app.Status.Conditions); err == nil && !strings.Contains(conditions, "the files could not be copied") {
			err = errors.New(conditions)
		}
		return err
	})
	f.rok("kube", "app", "update", "-L", "location is DE", f.name)
	f.awaitRunning(f.name, "berlin")
	f.awaitHealthy(f.name)
	f.awaitInSync(f.name)
	if f.content("berlin") != before {
		t.Error("files were lost")
	}
	if kept := f.kept(); len(kept) != 0 {
		t.Errorf("kept are %+v", kept)
	}
	f.remove(f.name)
}

// A server that is killed while it copies goes on when it is started again.
func TestCopyingOutlivesTheServer(t *testing.T) {
	f := newFiles(t, "patient", "COPY")
	f.fill("berlin", 256<<20)
	before := f.content("berlin")
	f.rok("kube", "app", "update", "-L", "location is SK", f.name)
	f.await("files being received", func() error {
		_, err := process("receive", "")
		return err
	})
	f.restart()
	f.awaitRunning(f.name, "bratislava")
	f.awaitHealthy(f.name)
	if f.content("bratislava") != before || f.content("berlin") != before {
		t.Error("files were lost")
	}
	if kept := f.kept(); len(kept) != 1 {
		t.Errorf("kept are %+v", kept)
	}
	f.remove(f.name)
}

// breakOff waits for a program that receives files, and kills the first process of its container.
func (f *files) breakOff() {
	f.Helper()
	killed := 0
	f.await("files being received", func() (err error) {
		killed, err = killReceiver()
		return err
	})
	f.await("the end of what received them", func() error {
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", killed)); err == nil {
			return errors.New("it is there")
		}
		return nil
	})
}

// killReceiver ends the container in which files are received, and returns the process that has received them.
func killReceiver() (receiver int, err error) {
	if receiver, err = process("receive", ""); err != nil {
		return 0, err
	}
	space, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", receiver))
	if err != nil {
		return 0, err
	}
	first, err := process("wait", space)
	if err != nil {
		return 0, err
	}
	return receiver, syscall.Kill(first, syscall.SIGKILL)
}

// process finds one of krake-volume that has this order, in a namespace of processes if one is named.
func process(order, space string) (int, error) {
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return 0, err
	}
	for _, file := range all {
		content, err := os.ReadFile(file)
		words := strings.Split(strings.TrimSuffix(string(content), "\x00"), "\x00")
		if err != nil || len(words) < 2 || len(words) > 3 || words[1] != order || len(words) == 3 && words[2] != "/volume" {
			continue
		}
		folder := filepath.Dir(file)
		if in, _ := os.Readlink(filepath.Join(folder, "ns/pid")); space == "" || in == space {
			return strconv.Atoi(filepath.Base(folder))
		}
	}
	return 0, fmt.Errorf("no process has the order %s", order)
}

// A volume that holds something is not copied to: the move is undone, and nothing is lost on either side.
func TestNothingIsOverwritten(t *testing.T) {
	f := newFiles(t, "careful", "COPY")
	f.fill("berlin", 0)
	f.fill("bratislava", 0)
	source, target := f.content("berlin"), f.content("bratislava")
	f.rok("kube", "app", "update", "-L", "location is SK", f.name)
	f.await("the move being given up", func() error {
		app, err := f.app(f.Context(), f.name)
		if conditions := string(app.Status.Conditions); err == nil && !strings.Contains(conditions, `is not empty: it holds \"a\"`) {
			err = errors.New(conditions)
		}
		return err
	})
	f.rok("kube", "app", "update", "-L", "location is DE", f.name)
	f.awaitRunning(f.name, "berlin")
	f.awaitHealthy(f.name)
	if f.content("berlin") != source || f.content("bratislava") != target {
		t.Error("files were changed")
	}
	if kept := f.kept(); len(kept) != 0 {
		t.Errorf("kept are %+v", kept)
	}
	f.remove(f.name)
}
