package transfer

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// volume makes a folder with all that is copied, and some that is not.
func volume(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	path := func(name string) string { return filepath.Join(dir, name) }
	must(os.MkdirAll(path("a/b"), 0o755))
	must(os.MkdirAll(path(lostFound), 0o700))
	must(os.WriteFile(path(lostFound+"/#7"), []byte("found"), 0o600))
	must(os.WriteFile(path("a/empty"), nil, 0o600))
	must(os.WriteFile(path("a/long"), bytes.Repeat([]byte("0123456789abcdef"), 1<<17), 0o640))
	must(os.WriteFile(path("a/b/odd \"name\"\nof two lines"), []byte("x"), 0o604))
	must(os.WriteFile(path("run"), []byte("#!"), 0o755))
	must(os.Chmod(path("run"), 0o755|os.ModeSetuid))
	must(os.Link(path("a/long"), path("z-linked")))
	must(os.Symlink("/etc/passwd", path("elsewhere")))
	must(os.Symlink("nowhere", path("a/b/broken")))
	must(os.Chmod(path("a/b"), 0o555))
	must(os.Chtimes(path("a"), time.Unix(1e9, 0), time.Unix(1e9, 0)))
	if os.Getuid() == 0 {
		must(os.Chown(path("a/long"), 1234, 4321))
		must(os.Lchown(path("elsewhere"), 12, 34))
	}
	t.Cleanup(func() { _ = os.Chmod(path("a/b"), 0o755) })
	return dir
}

func stream(t *testing.T, volume string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Send(volume, &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func list(t *testing.T, volume string) string {
	t.Helper()
	var out strings.Builder
	if err := List(volume, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// target makes a folder that is removed whatever permissions it has got.
func target(t *testing.T) string {
	dir := t.TempDir()
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, "a/b"), 0o755) })
	return dir
}

func TestACopyHoldsTheSame(t *testing.T) {
	source, copied := volume(t), target(t)
	before := list(t, source)
	// What is there goes first, but for what the file system has for itself.
	for name, content := range map[string]string{"old/er": "stale", "run": "stale", lostFound + "/#9": "its own"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(copied, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(copied, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // what was begun once is done again
		if err := Receive(copied, bytes.NewReader(stream(t, source))); err != nil {
			t.Fatal(err)
		}
	}
	content, err := Compare(strings.NewReader(list(t, source)), strings.NewReader(list(t, copied)))
	if err != nil {
		t.Fatal(err)
	}
	if want := (Content{Files: 5, Bytes: 2*16<<17 + 3}); content != want {
		t.Errorf("it holds %+v, want %+v", content, want)
	}
	if list(t, source) != before {
		t.Error("the source was changed")
	}
	if _, err := os.Stat(filepath.Join(copied, lostFound, "#9")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(copied, lostFound, "#7")); err == nil {
		t.Error("what the file system of the source has for itself was copied")
	}
	if info, err := os.Stat(filepath.Join(copied, "a")); err != nil || info.ModTime().Unix() != 1e9 {
		t.Errorf("the folder's time is %v, %v", info.ModTime(), err)
	}
	one, err := os.Stat(filepath.Join(copied, "a/long"))
	if err != nil {
		t.Fatal(err)
	}
	if other, err := os.Stat(filepath.Join(copied, "z-linked")); err != nil || !os.SameFile(one, other) {
		t.Errorf("two names of one file are two files: %v", err)
	}
}

// Whatever a copy lacks is found.
func TestWhatIsNotTheSameIsFound(t *testing.T) {
	for name, harm := range map[string]func(dir string) error{
		"another content":     func(dir string) error { return os.WriteFile(filepath.Join(dir, "run"), []byte("#?"), 0o755) },
		"shorter":             func(dir string) error { return os.Truncate(filepath.Join(dir, "a/long"), 1<<20) },
		"a file is missing":   func(dir string) error { return os.Remove(filepath.Join(dir, "a/empty")) },
		"the last is missing": func(dir string) error { return os.Remove(filepath.Join(dir, "z-linked")) },
		"one too many":        func(dir string) error { return os.WriteFile(filepath.Join(dir, "zz"), nil, 0o600) },
		"other permissions":   func(dir string) error { return os.Chmod(filepath.Join(dir, "a/empty"), 0o644) },
		"another link": func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "elsewhere")), os.Symlink("/etc/shadow", filepath.Join(dir, "elsewhere")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			source, copied := volume(t), target(t)
			if err := Receive(copied, bytes.NewReader(stream(t, source))); err != nil {
				t.Fatal(err)
			}
			if err := harm(copied); err != nil {
				t.Fatal(err)
			}
			_, err := Compare(strings.NewReader(list(t, source)), strings.NewReader(list(t, copied)))
			if !errors.As(err, new(*DifferenceError)) {
				t.Errorf("they are said to hold the same: %v", err)
			}
		})
	}
}

// A stream that ends too early is an error, or is found by the comparison: it is never a copy.
func TestAStreamThatIsCutOffIsNoCopy(t *testing.T) {
	source := volume(t)
	whole := stream(t, source)
	for _, n := range []int{0, 100, 512, 1024, 5000, len(whole) / 2, len(whole) - 1536} {
		copied := target(t)
		if err := Receive(copied, bytes.NewReader(whole[:n])); err != nil {
			continue
		}
		if _, err := Compare(strings.NewReader(list(t, source)), strings.NewReader(list(t, copied))); err == nil {
			t.Errorf("%d bytes of %d were taken for all", n, len(whole))
		}
	}
}

// Nothing but the volume is written to, whoever has made the stream.
func TestAStreamLeadsNowhereElse(t *testing.T) {
	for name, entries := range map[string][]tar.Header{
		"upwards":              {{Name: "../out", Typeflag: tar.TypeReg}},
		"absolute":             {{Name: "/tmp/krake-out", Typeflag: tar.TypeReg}},
		"by a link to a place": {{Name: "l", Typeflag: tar.TypeSymlink, Linkname: ".."}, {Name: "l/out", Typeflag: tar.TypeReg}},
		"a second name":        {{Name: "l", Typeflag: tar.TypeLink, Linkname: "../other"}},
		"a device":             {{Name: "d", Typeflag: tar.TypeChar}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			archive := tar.NewWriter(&out)
			for _, header := range entries {
				if err := archive.WriteHeader(&header); err != nil {
					t.Fatal(err)
				}
			}
			if err := archive.Close(); err != nil {
				t.Fatal(err)
			}
			parent := t.TempDir()
			dir := filepath.Join(parent, "volume")
			if err := errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(filepath.Join(parent, "other"), nil, 0o600)); err != nil {
				t.Fatal(err)
			}
			if err := Receive(dir, &out); err == nil {
				t.Error("it was taken")
			}
			if _, err := os.Stat(filepath.Join(parent, "out")); err == nil {
				t.Error("something is beside the volume")
			}
		})
	}
}

func TestWhatIsFirstInAVolume(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, lostFound), 0o700); err != nil {
		t.Fatal(err)
	}
	if name, err := First(dir); name != "" || err != nil {
		t.Errorf("a new volume holds %q, %v", name, err)
	}
	if name, err := First(volume(t)); name != "a" || err != nil {
		t.Errorf("a volume in use holds %q, %v", name, err)
	}
	if _, err := First(filepath.Join(dir, "none")); err == nil {
		t.Error("a volume that is not there holds nothing")
	}
}

func TestSignsOfLifeAreNoLines(t *testing.T) {
	line := "\"a\" -rw------- 0:0 3 abc\n"
	if c, err := Compare(strings.NewReader("#\n#\n"+line+"#\n"), strings.NewReader(line)); err != nil || c != (Content{1, 3}) {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := Compare(strings.NewReader(line), strings.NewReader(strings.TrimSpace(line))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a line that was cut off: %v", err)
	}
}

func FuzzCompare(f *testing.F) {
	f.Add("\"a\" -rw------- 0:0 3 abc\n", "#\n\"a\" -rw------- 0:0 3 abc\n")
	f.Add("x\n", "x\n")
	f.Fuzz(func(t *testing.T, a, b string) {
		content, err := Compare(strings.NewReader(a), strings.NewReader(b))
		if err == nil && strings.ReplaceAll("\n"+a, "\n#", "") != strings.ReplaceAll("\n"+b, "\n#", "") &&
			!strings.Contains(a+b, "#") {
			t.Errorf("%q and %q are the same: %+v", a, b, content)
		}
	})
}
