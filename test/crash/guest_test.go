//go:build crash

package crash

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

// A guest begins on a record that is there for it alone and leads to the cluster a. It goes on to the record a, which
// moves nothing, or to b, and its own record is removed while it is on its way. Or it stays, and goes with the record.

// registration is what the API must keep of a record of a cluster.
type registration struct{ sent, stored, deleteSent, gone bool }

// ownRecord is the name of a guest's record, and the value of its label site.
func (l life) ownRecord() string { return "spare-" + strings.TrimPrefix(l.name, "app-") }

// left says whether a guest has left its own record with this revision.
func (l life) left(r revision) bool { return l.shape == guest && r.site != l.ownRecord() }

// register makes a guest's record and waits until the cluster has answered.
func (l *load) register(ctx context.Context, a *account) error {
	if err := l.sendRecord(ctx, a); err != nil {
		return err
	}
	for {
		record, err := l.records.Get(ctx, krakeNamespace, a.ownRecord())
		if err != nil && !client.Unreachable(err) {
			return fmt.Errorf("the record %s: %w", a.ownRecord(), err)
		}
		if err == nil && record.Status.State == api.ClusterOnline {
			return nil
		}
		if err := sleep(ctx, pollEvery); err != nil {
			return err
		}
	}
}

func (l *load) sendRecord(ctx context.Context, a *account) error {
	l.writing.RLock()
	defer l.writing.RUnlock()
	record := *l.clusters["a"].record
	record.Metadata.Name, record.Metadata.Labels = a.ownRecord(), api.Labels{"site": a.ownRecord()}
	return l.insist(ctx, a, func() (done bool, err error) {
		before := a.promise()
		a.note(func(p *promise) { p.record.sent = true })
		_, err = l.records.Create(ctx, &record)
		if client.Exists(err) && before.record.sent { // an attempt before this one had no answer and was successful
			err = nil
		}
		if err != nil {
			return false, err
		}
		a.note(func(p *promise) { p.record.stored = true })
		return true, nil
	})
}

// unregister removes a guest's record once the guest is bound elsewhere, sometimes by force.
func (l *load) unregister(ctx context.Context, a *account, r revision) error {
	if err := l.awaitBinding(ctx, a, r.site); err != nil {
		return err
	}
	return l.removeRecord(ctx, a, r.number%2 == 0, false)
}

func (l *load) awaitBinding(ctx context.Context, a *account, site string) error {
	return l.await(ctx, a, func(app *api.Application) bool {
		return app != nil && app.Status.ScheduledTo != nil && app.Status.ScheduledTo.Name == site
	})
}

// goAlong removes a guest's record with the guest on it.
func (l *load) goAlong(ctx context.Context, a *account) error {
	if err := l.awaitBinding(ctx, a, a.ownRecord()); err != nil {
		return err
	}
	return l.removeRecord(ctx, a, false, true)
}

// removeRecord removes a guest's record until that is acknowledged; along says that the guest goes with it.
func (l *load) removeRecord(ctx context.Context, a *account, force, along bool) error {
	l.writing.RLock()
	defer l.writing.RUnlock()
	return l.insist(ctx, a, func() (done bool, err error) {
		before := a.promise()
		a.note(func(p *promise) { p.record.deleteSent, p.deleteSent = true, p.deleteSent || along })
		_, err = l.records.Delete(ctx, krakeNamespace, a.ownRecord(), client.DeleteOptions{Force: force})
		switch {
		case client.NotFound(err) && before.record.deleteSent:
			a.note(func(p *promise) { p.record.gone = true })
			return true, nil
		case err != nil:
			return false, err
		}
		a.note(func(p *promise) { p.record.gone = force })
		return true, nil
	})
}

// auditRecords compares the records of clusters that there are with what was promised before they were asked for.
func (l *load) auditRecords(ctx context.Context, before map[*account]promise) error {
	there, err := l.spares(ctx)
	if err != nil {
		return err
	}
	for _, a := range l.all() {
		name, p := a.ownRecord(), before[a].record
		switch {
		case there[name] && p.gone:
			return fmt.Errorf("the record %s was gone and is there again", name)
		case !there[name] && p.stored && !a.promise().record.deleteSent:
			return fmt.Errorf("the record %s was acknowledged, nobody removed it, and it is not there", name)
		}
		delete(there, name)
	}
	for name := range there {
		return errors.New("nobody registered " + name)
	}
	return nil
}

// spares names the records of clusters but those that are there for all.
func (l *load) spares(ctx context.Context) (map[string]bool, error) {
	list, _, err := l.records.List(ctx, krakeNamespace)
	names := map[string]bool{}
	for _, c := range list {
		if l.clusters[c.Metadata.Name] == nil {
			names[c.Metadata.Name] = true
		}
	}
	return names, err
}
