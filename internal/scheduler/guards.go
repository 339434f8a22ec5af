package scheduler

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// guard is what this process remembers of an application for which a better place is or was known. What of it is stored
// survives the process.
type guard struct {
	uid     string
	memory  core.Memory
	stored  api.Placement // as it was read or written last
	looked  time.Time     // zero before the first look
	written time.Time
}

// elapsed is the time since the last look.
func (g *guard) elapsed(now time.Time) time.Duration {
	if g.looked.IsZero() {
		return 0
	}
	return now.Sub(g.looked)
}

// idle says whether there is nothing to remember that could not be read again.
func (g *guard) idle() bool {
	m, stored := g.memory, g.stored
	return m.Regret == 0 && m.Waiting == nil && len(m.Moves) == 0 && stored.Waiting == nil && stored.Regret == 0
}

// guards are those of all applications that need one. A guard is used only by who works on its application.
type guards struct {
	mu sync.Mutex
	of map[controller.Key]*guard
}

// get returns the guard of an application, nil if there is none, or one of a former application of that name.
func (g *guards) get(a *api.Application) *guard {
	g.mu.Lock()
	defer g.mu.Unlock()
	if found := g.of[controller.KeyOf(a)]; found != nil && found.uid == a.Metadata.UID {
		return found
	}
	return nil
}

func (g *guards) set(a *api.Application, one *guard) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.of[controller.KeyOf(a)] = one
}

func (g *guards) forget(key controller.Key) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.of, key)
}

func (g *guards) clear() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.of = map[controller.Key]*guard{}
}

// keys are the applications of a namespace that have a guard; of all namespaces if it is empty.
func (g *guards) keys(namespace string) []controller.Key {
	g.mu.Lock()
	defer g.mu.Unlock()
	keys := slices.Collect(maps.Keys(g.of))
	return slices.DeleteFunc(keys, func(k controller.Key) bool { return namespace != "" && k.Namespace != namespace })
}

// ledger counts the moves of the last hour by the cluster that they went to. What is in it can be read again from the
// records of the applications.
type ledger struct {
	limit int // for each cluster; zero for none

	mu       sync.Mutex
	arrivals map[controller.Key][]time.Time // the oldest first
}

const hour = time.Hour

// full gives the clusters of a namespace that have reached the limit, with the time when there is room again.
func (l *ledger) full(namespace string, now time.Time) map[string]time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[string]time.Time{}
	for key := range l.arrivals {
		if key.Namespace != namespace {
			continue
		}
		if at := l.recent(key, now); l.limit > 0 && len(at) >= l.limit {
			out[key.Name] = at[len(at)-l.limit].Add(hour)
		}
	}
	return out
}

// take counts a move that is about to be made, if there is room.
func (l *ledger) take(key controller.Key, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.recent(key, now)
	if l.limit > 0 && len(at) >= l.limit {
		return false
	}
	l.arrivals[key] = append(at, now)
	return true
}

// add counts a move that was made, whether there was room or not.
func (l *ledger) add(key controller.Key, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.arrivals[key] = append(l.arrivals[key], at)
	slices.SortFunc(l.arrivals[key], time.Time.Compare)
}

// giveBack takes back a move that was not made.
func (l *ledger) giveBack(key controller.Key, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.IndexFunc(l.arrivals[key], at.Equal); i >= 0 {
		l.arrivals[key] = slices.Delete(l.arrivals[key], i, i+1)
	}
}

func (l *ledger) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.arrivals = map[controller.Key][]time.Time{}
}

// recent forgets what is older than an hour, and what a clock that was wrong has written.
func (l *ledger) recent(key controller.Key, now time.Time) []time.Time {
	at := slices.DeleteFunc(l.arrivals[key], func(t time.Time) bool { return t.After(now) || now.Sub(t) >= hour })
	if len(at) == 0 {
		delete(l.arrivals, key)
		return nil
	}
	l.arrivals[key] = at
	return at
}
