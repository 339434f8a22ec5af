package wire_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api/wire"
)

func optional[T any](g *rapid.Generator[T]) *rapid.Generator[*T] { return rapid.Ptr(g, true) }

// stations draws stations as a program would make them: lists and maps may be nil.
var stations = rapid.Custom(func(t *rapid.T) *station {
	text := rapid.String()
	notes := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) note {
		return note{Text: text.Draw(t, "text"), Loud: rapid.Bool().Draw(t, "loud")}
	}), 0, 2)
	s := &station{
		Metadata: stationMetadata{
			Name: text.Draw(t, "name"), Zone: optional(text).Draw(t, "zone"), UID: text.Draw(t, "uid"),
			Retired: optional(text).Draw(t, "retired"), Version: text.Draw(t, "version"), Notes: notes.Draw(t, "notes"),
		},
		Spec: stationSpec{
			Height: rapid.Int64().Draw(t, "height"), Share: rapid.Float64().Draw(t, "share"), Active: rapid.Bool().Draw(t, "active"),
			Owner: optional(text).Draw(t, "owner"), Colour: rapid.SampledFrom([]colour{"RED", "GREEN"}).Draw(t, "colour"),
			Tags: rapid.SliceOfN(text, 0, 3).Draw(t, "tags"), Weights: rapid.MapOfN(text, rapid.Int64(), 0, 3).Draw(t, "weights"),
			Free: rapid.MapOfN(text, trees(true), 0, 3).Draw(t, "free"),
			Site: site{Low: rapid.Int64().Draw(t, "low"), High: rapid.Int64().Draw(t, "high"), Hint: text.Draw(t, "hint")},
			Mood: mood{text: rapid.StringMatching(`[a-z]*`).Draw(t, "mood")},
		},
		Status: stationStatus{Phase: text.Draw(t, "phase"), Lock: optional(text).Draw(t, "lock"), Found: notes.Draw(t, "found")},
	}
	if rapid.Bool().Draw(t, "has rules") {
		s.Spec.Rules = rapid.SliceOfN(text, 0, 2).Draw(t, "rules")
	}
	switch rapid.IntRange(0, 2).Draw(t, "source") {
	case 1:
		s.Spec.Source = &source{Type: "well", Well: &well{Depth: rapid.Int64().Draw(t, "depth"), Name: text.Draw(t, "well")}}
	case 2:
		s.Spec.Source = &source{Type: "spring", Spring: &spring{Flows: rapid.MapOfN(text, rapid.Float64(), 0, 2).Draw(t, "flows")}}
	}
	return s
})

func TestWhatWasEncodedDecodesToItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := stations.Draw(t, "station")
		doc, err := wire.Tree(s)
		if err != nil {
			t.Fatal(err)
		}
		again := &station{}
		if err := wire.Decode(doc, again, wire.Stored); err != nil {
			t.Fatal(err)
		}
		if !wire.Equal(s, again) {
			t.Errorf("%+v became %+v", s, again)
		}
	})
}

// What an old client sends is the document less everything that was added.
func TestAnUpdateStrippedOfAdditionsChangesNoAddition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stored, sent := stations.Draw(t, "stored"), stations.Draw(t, "sent")
		doc, err := wire.Tree(sent)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range [][]string{{"metadata", "version"}, {"metadata", "notes"}, {"spec", "mood"}, {"spec", "site", "hint"}, {"status", "found"}} {
			at := doc.(map[string]any)
			for _, key := range path[:len(path)-1] {
				at = at[key].(map[string]any)
			}
			delete(at, path[len(path)-1])
		}
		wire.KeepAdded(doc, stored)
		next := &station{}
		if err := wire.Decode(doc, next, wire.Stored); err != nil {
			t.Fatal(err)
		}
		want := *sent
		want.Metadata.Version, want.Metadata.Notes = stored.Metadata.Version, stored.Metadata.Notes
		want.Spec.Mood, want.Spec.Site.Hint, want.Status.Found = stored.Spec.Mood, stored.Spec.Site.Hint, stored.Status.Found
		if !wire.Equal(next, &want) {
			t.Errorf("got  %+v\nwant %+v", next, want)
		}
	})
}

func TestWhatAClientCannotSetIsInherited(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stored, next := stations.Draw(t, "stored"), stations.Draw(t, "next")
		next.Metadata.Name, next.Metadata.Zone = stored.Metadata.Name, stored.Metadata.Zone
		sent := *next
		if changed := wire.Inherit(next, stored, false); changed != "" {
			t.Fatalf("%s has changed", changed)
		}
		want := sent
		want.Metadata.UID, want.Metadata.Retired, want.Metadata.Version = stored.Metadata.UID, stored.Metadata.Retired, stored.Metadata.Version
		want.Status = stored.Status
		if !wire.Equal(next, &want) {
			t.Errorf("got  %+v\nwant %+v", next, want)
		}
	})
}
