package kubernetes

import (
	"context"
	"sync"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

// RemovalLimit says how many objects may go from one cluster within api.RemovalWindow that nobody asked for by name. What
// is more than that waits for approval.
type RemovalLimit struct {
	Floor   uint32 // so many in any case; 0 for any number: then nothing ever waits
	Percent uint8  // or this share of what applications have on the cluster, if that is more
}

// DefaultRemovalLimit holds where no other is set.
var DefaultRemovalLimit = RemovalLimit{Floor: 20, Percent: 10}

// of is the limit for a cluster on which applications have so many objects.
func (l RemovalLimit) of(objects int) int { return max(int(l.Floor), objects*int(l.Percent)/100) }

// charge adds a batch to what was counted before, as a whole or not at all. What lies before the window is left out. What
// seems to lie in the future, because a clock went back, counts until its time has passed.
func charge(before []api.CountedRemoval, batch, limit int, now api.Time) (after []api.CountedRemoval, fits bool) {
	sum := int64(batch)
	for _, r := range before {
		if now.Time().Sub(r.Time.Time()) < api.RemovalWindow {
			after = append(after, r)
			sum += r.Count
		}
	}
	return append(after, api.CountedRemoval{Time: now, Count: int64(batch)}), sum <= int64(limit)
}

// Budget counts the removals that nobody asked for by name. It is stored, one object for each cluster, and changed on
// condition that nobody else has changed it: a restart forgets nothing, and processes share it. A batch that was charged
// and not carried out, because the process ended between the two, is charged a second time; never the other way round.
type Budget struct {
	limit  RemovalLimit
	set    client.Set[api.RemovalBudget, *api.RemovalBudget]
	apps   *client.Cache[api.Application, *api.Application]
	appSet client.Set[api.Application, *api.Application]
	clock  func() time.Time

	mu      sync.Mutex // one batch after the other
	objects map[string]int
	counted time.Time // when objects was
}

// NewBudget returns the budget of the controllers in this process. A nil limit is the default one.
func NewBudget(c *client.Client, apps *client.Cache[api.Application, *api.Application], limit *RemovalLimit) *Budget {
	if limit == nil {
		limit = &DefaultRemovalLimit
	}
	return &Budget{limit: *limit, set: client.Of[api.RemovalBudget](c), apps: apps, appSet: client.Of[api.Application](c), clock: time.Now}
}

// unlimited says that nothing ever waits.
func (b *Budget) unlimited() bool { return b == nil || b.limit.Floor == 0 }

// chargeAttempts bounds how often a charge starts again because another process was faster.
const chargeAttempts = 5

// charge counts a batch of removals on a cluster, if it fits.
func (b *Budget) charge(ctx context.Context, cluster string, batch int) (fits bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range chargeAttempts {
		fits, err = b.tryCharge(ctx, cluster, batch)
		if !client.Conflict(err) && !client.Exists(err) {
			return fits, err
		}
	}
	return false, err
}

func (b *Budget) tryCharge(ctx context.Context, cluster string, batch int) (fits bool, err error) {
	record, err := b.set.Get(ctx, "", cluster)
	absent := client.NotFound(err)
	if absent {
		record = api.New[api.RemovalBudget]()
		record.Metadata.Name = cluster
	} else if err != nil {
		return false, err
	}
	now, before := api.At(b.clock()), record.Spec.Removals
	if record.Spec.Removals, fits = charge(before, batch, b.limit.of(0), now); !fits { // only then is it worth counting
		objects, err := b.objectsOn(ctx, cluster)
		if err != nil {
			return false, err
		}
		record.Spec.Removals, fits = charge(before, batch, b.limit.of(objects), now)
	}
	switch {
	case !fits:
		return false, nil
	case absent:
		_, err = b.set.Create(ctx, record)
	default:
		_, err = b.set.Update(ctx, record)
	}
	return err == nil, err
}

// countAgain is how old the number of the objects on clusters may be. It takes a request for every application.
const countAgain = time.Minute

// objectsOn is how many objects all applications have on a cluster.
func (b *Budget) objectsOn(ctx context.Context, cluster string) (int, error) {
	if now := b.clock(); now.Sub(b.counted).Abs() > countAgain {
		objects := map[string]int{}
		for _, a := range b.apps.List(func(a *api.Application) bool { return !untouched(a) }) {
			var inventory api.Inventory
			if _, err := b.appSet.GetPart(ctx, a, api.InventoryPart, &inventory); err != nil && !client.NotFound(err) {
				return 0, err
			}
			for _, o := range inventory.Objects {
				objects[o.Cluster]++
			}
		}
		b.objects, b.counted = objects, now
	}
	return b.objects[cluster], nil
}
