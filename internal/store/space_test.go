package store

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
)

func health(t *testing.T, s *Store) Health {
	t.Helper()
	h, err := s.Health(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestAFullDatabaseSaysSoAndTakesWritesAgainWhenThereIsSpace(t *testing.T) {
	s := open(t, Options{quota: 64 << 20})
	keeper := &spaceKeeper{store: s}
	kept := commit(t, s, Put("/kept", []byte(`{}`)))
	var err error
	for i := 0; err == nil; i++ {
		if i == 100 {
			t.Fatal("the database takes more than its quota")
		}
		_, err = s.Commit(t.Context(), Txn{Do: []Op{Put(fmt.Sprint("/noise/", i), randomBytes(6<<20))}})
	}
	if !errors.Is(err, ErrFull) {
		t.Fatalf("a write beyond the quota gives %v", err)
	}
	if h := health(t, s); !h.full() || h.Quota != 64<<20 {
		t.Errorf("its health is %+v", h)
	}
	if err := keeper.step(t.Context()); err != nil || !health(t, s).full() {
		t.Errorf("the alarm was lifted although nothing is free: %v", err)
	}
	revision := commit(t, s, DeletePrefix("/noise/")) // deletions are taken
	if _, err := s.client.Compact(t.Context(), revision, clientv3.WithCompactPhysical()); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { // etcd tells a little later that pages are free
		if err := keeper.step(t.Context()); err != nil {
			t.Fatal(err)
		}
		return !health(t, s).full()
	})
	if h := health(t, s); h.Size > 32<<20 {
		t.Errorf("its health is %+v", h)
	}
	commit(t, s, Put("/after", []byte(`{}`)))
	if got, err := s.Get(t.Context(), "/kept"); err != nil || got.Revision != kept {
		t.Errorf("what was there before: %v %v", got, err)
	}
}

func TestFreeSpaceIsGivenBackWhenItStaysFree(t *testing.T) {
	s := open(t, Options{})
	for i := range 4 {
		commit(t, s, Put(fmt.Sprint("/", i), randomBytes(6<<20)))
	}
	revision := commit(t, s, DeletePrefix("/"))
	if _, err := s.client.Compact(t.Context(), revision, clientv3.WithCompactPhysical()); err != nil {
		t.Fatal(err)
	}
	size := func() int64 { return health(t, s).Size }
	eventually(t, func() bool { h := health(t, s); return worthwhile(h.Size, h.InUse) }) // etcd tells it a little later
	before := size()
	keeper := &spaceKeeper{store: s}
	for look := 1; look <= enoughLooks; look++ {
		if size() != before {
			t.Errorf("given back before look %d", look)
		}
		if err := keeper.step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if after := size(); after > before/4 {
		t.Errorf("the database has %d bytes, before %d", after, before)
	}
}

// randomBytes cannot be compressed.
func randomBytes(n int) []byte {
	noise := make([]byte, n)
	_, _ = rand.Read(noise) // it never fails
	noise[0] = frameVersion // no JSON
	return noise
}

// diskVariable makes the test binary a process that works on a small disk of its own, mounted where only it sees it.
const diskVariable = "KRAKE_STORE_TEST_DISK"

func TestAFullDiskLosesNothing(t *testing.T) {
	for _, what := range []string{"reserve", "full"} {
		t.Run(what, func(t *testing.T) {
			if os.Geteuid() != 0 {
				const how = "a small disk needs root: run `sudo go test -run FullDisk ./internal/store`"
				if os.Getenv("CI") == "true" {
					t.Fatal(how)
				}
				t.Skip(how)
			}
			cmd := exec.Command(os.Args[0], "-test.run", "^TestOnASmallDisk$", "-test.v")
			cmd.Env = append(os.Environ(), diskVariable+"="+what)
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
			if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("PASS: TestOnASmallDisk")) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestOnASmallDisk is the part of TestAFullDiskLosesNothing within the mount namespace.
func TestOnASmallDisk(t *testing.T) {
	what := os.Getenv(diskVariable)
	if what == "" {
		return // it is called by TestAFullDiskLosesNothing
	}
	disk := t.TempDir()
	if err := syscall.Mount("", "/", "", syscall.MS_PRIVATE|syscall.MS_REC, ""); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("disk", disk, "tmpfs", 0, "size=512m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	if what == "reserve" {
		writesAreRefusedInTime(t, disk)
	} else {
		theProcessEndsWithAMessage(t, disk)
	}
}

// writesAreRefusedInTime has another program take the disk, and give it back.
func writesAreRefusedInTime(t *testing.T, disk string) {
	s := open(t, Options{Dir: filepath.Join(disk, "data")})
	kept := commit(t, s, Put("/kept", []byte(`{}`)), Put("/gone", []byte(`{}`)))
	fill(t, filepath.Join(disk, "other"), 100<<20)
	_, err := s.Commit(t.Context(), Txn{Do: []Op{Put("/new", []byte(`{}`))}})
	if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), disk) {
		t.Errorf("a write gives %v", err)
	}
	if got, err := s.Get(t.Context(), "/kept"); err != nil || got.Revision != kept {
		t.Errorf("a read gives %v %v", got, err)
	}
	commit(t, s, Delete("/gone"))
	if err := os.Remove(filepath.Join(disk, "other")); err != nil {
		t.Fatal(err)
	}
	commit(t, s, Put("/new", []byte(`{}`)))
}

// theProcessEndsWithAMessage has another program take the whole disk, so that nothing can be written.
func theProcessEndsWithAMessage(t *testing.T, disk string) {
	dir := filepath.Join(disk, "data")
	s := open(t, Options{Dir: dir})
	kept := commit(t, s, Put("/kept", []byte(`{}`)))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	fill(t, filepath.Join(disk, "other"), 0)
	holder := exec.Command(os.Args[0])
	holder.Env = append(os.Environ(), holdVariable+"="+dir)
	out, err := holder.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("no space left")) && !bytes.Contains(out, []byte("is full")) {
		t.Errorf("it ended with %v and said %s", err, out)
	}
	t.Logf("%s", out)
	if err := os.Remove(filepath.Join(disk, "other")); err != nil {
		t.Fatal(err)
	}
	s = open(t, Options{Dir: dir})
	if got, err := s.Get(t.Context(), "/kept"); err != nil || got.Revision != kept {
		t.Errorf("after the disk was full: %v %v", got, err)
	}
	commit(t, s, Put("/new", []byte(`{}`)))
}

// fill writes a file until so much is left on its disk.
func fill(t *testing.T, path string, left int64) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	free, err := freeOn(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.CopyN(file, zeros{}, free-left)
	if err != nil && !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
