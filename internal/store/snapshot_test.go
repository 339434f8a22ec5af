package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
)

// save writes a snapshot to a file.
func save(t *testing.T, s *Store) string {
	t.Helper()
	var data bytes.Buffer
	if err := s.Snapshot(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "snapshot")
	if err := os.WriteFile(file, data.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// A snapshot is of one moment though others write: two keys that are always written together are the same in it.
func TestASnapshotIsOfOneMoment(t *testing.T) {
	s := open(t, Options{})
	stop := make(chan struct{})
	var writers errgroup.Group
	for w := range 4 {
		writers.Go(func() error {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return nil
				default:
				}
				value := fmt.Appendf(nil, `{"n":%d}`, i)
				if _, err := s.Commit(t.Context(), Txn{Do: []Op{Put(fmt.Sprint("/a/x/", w), value), Put(fmt.Sprint("/b/x/", w), value)}}); err != nil {
					return err
				}
			}
		})
	}
	eventually(t, func() bool { return s.Stats().Commits > 200 })
	before, errBefore := s.Revision(t.Context())
	file := save(t, s)
	after, errAfter := s.Revision(t.Context())
	close(stop)
	if err := errors.Join(writers.Wait(), errBefore, errAfter); err != nil {
		t.Fatal(err)
	}
	info, err := InspectSnapshot(t.Context(), file)
	if err != nil || info.Keys["/a/x"] != 4 || info.Keys["/b/x"] != 4 || info.Revision < before || info.Revision > after {
		t.Errorf("%+v, %v; taken between %d and %d", info, err, before, after)
	}
	dir := filepath.Join(t.TempDir(), "restored")
	if err := RestoreSnapshot(file, dir); err != nil {
		t.Fatal(err)
	}
	restored := open(t, Options{Dir: dir})
	for w := range 4 {
		a, errA := restored.Get(t.Context(), fmt.Sprint("/a/x/", w))
		b, errB := restored.Get(t.Context(), fmt.Sprint("/b/x/", w))
		if errA != nil || errB != nil || !bytes.Equal(a.Value, b.Value) {
			t.Errorf("%d: %s %v, %s %v", w, a.Value, errA, b.Value, errB)
		}
	}
}

// Whoever knew the database of before must list again, and sees every change from then on.
func TestARestoredDatabaseContinuesAboveWhatAnybodyKnew(t *testing.T) {
	s := open(t, Options{})
	commit(t, s, Put("/a/1", []byte(`{"v":1}`)))
	file := save(t, s)
	known := commit(t, s, Put("/a/2", []byte(`{"v":2}`))) // which the snapshot has not
	dir := filepath.Join(t.TempDir(), "restored")
	if err := RestoreSnapshot(file, dir); err != nil {
		t.Fatal(err)
	}
	r := open(t, Options{Dir: dir})
	if _, err := r.Watch(t.Context(), "/a/", Cursor{Revision: known}); !errors.Is(err, ErrCompacted) {
		t.Errorf("a cursor of before gave %v", err)
	}
	records, revision, err := r.List(t.Context(), "/a/")
	if err != nil || len(records) != 1 || revision <= known {
		t.Fatalf("%v at %d after %d, %v", records, revision, known, err)
	}
	w := watch(t, r, "/a/", Cursor{Revision: revision})
	if now := commit(t, r, Put("/a/3", []byte(`{}`))); now <= revision {
		t.Errorf("revision %d follows %d", now, revision)
	}
	if e := next(t, w); e.Key != "/a/3" {
		t.Errorf("the watch told of %s", e.Key)
	}
	if _, err := r.Commit(t.Context(), Txn{If: []Condition{Unchanged("/a/1", records[0].Revision)}, Do: []Op{Delete("/a/1")}}); err != nil {
		t.Errorf("a restored record cannot be changed: %v", err)
	}
}

func TestWhatIsNoSnapshotIsRefused(t *testing.T) {
	s := open(t, Options{})
	commit(t, s, Put("/a/1", []byte(`{}`)))
	file := save(t, s)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	altered := bytes.Clone(data)
	altered[len(altered)/2] ^= 1
	for name, c := range map[string]struct {
		data []byte
		part string
	}{
		"empty":   {nil, "cannot be right"},
		"cut off": {data[:len(data)-1000], "is no snapshot"},
		"halved":  {data[:len(data)/1024*512], "cannot be right"},
		"altered": {altered, "checksum"},
		"a text":  {bytes.Repeat([]byte("x"), 544), "checksum"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := filepath.Join(t.TempDir(), "bad")
			if err := os.WriteFile(bad, c.data, 0o600); err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "restored")
			if err := RestoreSnapshot(bad, dir); err == nil || !strings.Contains(err.Error(), c.part) {
				t.Errorf("got %v, want %s", err, c.part)
			}
			if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
				t.Error("a directory was left")
			}
		})
	}
	exists := t.TempDir()
	if err := RestoreSnapshot(file, exists); err == nil || !strings.Contains(err.Error(), "nothing is overwritten") {
		t.Error(err)
	}
	if err := RestoreSnapshot(filepath.Join(exists, "none"), filepath.Join(exists, "new")); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Error(err)
	}
}
