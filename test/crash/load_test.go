//go:build crash

package crash

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

// inFlight is how many applications there are at the same time.
const inFlight = 20

// pollEvery is how often something is looked at until it is as it should be.
const pollEvery = 150 * time.Millisecond

// load keeps applications going. Each of its workers leads one application after the other through its life and retries
// what had no answer, as any careful client would.
type load struct {
	seed     uint64
	client   *client.Client
	apps     client.Set[api.Application, *api.Application]
	records  client.Set[api.Cluster, *api.Cluster]
	clusters map[string]*cluster // by site
	witness  *witness
	fail     func(error)

	writing sync.RWMutex // held for reading while something is being written, until it is acknowledged

	mu       sync.Mutex
	accounts []*account
	byName   map[string]*account
}

// start begins the work of all workers. The returned function ends it.
func (l *load) start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var workers sync.WaitGroup
	for range inFlight {
		workers.Go(func() {
			for ctx.Err() == nil {
				a := l.open()
				if err := l.lead(ctx, a); err != nil && ctx.Err() == nil {
					l.fail(err)
					return
				}
			}
		})
	}
	return func() {
		cancel()
		workers.Wait()
	}
}

// pause waits until all that was sent is acknowledged, and lets nothing be sent until the returned function is called.
// The server must be running.
func (l *load) pause() (resume func()) {
	late := time.AfterFunc(time.Minute, func() { l.fail(errors.New("a write was not acknowledged within a minute")) })
	defer late.Stop()
	l.writing.Lock()
	return l.writing.Unlock
}

// find returns the account of an application, nil if there is none of this name.
func (l *load) find(name string) *account {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byName[name]
}

func (l *load) open() *account {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := &account{life: newLife(l.seed, len(l.accounts)+1)}
	l.accounts = append(l.accounts, a)
	l.byName[a.name] = a
	return a
}

// all returns the accounts of all applications that there were.
func (l *load) all() []*account {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]*account(nil), l.accounts...)
}

// lead takes an application through its life.
func (l *load) lead(ctx context.Context, a *account) error {
	if a.shape == guest {
		if err := l.register(ctx, a); err != nil {
			return err
		}
	}
	for _, r := range a.revisions {
		if err := l.write(ctx, a, r); err != nil {
			return err
		}
		if a.left(r) && !a.promise().record.deleteSent {
			if err := l.unregister(ctx, a, r); err != nil {
				return err
			}
		}
		if !r.hasty {
			if err := l.await(ctx, a, func(app *api.Application) bool { return app != nil && a.unsettled(app, r) == nil }); err != nil {
				return err
			}
		}
		if err := sleep(ctx, r.pause); err != nil {
			return err
		}
		if err := l.injure(ctx, a, r); err != nil {
			return err
		}
	}
	return l.finish(ctx, a)
}

// finish ends the life of an application.
func (l *load) finish(ctx context.Context, a *account) error {
	last := a.revisions[len(a.revisions)-1]
	if a.force { // a record that is removed while objects are being made leaves some that take a minute to be found
		if err := l.await(ctx, a, func(app *api.Application) bool { return app != nil && a.unsettled(app, last) == nil }); err != nil {
			return err
		}
	}
	end := func() error { return l.remove(ctx, a, a.force) }
	if a.shape == guest && !a.left(last) {
		end = func() error { return l.goAlong(ctx, a) }
	}
	if err := end(); err != nil {
		return err
	}
	return l.await(ctx, a, func(app *api.Application) bool { return app == nil })
}

// write sends a revision until it is acknowledged.
func (l *load) write(ctx context.Context, a *account, r revision) error {
	l.writing.RLock()
	defer l.writing.RUnlock()
	return l.insist(ctx, a, func() (done bool, err error) {
		if r.number == 1 {
			return l.create(ctx, a, r)
		}
		return l.update(ctx, a, r)
	})
}

// insist repeats an attempt to write until it is done. What had no answer may have been done.
func (l *load) insist(ctx context.Context, a *account, attempt func() (done bool, err error)) error {
	for {
		done, err := attempt()
		switch {
		case client.Unreachable(err):
			a.note(func(p *promise) { p.lost++ })
		case err != nil && !client.Conflict(err):
			return fmt.Errorf("%s: %w", a.name, err)
		case done:
			a.note(func(p *promise) { p.answered++ })
			return nil
		}
		if err := sleep(ctx, 30*time.Millisecond); err != nil {
			return err
		}
	}
}

func (l *load) create(ctx context.Context, a *account, r revision) (done bool, err error) {
	before := a.promise()
	a.note(func(p *promise) { p.sent = r.number })
	app, err := l.apps.Create(ctx, a.application(r))
	if client.Exists(err) && before.sent != 0 { // an attempt before this one had no answer and was successful
		app, err = l.apps.Get(ctx, krakeNamespace, a.name)
	}
	if err != nil {
		return false, err
	}
	return true, a.saw(before, app)
}

func (l *load) update(ctx context.Context, a *account, r revision) (done bool, err error) {
	before := a.promise()
	app, err := l.apps.Get(ctx, krakeNamespace, a.name)
	if err != nil {
		return false, err // a promise is broken if it is not there
	}
	if err := a.saw(before, app); err != nil {
		return false, err
	}
	if app.Metadata.Generation == r.number {
		return true, nil // an attempt before this one had no answer and was successful
	}
	app.Spec = a.spec(r)
	a.note(func(p *promise) { p.sent = r.number })
	before = a.promise()
	updated, err := l.apps.Update(ctx, app)
	if err != nil {
		return false, err
	}
	if updated.Metadata.Generation != r.number {
		return false, fmt.Errorf("revision %d was acknowledged as generation %d", r.number, updated.Metadata.Generation)
	}
	return true, a.saw(before, updated)
}

// remove asks for the deletion until it is acknowledged. By force, the record goes at once.
func (l *load) remove(ctx context.Context, a *account, force bool) error {
	l.writing.RLock()
	defer l.writing.RUnlock()
	return l.insist(ctx, a, func() (done bool, err error) {
		before := a.promise()
		a.note(func(p *promise) { p.deleteSent = true })
		app, err := l.apps.Delete(ctx, krakeNamespace, a.name, client.DeleteOptions{Force: force})
		switch {
		case client.NotFound(err) && (before.deleteSent || before.stored == 0):
			return true, a.saw(before, nil)
		case err != nil:
			return false, err
		case force:
			a.note(func(p *promise) { p.recordIsGone = true })
			return true, nil
		}
		return true, a.saw(before, app)
	})
}

// await looks at an application, nil when there is none, until it is as it should be.
func (l *load) await(ctx context.Context, a *account, wanted func(*api.Application) bool) error {
	for {
		before := a.promise()
		app, err := l.apps.Get(ctx, krakeNamespace, a.name)
		switch {
		case client.NotFound(err):
			app, err = nil, nil
		case client.Unreachable(err):
		case err != nil:
			return fmt.Errorf("%s: %w", a.name, err)
		}
		if err == nil {
			if err := a.saw(before, app); err != nil {
				return err
			}
			if wanted(app) {
				return nil
			}
		}
		if err := sleep(ctx, pollEvery); err != nil {
			return err
		}
	}
}

// audit compares one list of everything with all promises.
func (l *load) audit(ctx context.Context) error {
	accounts := l.all()
	before := make(map[*account]promise, len(accounts))
	for _, a := range accounts {
		before[a] = a.promise()
	}
	shown, _, err := l.apps.List(ctx, krakeNamespace)
	if err != nil {
		return err
	}
	byName := map[string]*api.Application{}
	for _, app := range shown {
		byName[app.Metadata.Name] = app
	}
	for _, a := range l.all() { // also those that began meanwhile
		if err := a.saw(before[a], byName[a.name]); err != nil {
			return err
		}
		delete(byName, a.name)
	}
	for name := range byName {
		return errors.New(name + ": nobody created it")
	}
	return l.auditRecords(ctx, before)
}

// counts says how many applications began and ended, and how many writes were acknowledged, and how many attempts
// to write had no answer.
func (l *load) counts() (begun, ended, answered, lost int) {
	for _, a := range l.all() {
		p := a.promise()
		begun++
		if p.recordIsGone {
			ended++
		}
		answered += p.answered
		lost += p.lost
	}
	return begun, ended, answered, lost
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// newClient returns a client of whatever server runs at the time: its URL is only a name.
func newClient(s *server, agent string) (*client.Client, error) {
	return client.New(client.Config{
		URL: "http://localhost", UserAgent: agent, Timeout: 15 * time.Second,
		Transport: &http.Transport{DialContext: s.dial, MaxIdleConnsPerHost: inFlight},
	})
}
