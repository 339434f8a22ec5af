package kubernetes

import (
	"context"
	"errors"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/fleet"
)

// letGo takes Krake's mark off everything that a deleted application has on clusters; nothing of it is deleted. What is
// on a cluster that does not answer is let go when it does: it becomes a leftover. Of an application that was about to
// move both copies stay.
func (p *pass) letGo(ctx context.Context) (done bool, err error) {
	var errs []error
	for _, identity := range p.identities() {
		err := p.letGoOn(ctx, identity)
		if err != nil && ours(err) {
			return false, err
		}
		errs = append(errs, err)
	}
	return true, errors.Join(errs...)
}

func (p *pass) letGoOn(ctx context.Context, identity string) error {
	m, err := memberByIdentity(ctx, p.fleet, p.ways, place{p.app.Metadata.NamespaceOrEmpty(), identity})
	if m != nil {
		var left []api.InventoryObject
		left, err = release(ctx, m, p.entries(identity), p.app.Metadata.UID)
		p.keepOnly(identity, left)
		if storeErr := p.flush(ctx); storeErr != nil {
			return storeErr
		}
	}
	switch {
	case m == nil && err == nil:
		return p.handOver(ctx, identity, "The cluster's record was removed; what is there is to stay.", byName)
	case silent(err):
		return p.handOver(ctx, identity, "The cluster could not be reached; what is there is to stay.", byName)
	}
	return err
}

// keepOnly drops from the inventory what a cluster has, but for these.
func (p *pass) keepOnly(identity string, left []api.InventoryObject) {
	p.drop(p.entries(identity)...)
	p.record(left...)
}

// release lets objects go, and returns those with which that did not work.
func release(ctx context.Context, m *fleet.Member, entries []api.InventoryObject, appUID string) (left []api.InventoryObject, err error) {
	errs := m.LetGoAll(ctx, entries, appUID)
	for i, err := range errs {
		if err != nil {
			left = append(left, entries[i])
		}
	}
	return left, errors.Join(errs...)
}
