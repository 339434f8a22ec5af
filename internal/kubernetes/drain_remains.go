package kubernetes

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/controller"
)

// remain is something that is still on a cluster which is being drained.
type remain struct {
	what string // and how it stands with it, for people
	held bool   // it does not leave unless somebody does something
}

// remains finds what is still on a cluster. What the caches know of comes first; that nothing is left, they are not
// believed.
func (c *Drains) remains(ctx context.Context, key controller.Key, cluster *api.Cluster) ([]remain, error) {
	if known := standings(c.on.Get(key), key); len(known) > 0 {
		return known, nil
	}
	apps, _, err := c.apps.List(ctx, key.Namespace)
	if err != nil {
		return nil, err
	}
	here := func(a *api.Application) bool { return slices.Contains(clustersOf(a), key) }
	if known := standings(slices.DeleteFunc(slices.Clone(apps), func(a *api.Application) bool { return !here(a) }), key); len(known) > 0 {
		return known, nil
	}
	return c.traces(ctx, cluster, apps)
}

// traces finds what applications that have left still have on a cluster: what is being removed, and what is left over
// because it could not be. If another record leads to the cluster, it may be there by right, and that record leads to it.
func (c *Drains) traces(ctx context.Context, cluster *api.Cluster, apps []*api.Application) ([]remain, error) {
	identity, namespace := cluster.Status.Identity, cluster.Metadata.NamespaceOrEmpty()
	if identity == "" || len(c.ways.Get(place{namespace, identity})) > 1 {
		return nil, nil
	}
	slices.SortStableFunc(apps, func(a, b *api.Application) int { return cmp.Compare(last(!hasMoved(a)), last(!hasMoved(b))) })
	for _, a := range apps {
		var inventory api.Inventory
		if _, err := c.apps.GetPart(ctx, a, api.InventoryPart, &inventory); err != nil && gone(err) != nil {
			return nil, err
		}
		if slices.ContainsFunc(inventory.Objects, func(o api.InventoryObject) bool { return o.Cluster == identity }) {
			return []remain{{what: a.Metadata.Name + " has left and is still being removed"}}, nil
		}
	}
	leftovers, _, err := c.leftovers.List(ctx, namespace)
	if err != nil {
		return nil, err
	}
	var out []remain
	for _, l := range leftovers {
		if l.Spec.Identity == identity && len(l.Spec.Objects) > 0 && !l.Spec.Keep {
			out = append(out, remain{leftBehind(l), l.Status.Message != ""})
		}
	}
	return out, nil
}

// hasMoved says of which applications it is likely that they have something on another cluster than they run on.
func hasMoved(a *api.Application) bool { return a.Status.Conditions.Get(api.Migrating).Reason != "" }

// last puts in an order what is to come last.
func last(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func leftBehind(l *api.Leftover) string {
	text := fmt.Sprintf("%d objects are left over", len(l.Spec.Objects))
	if l.Spec.Application != nil {
		text += " of " + l.Spec.Application.Name
	}
	return strings.TrimSuffix(text+": "+l.Status.Message, ": ")
}

// standings tells of applications that are bound to a cluster or run there how it stands with them: those that are held
// first.
func standings(apps []*api.Application, cluster controller.Key) []remain {
	slices.SortFunc(apps, func(a, b *api.Application) int { return cmp.Compare(a.Metadata.Name, b.Metadata.Name) })
	out := make([]remain, 0, len(apps))
	for _, a := range apps {
		why, held := standing(a, cluster)
		out = append(out, remain{a.Metadata.Name + ": " + why, held})
	}
	slices.SortStableFunc(out, func(a, b remain) int { return cmp.Compare(last(!a.held), last(!b.held)) })
	return out
}

func standing(a *api.Application, cluster controller.Key) (why string, held bool) {
	scheduled, moving := a.Status.Conditions.Get(api.Scheduled), a.Status.Conditions.Get(api.Migrating)
	to := a.Status.ScheduledTo
	switch {
	case a.Metadata.Deleted != nil:
		return strings.TrimSuffix("it is being deleted: "+a.Status.Conditions.Get(api.Cleaned).Message, ": "), false
	case moving.Status == api.True && to != nil && to.Name == cluster.Name:
		return "it is on its way here and goes on from here", false
	case moving.Status == api.True && to != nil:
		return strings.TrimSuffix(fmt.Sprintf("it is moving to %s (%s): %s", to.Name, moving.Reason, moving.Message), ": "), false
	case scheduled.Message != "" && moving.Status == api.False:
		return scheduled.Message + " " + moving.Message, true
	case scheduled.Message != "":
		return scheduled.Message, true
	default:
		return "it is about to leave", false
	}
}

const (
	namedRemains = 10  // are told of one by one
	maxRemain    = 300 // bytes are told of each
)

// drained is the condition of a cluster that is being drained.
func drained(remains []remain) api.Condition {
	if len(remains) == 0 {
		return api.Condition{Type: api.Drained, Status: api.True, Reason: "Empty", Message: "Nothing is left on the cluster."}
	}
	reason := "Leaving"
	if slices.ContainsFunc(remains, func(r remain) bool { return r.held }) {
		reason = "Held"
	}
	var lines []string
	for i, r := range remains {
		if i == namedRemains {
			lines = append(lines, fmt.Sprintf("and %d more", len(remains)-i))
			break
		}
		lines = append(lines, api.Shorten(r.what, maxRemain))
	}
	return api.Condition{Type: api.Drained, Status: api.False, Reason: reason, Message: strings.Join(lines, "\n")}
}
