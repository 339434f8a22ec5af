package wire_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api/wire"
)

// The examples are those of RFC 7396, appendix A.
func TestPatchFollowsTheExamplesOfTheRFC(t *testing.T) {
	for _, c := range []struct{ target, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`["a","b"]`, `["c","d"]`, `["c","d"]`},
		{`{"a":"b"}`, `["c"]`, `["c"]`},
		{`{"a":"foo"}`, `null`, `null`},
		{`{"a":"foo"}`, `"bar"`, `"bar"`},
		{`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`},
		{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
	} {
		got := wire.Patch(tree(t, c.target), tree(t, c.patch))
		if diff := cmp.Diff(tree(t, c.want), got); diff != "" {
			t.Errorf("%s with %s: %s", c.target, c.patch, diff)
		}
	}
}

// trees draws JSON trees as Parse returns them, of few keys, so that two of them often have keys in common.
func trees(nulls bool) *rapid.Generator[any] {
	leaf := rapid.OneOf(
		rapid.Just(any("x")), rapid.Just(any(true)), rapid.Map(rapid.Int64Range(-3, 3), func(i int64) any { return i }),
	)
	if nulls {
		leaf = rapid.OneOf(leaf, rapid.Just(any(nil)))
	}
	key := rapid.SampledFrom([]string{"a", "b", "c"})
	grow := func(inner *rapid.Generator[any]) *rapid.Generator[any] {
		return rapid.OneOf(leaf,
			rapid.Map(rapid.MapOfN(key, inner, 0, 3), func(m map[string]any) any { return m }),
			rapid.Map(rapid.SliceOfN(inner, 0, 2), func(l []any) any { return l }),
		)
	}
	return grow(grow(grow(leaf)))
}

func TestAPatchAppliedTwiceChangesNothingMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		target, patch := trees(true).Draw(t, "target"), trees(true).Draw(t, "patch")
		once := wire.Patch(wire.Clone(target), wire.Clone(patch))
		twice := wire.Patch(wire.Clone(once), wire.Clone(patch))
		if diff := cmp.Diff(once, twice); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTheEmptyPatchChangesNoObject(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		target := map[string]any{"x": trees(true).Draw(t, "target")}
		if diff := cmp.Diff(any(target), wire.Patch(wire.Clone(target), map[string]any{})); diff != "" {
			t.Error(diff)
		}
	})
}

func TestADocumentWithoutNullsIsAPatchThatMakesItFromNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := trees(false).Draw(t, "document")
		if diff := cmp.Diff(doc, wire.Patch(nil, wire.Clone(doc))); diff != "" {
			t.Error(diff)
		}
	})
}
