package store

import (
	"slices"
	"testing"
)

func TestCursorsAreOrderedByWhatTheyCover(t *testing.T) {
	ordered := []Cursor{{1, 0}, {2, 1}, {2, 2}, {2, 10}, {2, 0}, {3, 1}, {10, 0}}
	if !slices.IsSortedFunc(ordered, Cursor.Compare) {
		t.Error("not sorted")
	}
	for i, c := range ordered {
		for j, d := range ordered {
			if (c.Compare(d) == 0) != (i == j) {
				t.Errorf("%s and %s", c, d)
			}
		}
	}
}

func TestWhatIsNoCursorIsRefused(t *testing.T) {
	for _, text := range []string{
		"", "0", "-1", "+1", "01", "1.", "1.0", "1.01", "1.-1", ".1", "1.2.3", " 1", "1e3", "x", "9223372036854775808", "1.9223372036854775808",
	} {
		if c, err := ParseCursor(text); err == nil {
			t.Errorf("%q gives %v", text, c)
		}
	}
}

func FuzzParseCursor(f *testing.F) {
	for _, seed := range []string{"1", "42.7", "9223372036854775807.9223372036854775807", "1.0", "-3", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCursor(text)
		switch {
		case err != nil && c != Cursor{}:
			t.Errorf("%q gives %v and %v", text, c, err)
		case err == nil && (c.String() != text || !c.valid()):
			t.Errorf("%q gives %s", text, c)
		}
	})
}
