package fleet

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"
)

func TestDifferencesNameTheFieldsThatDiffer(t *testing.T) {
	for name, c := range map[string]struct {
		before, after string
		want          []string
	}{
		"nothing":                              {"a: 1", "a: 1", nil},
		"a value":                              {"a: {b: 1}", "a: {b: 2}", []string{"a.b: 1 -> 2"}},
		"a value that comes and one that goes": {"a: 1", "b: 2", []string{"a: 1 -> <nil>", "b: <nil> -> 2"}},
		"an empty mapping is none":             {"a: {}", "b: []", nil},
		"another type":                         {"a: {b: 1}", "a: x", []string{"a: map[b:1] -> x"}},
		"a key that is no word":                {"a: {}", "a: {b.c/d: 1}", []string{`a["b.c/d"]: <nil> -> 1`}},
		"elements with names, in another order": {
			"a: [{name: x, v: 1}, {name: z, v: 2}]", "a: [{name: z, v: 2}, {name: x, v: 3}]", []string{"a[x].v: 1 -> 3"},
		},
		"an element with a name in between": {
			"a: [{name: p}, {name: r}]", "a: [{name: p}, {name: q}, {name: r}]", []string{"a[q].name: <nil> -> q"},
		},
		"elements without names":        {"a: [1, 2]", "a: [1, 3, 4]", []string{"a[1]: 2 -> 3", "a[2]: <nil> -> 4"}},
		"elements with the same name":   {"a: [{name: x, v: 1}, {name: x, v: 2}]", "a: [{name: x, v: 1}]", []string{"a[1].name: x -> <nil>", "a[1].v: 2 -> <nil>"}},
		"a list that becomes a mapping": {"a: [1]", "a: {b: 1}", []string{"a: [1] -> map[b:1]"}},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after map[string]any
			if err := errors.Join(yaml.Unmarshal([]byte(c.before), &before), yaml.Unmarshal([]byte(c.after), &after)); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range differences(before, after) {
				got = append(got, fmt.Sprintf("%s: %v -> %v", d.Path, d.Before, d.After))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func trees() *rapid.Generator[map[string]any] {
	leaf := rapid.OneOf(rapid.Just[any]("x"), rapid.Just[any]("y"), rapid.Just[any](int64(1)), rapid.Just[any](true))
	value := rapid.Deferred(func() *rapid.Generator[any] {
		return rapid.OneOf(leaf, rapid.Map(rapid.SliceOfN(leaf, 1, 3), func(l []any) any { return l }),
			rapid.Map(trees(), func(m map[string]any) any { return m }))
	})
	return rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "name", "c.d"}), value, 1, 3)
}

// Two states of an object have no differences exactly if they are the same, and the differences of the one way are those of
// the other way, the other way round.
func TestDifferencesAreThoseOfBothWays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := trees().Draw(t, "a"), trees().Draw(t, "b")
		there, back := differences(a, b), differences(b, a)
		if (len(there) == 0) != reflect.DeepEqual(a, b) {
			t.Fatalf("%v and %v: %v", a, b, there)
		}
		if len(there) != len(back) {
			t.Fatalf("%v, and back %v", there, back)
		}
		for i := range there {
			if there[i].Path != back[i].Path || !reflect.DeepEqual(there[i].Before, back[i].After) {
				t.Fatalf("%v, and back %v", there[i], back[i])
			}
		}
	})
}

// Digests tell whether two values of one answer are equal, and nothing from one answer to the next.
func TestDigestsTellOnlyWhetherValuesAreEqual(t *testing.T) {
	d := newDigests()
	a, again := d.of("a"), d.of("a")
	if a != again || a == d.of("b") {
		t.Error("digests do not tell values apart")
	}
	if d.of("a") == newDigests().of("a") {
		t.Error("a digest can be recognised in another answer")
	}
}
