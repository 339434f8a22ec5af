package wire_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/rak-n-rok/krake/api/wire"
)

var seeds = []string{
	minimal, defaults, full, `null`, `[]`, `{}`, `{"spec":{"source":{"type":"well"}}}`, `{"metadata":{"notes":[null,{}]}}`,
	`{"spec":{"free":{"a":1e999,"b":[12345678901234567890]}}}`, `{"spec":{"height":"9223372036854775808"}}`,
}

// Whatever a client sends, in every mode, is either refused in words or becomes an object that reads as itself.
func FuzzDecode(f *testing.F) {
	for _, text := range seeds {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, mode := range []wire.Mode{wire.Create, wire.Update, wire.Stored} {
			doc, err := wire.Parse(data)
			if err != nil {
				return
			}
			s := &station{}
			if err := wire.Decode(doc, s, mode); err != nil {
				if err.Error() == "{}" {
					t.Fatal("refused without a word")
				}
				continue
			}
			again := stationOf(t, encoded(t, s))
			if !wire.Equal(s, again) {
				t.Fatalf("%s reads as %s", encoded(t, s), encoded(t, again))
			}
		}
	})
}

// A tree that was parsed and printed is the same tree.
func FuzzParse(f *testing.F) {
	for _, text := range append(seeds, `{"half a pair":"\ud800x","twice":1,"twice":[2.5e3,-0]}`, `[1e400, "\u0000\/"]`) {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := wire.Parse(data)
		if json.Valid(data) && utf8.Valid(data) != (err == nil) && !strings.Contains(fmt.Sprint(err), "nested") {
			t.Fatalf("JSON in UTF-8, yet: %v", err)
		}
		if err != nil {
			return
		}
		text, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		again, err := wire.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(doc, again); diff != "" {
			t.Fatal(diff)
		}
		var want, got any // as encoding/json reads it
		if json.Unmarshal(data, &want) == nil && json.Unmarshal(text, &got) == nil {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

// Merging never fails, whatever was stored and whatever is sent.
func FuzzMerge(f *testing.F) {
	for _, text := range seeds {
		f.Add([]byte(text), []byte(full))
	}
	f.Fuzz(func(t *testing.T, sent, stored []byte) {
		doc, err := wire.Parse(sent)
		if err != nil {
			return
		}
		before, err := wire.Parse(stored)
		if err != nil {
			return
		}
		s := &station{}
		if err := wire.Decode(wire.Clone(before), s, wire.Stored); err != nil {
			return
		}
		wire.Patch(wire.Clone(before), wire.Clone(doc))
		wire.KeepAdded(doc, s)
		next := &station{}
		if err := wire.Decode(doc, next, wire.Stored); err != nil {
			return
		}
		wire.Inherit(next, s, false)
		if _, err := wire.KeepUnknown([]byte(encoded(t, next)), before, next); err != nil {
			t.Fatal(err)
		}
	})
}
