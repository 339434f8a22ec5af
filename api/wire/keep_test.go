package wire_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rak-n-rok/krake/api/wire"
)

// full is a station whose added fields all hold something.
const full = `{
	"metadata":{"name":"a","zone":"z","uid":"u","version":"7","notes":[{"text":"n"}]},
	"spec":{"height":3,"site":{"low":1,"high":2,"hint":"left"},"mood":"calm","source":{"type":"well","well":{"depth":1}}},
	"status":{"phase":"old","found":[{"text":"f"}]}}`

func TestAnUpdateThatDoesNotMentionAnAddedFieldKeepsIt(t *testing.T) {
	for name, c := range map[string]struct{ doc, want string }{
		"what a client that knows no additions sends": {
			`{"metadata":{"name":"a"},"spec":{"height":4,"site":{"low":0,"high":1}},"status":{"phase":"new"}}`,
			`{"metadata":{"name":"a","version":"7","notes":[{"text":"n","loud":false}]},
			  "spec":{"height":4,"site":{"low":0,"high":1,"hint":"left"},"mood":"calm"},
			  "status":{"phase":"new","found":[{"text":"f","loud":false}]}}`},
		"an emptied status": {`{"status":{}}`, `{"status":{"found":[{"text":"f","loud":false}]}}`},
		"a null is said on purpose": {
			`{"metadata":{"notes":null},"spec":{"mood":null,"site":{"hint":null}},"status":{"found":null}}`,
			`{"metadata":{"notes":null,"version":"7"},"spec":{"mood":null,"site":{"hint":null}},"status":{"found":null}}`},
		"a new value is said on purpose": {`{"spec":{"mood":"wild","site":{"hint":""}}}`, `{"spec":{"mood":"wild","site":{"hint":""}}}`},
		"what is no object stays so":     {`{"metadata":5,"spec":[],"status":null}`, `{"metadata":5,"spec":[],"status":null}`},
	} {
		t.Run(name, func(t *testing.T) {
			doc := tree(t, c.doc)
			wire.KeepAdded(doc, stationOf(t, full))
			if diff := cmp.Diff(tree(t, c.want), doc); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestKeysOfANewerVersionAreKept(t *testing.T) {
	for name, c := range map[string]struct{ doc, stored, want string }{
		"none are there": {`{"spec":{"height":1}}`, `{"spec":{"height":2,"owner":null}}`, `{"spec":{"height":1}}`},
		"at the top and below": {
			`{"metadata":{"name":"a"},"spec":{"site":{"low":1}}}`,
			`{"later":1,"metadata":{"moon":"full"},"spec":{"site":{"low":0,"depth":[1]}}}`,
			`{"later":1,"metadata":{"name":"a","moon":"full"},"spec":{"site":{"low":1,"depth":[1]}}}`},
		"data of another alternative is no unknown key": {
			`{"spec":{"source":{"type":"well","well":{"depth":1}}}}`,
			`{"spec":{"source":{"type":"well","well":{"depth":2},"rain":{}}}}`,
			`{"spec":{"source":{"type":"well","well":{"depth":1}}}}`},
		"free objects and values that decode themselves are replaced whole": {
			`{"spec":{"free":{},"mood":"calm"}}`, `{"spec":{"free":{"x":1},"mood":{"y":2}}}`, `{"spec":{"free":{},"mood":"calm"}}`},
		"what is null now stays null": {
			`{"spec":{"source":null}}`, `{"spec":{"source":{"type":"rain","moon":1}}}`, `{"spec":{"source":null}}`},
		"lists are replaced whole": {
			`{"metadata":{"notes":[{"text":"a"}]}}`, `{"metadata":{"notes":[{"text":"b","moon":1}]}}`,
			`{"metadata":{"notes":[{"text":"a"}]}}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := wire.KeepUnknown([]byte(c.doc), tree(t, c.stored), &station{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tree(t, c.want), tree(t, string(got))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatAnUpdateInherits(t *testing.T) {
	stored := `{"metadata":{"name":"a","uid":"u","version":"7","retired":"yes"},"spec":{"height":1},"status":{"phase":"old"}}`
	for name, c := range map[string]struct {
		next, want, changed string
		sub                 bool
	}{
		"an update of the object keeps what the server sets and the status": {
			next: `{"metadata":{"name":"a","uid":"x","version":"0"},"spec":{"height":2},"status":{"phase":"mine"}}`,
			want: `{"metadata":{"name":"a","uid":"u","version":"7","retired":"yes"},"spec":{"height":2},"status":{"phase":"old"}}`},
		"an update of the status keeps everything else": {sub: true,
			next: `{"metadata":{"name":"other","zone":"other"},"spec":{"height":2},"status":{"phase":"mine"}}`,
			want: `{"metadata":{"name":"a","uid":"u","version":"7","retired":"yes"},"spec":{"height":1},"status":{"phase":"mine"}}`},
		"a fixed field may not change":           {next: `{"metadata":{"name":"b"}}`, changed: "name"},
		"a fixed field may not be set later":     {next: `{"metadata":{"name":"a","zone":"z"}}`, changed: "zone"},
		"the first fixed field that differs":     {next: `{"metadata":{"name":"b","zone":"z"}}`, changed: "name"},
		"a fixed field of the status may not be": {next: `{"status":{"lock":"l"}}`, sub: true, changed: "lock"},
	} {
		t.Run(name, func(t *testing.T) {
			next := stationOf(t, c.next)
			changed := wire.Inherit(next, stationOf(t, stored), c.sub)
			if changed != c.changed {
				t.Fatalf("changed %q, want %q", changed, c.changed)
			}
			if c.changed != "" {
				return
			}
			if got, want := encoded(t, next), encoded(t, stationOf(t, c.want)); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestEqualComparesAsTheWireDoes(t *testing.T) {
	for name, c := range map[string]struct {
		a, b string
		want bool
	}{
		"the same":                           {full, full, true},
		"a number spelt otherwise":           {`{"spec":{"free":{"n":1}}}`, `{"spec":{"free":{"n":1.0}}}`, true},
		"a default that was spelt out":       {`{"spec":{}}`, `{"spec":{"height":2,"tags":[]}}`, true},
		"a type with an opinion of its own":  {`{"spec":{"mood":"calm"}}`, `{"spec":{"mood":"CALM"}}`, true},
		"another number":                     {`{"spec":{"height":1}}`, `{"spec":{"height":2}}`, false},
		"another order":                      {`{"spec":{"tags":["a","b"]}}`, `{"spec":{"tags":["b","a"]}}`, false},
		"a longer list":                      {`{"spec":{"tags":["a"]}}`, `{"spec":{"tags":["a","b"]}}`, false},
		"another key":                        {`{"spec":{"weights":{"a":1}}}`, `{"spec":{"weights":{"b":1}}}`, false},
		"null and a value":                   {`{"spec":{"owner":null}}`, `{"spec":{"owner":""}}`, false},
		"null and an empty list":             {`{"spec":{"rules":null}}`, `{"spec":{"rules":[]}}`, false},
		"another alternative":                {`{"spec":{"source":{"type":"well","well":{"depth":1}}}}`, `{"spec":{"source":{"type":"spring","spring":{"flows":{}}}}}`, false},
		"deep inside a free object":          {`{"spec":{"free":{"a":[{"b":1}]}}}`, `{"spec":{"free":{"a":[{"b":2}]}}}`, false},
		"null inside a free object":          {`{"spec":{"free":{"a":null}}}`, `{"spec":{"free":{}}}`, false},
		"null and a value in a free object":  {`{"spec":{"free":{"a":null}}}`, `{"spec":{"free":{"a":1}}}`, false},
		"two nulls in a free object":         {`{"spec":{"free":{"a":null}}}`, `{"spec":{"free":{"a":null}}}`, true},
		"values of other types in free ones": {`{"spec":{"free":{"a":1}}}`, `{"spec":{"free":{"a":"1"}}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := stationOf(t, c.a), stationOf(t, c.b)
			if got := wire.Equal(a, b); got != c.want {
				t.Errorf("got %t", got)
			}
			if wire.Equal(b, a) != wire.Equal(a, b) {
				t.Error("the other way round it is otherwise")
			}
		})
	}
}

func TestWhatTheServerComputesDoesNotCountInAComparison(t *testing.T) {
	a, b := stationOf(t, full), stationOf(t, full)
	b.Metadata.Version = "another"
	if !wire.Equal(a, b) {
		t.Error("another version is another object")
	}
}

func TestEqualBodyComparesWhatIsAskedFor(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*station)
		want   bool
	}{
		"nothing changed":       {func(*station) {}, true},
		"metadata do not count": {func(s *station) { s.Metadata.Name = "b" }, true},
		"a status does not":     {func(s *station) { s.Status.Phase = "b" }, true},
		"the specification":     {func(s *station) { s.Spec.Height++ }, false},
		"an addition to it":     {func(s *station) { s.Spec.Site.Hint = "right" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := stationOf(t, full), stationOf(t, full)
			c.change(b)
			if got := wire.EqualBody(a, b); got != c.want {
				t.Errorf("got %t", got)
			}
		})
	}
}
