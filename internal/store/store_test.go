package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	clientv3 "go.etcd.io/etcd/client/v3"
)

func TestARestartKeepsDataAndRevisions(t *testing.T) {
	o := Options{Dir: filepath.Join(t.TempDir(), "data")}
	s := open(t, o)
	created := commit(t, s, Put("/a", []byte(`{"v":1}`)))
	modified := commit(t, s, Put("/a", []byte(`{"v":2}`)))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open(t, o)
	got, err := s.Get(t.Context(), "/a")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Record{"/a", []byte(`{"v":2}`), modified, created}, got); diff != "" {
		t.Error(diff)
	}
	if revision := commit(t, s, Delete("/a")); revision != modified+1 {
		t.Errorf("the next commit has revision %d after %d", revision, modified)
	}
}

func TestTheDataDirectoryIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	open(t, Options{Dir: dir})
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

func TestOpeningAndClosingIsSilent(t *testing.T) {
	var log bytes.Buffer
	o := Options{Dir: filepath.Join(t.TempDir(), "data"), Logger: slog.New(slog.NewTextHandler(&log, nil))}
	for range 2 {
		s := open(t, o)
		watch(t, s, "", Cursor{})
		commit(t, s, Put("/a", []byte(`{}`)))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if log.Len() > 0 {
		t.Errorf("the log says:\n%s", &log)
	}
}

func TestAfterCloseEverythingSaysSo(t *testing.T) {
	ctx := t.Context()
	s := open(t, Options{})
	w := watch(t, s, "/a", Cursor{})
	ended := make(chan error)
	go func() {
		_, err := w.Next(context.Background())
		ended <- err
	}()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, get := s.Get(ctx, "/a")
	_, _, list := s.List(ctx, "/")
	_, write := s.Commit(ctx, Txn{Do: []Op{Delete("/a")}})
	_, revision := s.Revision(ctx)
	_, opened := s.Watch(ctx, "/a", Cursor{})
	for what, err := range map[string]error{
		"a blocked Next": <-ended, "Get": get, "List": list, "Commit": write, "Revision": revision,
		"Watch": opened, "Compact": s.Compact(ctx, 1),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s gives %v", what, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("the second close: %v", err)
	}
}

func TestAnAbsentKeyIsNotFound(t *testing.T) {
	s := open(t, Options{})
	if _, err := s.Get(t.Context(), "/none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Get gives %v", err)
	}
	records, revision, err := s.List(t.Context(), "/none/")
	if len(records) != 0 || revision != 1 || err != nil {
		t.Errorf("List gives %v %d %v", records, revision, err)
	}
}

func TestAListIsSortedByTheBytesOfTheKeys(t *testing.T) {
	s := open(t, Options{})
	for _, name := range []string{"a:b", "a", "A", "a.b", "a-b", "ab", "0"} {
		commit(t, s, Put("/core/roles/"+name, []byte(`{}`)))
	}
	commit(t, s, Put("/core/roles2/x", []byte(`{}`)))
	records, _, err := s.List(t.Context(), "/core/roles/")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range records {
		names = append(names, strings.TrimPrefix(r.Key, "/core/roles/"))
	}
	if diff := cmp.Diff([]string{"0", "A", "a", "a-b", "a.b", "a:b", "ab"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestABrokenRecordIsReportedAndHurtsNoOther(t *testing.T) {
	var log bytes.Buffer
	s := open(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	w := watch(t, s, "/a/", Cursor{})
	commit(t, s, Put("/a/1", []byte(`{"v":1}`)))
	if _, err := s.client.Put(t.Context(), "/a/2", "\x07 from the future"); err != nil {
		t.Fatal(err)
	}
	commit(t, s, Put("/a/3", []byte(`{"v":3}`)))

	records, _, err := s.List(t.Context(), "/a/")
	if err != nil || len(records) != 2 || records[0].Key != "/a/1" || records[1].Key != "/a/3" {
		t.Errorf("List gives %v %v", records, err)
	}
	var broken *BrokenError
	if _, err := s.Get(t.Context(), "/a/2"); !errors.Is(err, ErrBroken) || !errors.As(err, &broken) || broken.Key != "/a/2" {
		t.Errorf("Get gives %v", err)
	}
	read := broken.Revision
	if first := next(t, w); first.Key != "/a/1" {
		t.Errorf("Watch gives %v", first)
	}
	event, err := w.Next(t.Context())
	if !errors.As(err, &broken) || event.Key != "/a/2" || event.Type != Added || event.Value != nil || broken.Revision != event.Revision || read != event.Revision {
		t.Errorf("Watch gives %v, %v for the broken one", event, err)
	}
	if third := next(t, w); third.Key != "/a/3" {
		t.Errorf("Watch gives %v", third)
	}
	if _, err := s.Commit(t.Context(), Txn{If: []Condition{Unchanged("/a/2", read)}, Do: []Op{Delete("/a/2")}}); err != nil {
		t.Errorf("removing the broken one gives %v", err)
	}
	if got := strings.Count(log.String(), "unknown frame version 7"); got != 2 {
		t.Errorf("reported %d times, want once by the list and once by the watch:\n%s", got, &log)
	}
}

func TestDocumentsOfTheReferenceAreReadAndSmallOnesStayReadable(t *testing.T) {
	s := open(t, Options{})
	document := `{"api": "core", "kind": "Role"}`
	if _, err := s.client.Put(t.Context(), "/theirs", document); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(t.Context(), "/theirs"); err != nil || string(got.Value) != document {
		t.Errorf("theirs is %q %v", got.Value, err)
	}
	commit(t, s, Put("/ours", []byte(document)))
	answer, err := s.client.Get(t.Context(), "/ours")
	if err != nil || string(answer.Kvs[0].Value) != document {
		t.Errorf("ours is %q %v", answer.Kvs[0].Value, err)
	}
}

func TestFreeSpaceIsGivenBackAtTheStart(t *testing.T) {
	o := Options{Dir: filepath.Join(t.TempDir(), "data")}
	s := open(t, o)
	noise := make([]byte, 6<<20)
	rand.Read(noise)
	for _, key := range []string{"/1", "/2", "/3", "/4"} {
		commit(t, s, Put(key, noise))
	}
	revision := commit(t, s, DeletePrefix("/"))
	if _, err := s.client.Compact(t.Context(), revision, clientv3.WithCompactPhysical()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before := databaseSize(t, o.Dir)
	open(t, o)
	if after := databaseSize(t, o.Dir); before < defragmentFrom || after > before/4 {
		t.Errorf("the database has %d bytes, before %d", after, before)
	}
}

func databaseSize(t *testing.T, dir string) int64 {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, "member", "snap", "db"))
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
