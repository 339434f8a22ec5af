package kubernetes

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/fleet"
	"github.com/rak-n-rok/krake/internal/objectrule"
)

func TestARuleConcernsWhoHasObjectsOfItsKind(t *testing.T) {
	rule := func(kind string, generation int64) *api.GlobalObjectRule {
		r := api.New[api.GlobalObjectRule]()
		r.Metadata.Generation = generation
		r.Spec.Group, r.Spec.Kind = "example.org", kind
		return r
	}
	c := &Applications{}
	for name, kinds := range map[string]string{"shop": "Database ConfigMap", "cache": "Cache", "both": "Cache Database", "none": ""} {
		key := controller.Key{Namespace: "solar", Name: name}
		var inventory api.Inventory
		for _, kind := range strings.Fields(kinds) {
			inventory.Objects = append(inventory.Objects, api.InventoryObject{Group: "example.org", Kind: kind})
		}
		c.memory.put(key, &remembered{uid: name})
		c.memory.update(key, name, inventory, api.Migration{}, api.Resources{})
		c.memory.update(key, "of another", api.Inventory{}, api.Migration{}, api.Resources{})
	}
	elsewhere := controller.Key{Namespace: "solar", Name: "elsewhere"}
	c.memory.put(elsewhere, &remembered{uid: "e", inventory: api.Inventory{Objects: []api.InventoryObject{{Group: "other.org", Kind: "Database"}}}})
	for name, test := range map[string]struct {
		before, after *api.GlobalObjectRule
		want          []string
	}{
		"a new rule":                    {nil, rule("Database", 1), []string{"both", "shop"}},
		"one that is gone":              {rule("Cache", 1), nil, []string{"both", "cache"}},
		"one that says something else":  {rule("Database", 1), rule("Database", 2), []string{"both", "shop"}},
		"one about another kind now":    {rule("Database", 1), rule("Cache", 2), []string{"both", "cache", "shop"}},
		"one whose labels have changed": {rule("Database", 1), rule("Database", 1), nil},
		"one about nothing of ours":     {nil, rule("Queue", 1), nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, key := range c.ruled(test.before, test.after) {
				got = append(got, key.Name)
			}
			slices.Sort(got)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheAddressesOfAnObject(t *testing.T) {
	before := api.Services{"orders": "a:1", "orders.read": "b:2", "orders.old": "c:3", "my.orders.read": "d:4", "other.read": "e:5"}
	found := fleet.Verdict{Report: objectrule.Report{Addresses: map[string]string{"read": "x:1", "write": "y:2"}}}
	for name, test := range map[string]struct {
		object  string
		verdict fleet.Verdict
		want    map[string]string
	}{
		"no rule":                       {"orders", fleet.Verdict{}, map[string]string{}},
		"those that are there now":      {"orders", found, map[string]string{"orders.read": "x:1", "orders.write": "y:2"}},
		"those that are not any more":   {"orders", fleet.Verdict{Rule: "r"}, map[string]string{}},
		"a rule that cannot be applied": {"orders", fleet.Verdict{Rule: "r", Problem: "p"}, map[string]string{"orders.read": "b:2", "orders.old": "c:3"}},
		"a name with a dot":             {"my.orders", fleet.Verdict{Rule: "r", Problem: "p"}, map[string]string{"my.orders.read": "d:4"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, ruledAddresses(test.object, test.verdict, before)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
