package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// holdVariable makes the test binary a process that holds a data directory.
const holdVariable = "KRAKE_STORE_TEST_HOLD"

// hold opens the directory, commits once, prints the revision and waits to be
// killed, or for the end of its input.
func hold(dir string) {
	s, err := Open(context.Background(), Options{Dir: dir, Owner: "listening on 127.0.0.1:8080", Logger: quiet})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	revision, err := s.Commit(context.Background(), Txn{Do: []Op{Put("/core/roles/held", []byte(`{"held":true}`))}})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(revision)
	bufio.NewReader(os.Stdin).ReadByte()
	os.Exit(0)
}

func TestADirectoryInUseIsRefusedAndSurvivesTheKillOfItsHolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	holder := exec.Command(os.Args[0])
	holder.Env = append(os.Environ(), holdVariable+"="+dir)
	if _, err := holder.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	revision, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if err != nil {
		t.Fatalf("the holder says %q", line)
	}

	_, err = Open(t.Context(), Options{Dir: dir, Logger: quiet})
	var locked *LockedError
	want := fmt.Sprintf("process %d, listening on 127.0.0.1:8080", holder.Process.Pid)
	if !errors.As(err, &locked) || locked.Holder != want || locked.Dir != dir {
		t.Fatalf("opening a directory in use gives %v, want the holder %q", err, want)
	}

	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	holder.Wait() // reports the kill
	s := open(t, Options{Dir: dir})
	got, err := s.Get(t.Context(), "/core/roles/held")
	if err != nil || got.Revision != revision {
		t.Errorf("after the kill: %v %v, want the write of revision %d", got, err, revision)
	}
}

func TestTheSameProcessCannotOpenADirectoryTwice(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := open(t, Options{Dir: dir})
	if _, err := Open(t.Context(), Options{Dir: dir, Logger: quiet}); !errors.As(err, new(*LockedError)) {
		t.Errorf("the second opening gives %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, Options{Dir: dir})
}
