package kubernetes

import (
	"context"
	"errors"
	"slices"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/failpoint"
	"github.com/rak-n-rok/krake/internal/fleet"
)

// A batch is what is to be removed from one cluster for one reason. It goes as a whole or waits as a whole, so that no
// application is left with a half of its objects.
type batch struct {
	objects []api.InventoryObject
	unasked []api.InventoryObject // those of them that nobody asked to go
	why     string
}

// verdict says what of a batch may be removed.
type verdict struct {
	removal api.Removal           // to be stored before anything is removed
	objects []api.InventoryObject // of the batch, with the UIDs that they have now
	free    []api.InventoryObject // those of them that may go
	waits   bool                  // for the others somebody has to approve it
}

// judge decides which objects of a batch may go, beside what was decided before. What waits goes on waiting until it is
// approved, also when there would be room for it later: an accident must not go on bit by bit. When it becomes another
// set of objects, it is judged anew.
//
// An approval is for objects that were looked at, so before anything goes it is looked whether they are still the same
// ones.
func (b *Budget) judge(ctx context.Context, m *fleet.Member, appUID string, before api.Removal, x batch) (verdict, error) {
	waiting := on(m.Identity(), before.Waiting)
	v := verdict{removal: before, objects: x.objects, waits: true}
	isAllowed := func(o api.InventoryObject) bool { return slices.Contains(before.Allowed, o.UID) }
	if !slices.ContainsFunc(x.objects, isAllowed) && sameObjects(x.unasked, waiting) {
		return v, nil // nothing new
	}
	objects, pending, err := look(ctx, m, appUID, x)
	if err != nil {
		return v, err
	}
	pending = slices.DeleteFunc(pending, isAllowed)
	v.objects = objects
	if len(pending) > 0 && sameObjects(pending, waiting) {
		v.free = slices.DeleteFunc(slices.Clone(objects), func(o api.InventoryObject) bool { return !isAllowed(o) })
		return v, nil
	}
	if len(pending) > 0 {
		fits, err := b.charge(ctx, m.Identity(), len(pending))
		if err != nil {
			return v, err
		}
		if !fits {
			v.removal.Waiting = append(notOn(m.Identity(), before.Waiting), pending...)
			v.removal.Why = x.why
			v.free = slices.DeleteFunc(slices.Clone(objects), func(o api.InventoryObject) bool { return !isAllowed(o) })
			return v, nil
		}
		failpoint.Hit(failpoint.RemovalCharged)
	}
	v.removal.Waiting, v.removal.Allowed = notOn(m.Identity(), before.Waiting), slices.Clone(before.Allowed)
	for _, o := range pending {
		v.removal.Allowed = append(v.removal.Allowed, o.UID)
	}
	v.free, v.waits = objects, false
	return v, nil
}

// look returns a batch with the UIDs that its objects have now, and those of the unasked ones that are there.
func look(ctx context.Context, m *fleet.Member, appUID string, x batch) (objects, pending []api.InventoryObject, err error) {
	var errs []error
	objects = slices.Clone(x.objects)
	for i, found := range m.Find(ctx, objects, appUID) {
		if found.Err != nil {
			errs = append(errs, found.Err)
		}
		if found.UID == "" {
			continue
		}
		objects[i].UID = found.UID
		if slices.ContainsFunc(x.unasked, objects[i].SameObject) {
			pending = append(pending, objects[i])
		}
	}
	return objects, pending, errors.Join(errs...)
}

// on returns those objects that are on a cluster.
func on(identity string, objects []api.InventoryObject) []api.InventoryObject {
	return slices.DeleteFunc(slices.Clone(objects), func(o api.InventoryObject) bool { return o.Cluster != identity })
}

// notOn returns those objects that are elsewhere.
func notOn(identity string, objects []api.InventoryObject) []api.InventoryObject {
	return slices.DeleteFunc(slices.Clone(objects), func(o api.InventoryObject) bool { return o.Cluster == identity })
}

// sameObjects compares objects of one cluster by their UIDs.
func sameObjects(a, b []api.InventoryObject) bool {
	uids := func(objects []api.InventoryObject) []string {
		out := make([]string, 0, len(objects))
		for _, o := range objects {
			out = append(out, o.UID)
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(uids(a), uids(b))
}

// forgetting returns a removal without what objects are not known any more.
func forgetting(r api.Removal, known []api.InventoryObject) api.Removal {
	gone := func(uid string) bool {
		return !slices.ContainsFunc(known, func(o api.InventoryObject) bool { return o.UID == uid })
	}
	r.Waiting = slices.DeleteFunc(slices.Clone(r.Waiting), func(o api.InventoryObject) bool { return gone(o.UID) })
	r.Allowed = slices.DeleteFunc(slices.Clone(r.Allowed), gone)
	if len(r.Waiting) == 0 {
		r.Why = ""
	}
	return r
}

// saying returns conditions that tell of a removal, if something waits.
func saying(cs api.Conditions, r api.Removal, of api.Resource, now api.Time) api.Conditions {
	switch c := r.Condition(of); {
	case len(r.Waiting) > 0 && c != timeless(cs.Get(api.AwaitingApproval)):
		return cs.With(c, now)
	case len(r.Waiting) == 0 && tells(cs):
		return cs.Without(api.AwaitingApproval)
	}
	return cs
}

// tells says whether conditions tell of a removal that waits or has waited.
func tells(cs api.Conditions) bool { return cs.Get(api.AwaitingApproval).Reason != "" }

// approvalChanged says whether somebody else has changed what waits.
func approvalChanged(before, after api.Conditions) bool {
	return timeless(before.Get(api.AwaitingApproval)) != timeless(after.Get(api.AwaitingApproval))
}
