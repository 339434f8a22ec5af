package objectrule

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
)

// testPatience is how long all tests of a rule may take together, while a client waits.
const testPatience = 5 * time.Second

// Check compiles a rule that is to be stored, and runs its tests. It has nothing to say of what is stored already: a rule
// that is kept as it is may have been written for another version of Krake. The error is a *wire.Errors.
func Check(next, stored api.Resource) error {
	rule, before := next.(*api.GlobalObjectRule), (*api.GlobalObjectRule)(nil)
	if stored != nil {
		before = stored.(*api.GlobalObjectRule)
	}
	if before != nil && wire.Equal(&rule.Spec, &before.Spec) {
		return nil
	}
	e := &wire.Errors{}
	compiled := build(&rule.Spec, e.At("spec"))
	if !e.Empty() {
		return e
	}
	ctx, cancel := context.WithTimeout(context.Background(), testPatience)
	defer cancel()
	for i, test := range rule.Spec.Tests {
		for _, mismatch := range compiled.try(ctx, test) {
			e.At("spec").At("tests").Index(i).Add(title(test) + mismatch)
		}
	}
	return e.Err()
}

func title(test api.ObjectRuleTest) string {
	if test.Name == "" {
		return ""
	}
	return short(test.Name) + ": "
}

// try says how what a rule gives for an example differs from what is expected.
func (r *Rule) try(ctx context.Context, test api.ObjectRuleTest) []string {
	got, err := r.Ask(ctx, test.Object)
	if err != nil {
		return []string{err.Error() + "."}
	}
	c := comparison{}
	compare(&c, "ready", test.Expect.Ready, got.Ready, r.ready != nil)
	compare(&c, "failed", test.Expect.Failed, got.Failed, r.failed != nil)
	compare(&c, "completed", test.Expect.Completed, got.Completed, r.completed != nil)
	compare(&c, "message", test.Expect.Message, got.Message, r.message != nil)
	compare(&c, "pods", test.Expect.Pods, got.Pods, got.Counts)
	if want := test.Expect.Addresses; want != nil && !maps.Equal(want, got.Addresses) {
		c.differs("addresses", want, got.Addresses)
	}
	return c.found
}

// comparison collects differences.
type comparison struct{ found []string }

func compare[T comparable](c *comparison, name string, want *T, got T, asked bool) {
	switch {
	case want == nil:
	case !asked:
		c.found = append(c.found, fmt.Sprintf("%s: %s was expected, and the rule has no such expression.", name, shown(*want)))
	case *want != got:
		c.differs(name, *want, got)
	}
}

func (c *comparison) differs(name string, want, got any) {
	c.found = append(c.found, fmt.Sprintf("%s: %s was expected, and %s came.", name, shown(want), shown(got)))
}

// shown is a value as people write it in a rule.
func shown(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return short(string(data))
}
