package fleet

import (
	"testing"

	"pgregory.net/rapid"
)

func TestAClusterMaySpellAValueInAnotherWay(t *testing.T) {
	list := func(elements ...any) []any { return elements }
	for name, c := range map[string]struct {
		wanted, live any
		same         bool
	}{
		"a text":                            {"blue", "blue", true},
		"another text":                      {"blue", "red", false},
		"a quantity":                        {"1000m", "1", true},
		"a quantity written as a number":    {int64(1), "1", true},
		"a quantity of bytes":               {"1024Mi", "1Gi", true},
		"another quantity":                  {"1000m", "2", false},
		"a quantity that became a text":     {"1", "one", false},
		"a number":                          {int64(3), int64(3), true},
		"a whole fraction":                  {3.0, int64(3), true},
		"another number":                    {int64(3), int64(4), false},
		"a switch that was turned":          {true, false, false},
		"a moment":                          {"2030-01-01T01:00:00+01:00", "2030-01-01T00:00:00Z", true},
		"another moment":                    {"2030-01-01T01:00:00+01:00", "2030-01-01T01:00:00Z", false},
		"encoded bytes with line breaks":    {"YWFh\nYWFh\n", "YWFhYWFh", true},
		"what is void and filled in":        {"", "default", true},
		"what is void and left out":         {false, nil, true},
		"what is said and left out":         {"blue", nil, false},
		"a list":                            {list("a", int64(1)), list("a", int64(1)), true},
		"a list in another order":           {list("a", "b"), list("b", "a"), false},
		"a longer list":                     {list("a"), list("a", "b"), false},
		"a list that is none":               {list("a"), "a", false},
		"a map with defaults":               {map[string]any{"a": "x"}, map[string]any{"a": "x", "b": "y"}, true},
		"a map with another value":          {map[string]any{"a": "x"}, map[string]any{"a": "y"}, false},
		"a map that lacks what is void":     {map[string]any{"a": "x", "b": list()}, map[string]any{"a": "x"}, true},
		"a map deep in a list that differs": {list(map[string]any{"a": list("x")}), list(map[string]any{"a": list("y")}), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := sameMeaning(c.wanted, c.live); got != c.same {
				t.Errorf("%v and %v: %t", c.wanted, c.live, got)
			}
		})
	}
}

func TestAValueMeansWhatItIs(t *testing.T) {
	var values func(depth int) *rapid.Generator[any]
	values = func(depth int) *rapid.Generator[any] {
		leaf := rapid.OneOf(rapid.String().AsAny(), rapid.Int64().AsAny(), rapid.Bool().AsAny(), rapid.Float64().AsAny(), rapid.Just[any](nil))
		if depth == 0 {
			return leaf
		}
		inner := values(depth - 1)
		return rapid.OneOf(leaf, rapid.SliceOfN(inner, 0, 3).AsAny(), rapid.MapOfN(rapid.String(), inner, 0, 3).AsAny())
	}
	rapid.Check(t, func(t *rapid.T) {
		v := values(3).Draw(t, "value")
		if !sameMeaning(v, v) {
			t.Fatalf("%v is not %v", v, v)
		}
	})
}
