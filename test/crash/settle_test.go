//go:build crash

package crash

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

// settleWithin is how long everything may take to settle once nothing is asked for any more. It is long for a busy
// machine, and shorter than the minute after which the controllers look at everything again: nothing may wait for that.
const settleWithin = 45 * time.Second

// lookedFor is how much longer it may take where objects are left over of which it is not known whether they were made:
// they are looked for until whoever was making them must have given up.
const lookedFor = time.Minute

// settled is what the API shows when nothing is left to do.
type settled struct {
	apps        map[*account]*api.Application
	inventories map[*account]api.Inventory
	uncertain   bool // there are leftovers of what may or may not have been made
}

// settle waits until every application is as its owner wants it, and returns what the API shows then. The load must
// pause.
func (x *experiment) settle(ctx context.Context) (settled, error) {
	begun, limit := time.Now(), settleWithin
	for {
		s, unsettled := x.look(ctx)
		if unsettled == nil {
			x.slowest = max(x.slowest, time.Since(begun))
			return s, nil
		}
		if s.uncertain {
			limit = settleWithin + lookedFor // from now on: what else is left over there waits for what is looked for
		}
		if time.Since(begun) > limit {
			return s, fmt.Errorf("not everything has settled within %s: %w", limit, unsettled)
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return s, err
		}
	}
}

// look reads what the API shows and says what is not yet as it should be.
func (x *experiment) look(ctx context.Context) (settled, error) {
	s := settled{apps: map[*account]*api.Application{}, inventories: map[*account]api.Inventory{}}
	shown, _, err := x.load.apps.List(ctx, krakeNamespace)
	if err != nil {
		return s, err
	}
	byName := map[string]*api.Application{}
	for _, app := range shown {
		byName[app.Metadata.Name] = app
	}
	var unsettled error
	spares, err := x.load.spares(ctx)
	if err != nil {
		return s, err
	}
	for _, a := range x.load.all() {
		app := byName[a.name]
		err := x.finished(ctx, a, app, s)
		if p := a.promise(); err == nil && p.record.deleteSent && spares[a.ownRecord()] {
			err = fmt.Errorf("its own record %s is still there", a.ownRecord())
		}
		if err != nil && unsettled == nil {
			unsettled = fmt.Errorf("%s: %w", a.name, err)
		}
		if app != nil {
			s.apps[a] = app
		}
	}
	leftovers, _, err := client.Of[api.Leftover](x.load.client).List(ctx, krakeNamespace)
	for _, l := range leftovers {
		s.uncertain = s.uncertain || slices.ContainsFunc(l.Spec.Objects, func(o api.InventoryObject) bool { return o.UID == "" })
	}
	if err == nil && len(leftovers) > 0 {
		err = fmt.Errorf("%d leftovers are still there, one of them because of %q, with %d objects, message %q",
			len(leftovers), leftovers[0].Spec.Cause, len(leftovers[0].Spec.Objects), leftovers[0].Status.Message)
	}
	return s, errors.Join(unsettled, err)
}

// finished says what is missing until an application is as its owner wants it, and reads its inventory.
func (x *experiment) finished(ctx context.Context, a *account, app *api.Application, s settled) error {
	p := a.promise()
	switch {
	case p.deleteSent && app != nil:
		return fmt.Errorf("it is to be deleted and is %s, with the finalizers %v", app.Status.State, app.Metadata.Finalizers)
	case p.deleteSent || p.sent == 0:
		return nil
	case app == nil:
		return errors.New("it is not there")
	}
	r := a.revisions[p.sent-1]
	if err := a.unsettled(app, r); err != nil {
		return err
	}
	var inventory api.Inventory
	var migration api.Migration
	if _, err := x.load.apps.GetPart(ctx, app, api.InventoryPart, &inventory); err != nil {
		return err
	}
	if _, err := x.load.apps.GetPart(ctx, app, api.MigrationPart, &migration); err != nil {
		return err
	}
	s.inventories[a] = inventory
	if migration.Phase != api.PhaseNone {
		return fmt.Errorf("its move is in the phase %s", migration.Phase)
	}
	for _, o := range inventory.Objects {
		if o.UID == "" || x.clusterOf(o.Cluster) == nil || x.clusterOf(o.Cluster).site != a.place(r) {
			return fmt.Errorf("its inventory has %s %s on %s with the UID %q", o.Kind, o.Name, o.Cluster, o.UID)
		}
	}
	for _, w := range a.allWounds() {
		if w.site == a.place(r) {
			if err := x.load.healed(ctx, a, w); err != nil {
				return err
			}
		}
	}
	return nil
}

// unsettled says what an application that runs would still have to become, going by its record alone.
func (l life) unsettled(app *api.Application, r revision) error {
	s := app.Status
	applied, healthy := s.Conditions.Get(api.Applied), s.Conditions.Get(api.Healthy)
	switch {
	case app.Metadata.Generation != r.number:
		return fmt.Errorf("it is at generation %d, not at %d", app.Metadata.Generation, r.number)
	case s.State != l.shape.state:
		return fmt.Errorf("it is %s, reason %v", s.State, inJSON(s.Reason))
	case s.ScheduledTo == nil || s.ScheduledTo.Name != r.site || !api.SameRef(s.ScheduledTo, s.RunningOn):
		return fmt.Errorf("it is to run on %s, is bound to %s and runs on %s", r.site, inJSON(s.ScheduledTo), inJSON(s.RunningOn))
	case applied.Status != api.True || applied.ObservedGeneration != r.number:
		return fmt.Errorf("it is not applied: %s", inJSON(applied))
	case healthy.Status != api.True || healthy.ObservedGeneration != r.number:
		return fmt.Errorf("it is not healthy: %s", inJSON(healthy))
	case s.Conditions.Get(api.Migrating).Status == api.True:
		return errors.New("it is on the move")
	case s.Services.Text(app.Metadata.Name) == "":
		return fmt.Errorf("its service has no address, only %v are known", s.Services)
	}
	return nil
}
