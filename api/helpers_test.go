package api_test

import (
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
)

// parse parses a document that is part of a test.
func parse(t testing.TB, text string) any {
	t.Helper()
	doc, err := wire.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return doc
}

// refusal is the text with which a kind refuses the body of a POST, empty when it accepts it.
func refusal(t testing.TB, k *api.Kind, text string) string {
	t.Helper()
	if _, err := k.Decode(parse(t, text), wire.Create); err != nil {
		return err.Error()
	}
	return ""
}

// text gives the JSON of a value in one form: keys sorted, no blanks.
func text(t testing.TB, v any) string {
	t.Helper()
	tree, err := wire.Tree(v)
	if err != nil {
		t.Fatal(err)
	}
	return compact(t, tree)
}

var start = time.Date(2026, 11, 22, 9, 30, 21, 851661000, time.UTC)

// at is a moment so many seconds after the start of all tests.
func at(seconds int) *api.Time {
	t := api.At(start.Add(time.Duration(seconds) * time.Second))
	return &t
}

func cluster(name string) *api.ResourceRef {
	ref := api.ClusterKind.Ref("solar", name)
	return &ref
}

func pointer[T any](v T) *T { return &v }
