package gateway

import (
	"bytes"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rak-n-rok/krake/internal/fleet"
)

var anywhere = source{fleet.Pod{Name: "pod"}, fleet.Container{Name: "main"}}

// copied gives what becomes of a container's lines, and the time of the last one.
func copied(t testing.TB, in string, timestamps, named bool, last time.Time) (string, time.Time) {
	t.Helper()
	w := httptest.NewRecorder()
	if err := newLines(w, time.Minute, timestamps, named).copy(anywhere, strings.NewReader(in), &last); err != nil {
		t.Fatal(err)
	}
	return w.Body.String(), last
}

func TestLinesAreWrittenAsTheyAreAskedFor(t *testing.T) {
	const first, second = "2026-11-26T19:00:00.000000001Z", "2026-11-26T19:00:00.000000002Z"
	at, err := time.Parse(time.RFC3339Nano, first)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 2*lineSize)
	for name, c := range map[string]struct {
		in                string
		timestamps, named bool
		last              time.Time
		want              string
	}{
		"one container":           {first + " a\n" + second + " b\n", false, false, time.Time{}, "a\nb\n"},
		"several":                 {first + " a\n" + second + " b\n", false, true, time.Time{}, "[pod/main] a\n[pod/main] b\n"},
		"with their times":        {first + " a\n", true, true, time.Time{}, "[pod/main] " + first + " a\n"},
		"an empty line":           {first + " \n" + second + "\n", false, true, time.Time{}, "[pod/main] \n[pod/main] \n"},
		"what was read before":    {first + " a\n" + second + " b\n", false, false, at, "b\n"},
		"a line without a time":   {"oops\n", true, false, at, "oops\n"},
		"without an end":          {first + " a", false, true, time.Time{}, "[pod/main] a\n"},
		"a long line of one":      {first + " " + long + "\n", false, false, time.Time{}, long + "\n"},
		"a long line read before": {first + " " + long + "\n" + second + " b\n", false, true, at, "[pod/main] b\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := copied(t, c.in, c.timestamps, c.named, c.last)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	got, _ := copied(t, first+" "+long+"\n", false, true, time.Time{})
	if strings.ReplaceAll(strings.ReplaceAll(got, "[pod/main] ", ""), "\n", "") != long {
		t.Error("a long line among others lost something")
	}
}

// Whatever a node sends, every line comes out once, and none begins without its source.
func FuzzLines(f *testing.F) {
	f.Add([]byte("2026-11-26T19:00:00Z a\nb\n\n2026-11-26T19:00:01Z"))
	f.Add([]byte(" \n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		got, last := copied(t, string(in), true, true, time.Time{})
		for line := range strings.Lines(got) {
			if !strings.HasPrefix(line, "[pod/main] ") || !strings.HasSuffix(line, "\n") {
				t.Fatalf("%q", line)
			}
		}
		if last.IsZero() && len(in) < lineSize && strings.Count(got, "\n") != bytes.Count(append(bytes.TrimSuffix(in, []byte("\n")), '\n'), []byte("\n")) && len(in) > 0 {
			t.Fatalf("%q became %q", in, got)
		}
		again, _ := copied(t, string(in), true, true, last)
		if len(again) > len(got) {
			t.Fatalf("%q became more the second time", in)
		}
	})
}
