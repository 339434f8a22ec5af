package fairness

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// ErrFull says that as many requests of the client wait already as may.
var ErrFull = errors.New("too many requests of this client are waiting")

// A Client is who has a line of its own.
type Client struct{ User, Host string }

// Limits bound a Gate. Each must be at least 1.
type Limits struct {
	AtWork  int // of all clients
	Share   int // of one client at work; less than AtWork keeps places free for the others
	Crowd   int // the same of one with a long line while others come: they share not only places with it, but also processors and the disk
	Long    int // a line of so many is long; who does a bounded number of things at a time has none
	Waiting int // of one client
}

// crowded is how long others are remembered to have come. It is longer than who does one thing after another pauses, and
// shorter than the time between what is done only now and then.
const crowded = 100 * time.Millisecond

// A Gate counts who is at work. Its methods may be used by any goroutine.
type Gate struct {
	limits Limits

	mu      sync.Mutex
	atWork  int
	waiting int
	lines   map[Client]*line // of clients that have somebody at work or waiting
	turns   list.List        // the lines in which somebody waits, the next one first
	last    Client           // who came last
	mixed   time.Time        // when last somebody came who was not the one before
	timed   bool             // it is looked again at who waits when that is long enough ago
}

// A line is one client.
type line struct {
	atWork  int
	waiting list.List     // of chan struct{}, which are closed when it is their turn
	turn    *list.Element // in Gate.turns; nil when nobody waits
}

// New returns a gate with nobody inside.
func New(l Limits) *Gate { return &Gate{limits: l, lines: map[Client]*line{}} }

// Enter returns when the client may work; Leave must follow. It gives ErrFull when the client's line is too long, and the
// context's error when that ends first.
func (g *Gate) Enter(ctx context.Context, c Client) error {
	g.mu.Lock()
	l := g.lines[c]
	if l == nil {
		l = &line{}
		g.lines[c] = l
	}
	if c != g.last {
		if g.last != (Client{}) {
			g.mixed = time.Now()
		}
		g.last = c
	}
	if l.waiting.Len() == 0 && l.atWork < g.share(l) && g.atWork < g.limits.AtWork {
		l.atWork++
		g.atWork++
		g.mu.Unlock()
		return nil
	}
	if l.waiting.Len() >= g.limits.Waiting {
		g.mu.Unlock()
		return ErrFull
	}
	turn := make(chan struct{})
	place := l.waiting.PushBack(turn)
	g.waiting++
	if l.turn == nil {
		l.turn = g.turns.PushBack(l)
	}
	g.lookAgain()
	g.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		g.abandon(c, l, place)
		return ctx.Err()
	}
}

// abandon takes back a request that waits, or has just been let in.
func (g *Gate) abandon(c Client, l *line, place *list.Element) {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-place.Value.(chan struct{}):
		g.leave(c, l)
		return
	default:
	}
	g.waiting--
	l.waiting.Remove(place)
	if l.waiting.Len() == 0 {
		g.turns.Remove(l.turn)
		l.turn = nil
	}
	g.forget(c, l)
}

// Leave says that a request which Enter let in has done its work.
func (g *Gate) Leave(c Client) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leave(c, g.lines[c])
}

// leave is called with the mutex held.
func (g *Gate) leave(c Client, l *line) {
	l.atWork--
	g.atWork--
	g.next()
	g.forget(c, l)
}

// share is how many of one client may be at work now.
func (g *Gate) share(l *line) int {
	if l.waiting.Len() >= g.limits.Long && time.Since(g.mixed) < crowded {
		return g.limits.Crowd
	}
	return g.limits.Share
}

// next gives free places to the lines that are below their share, by turns.
func (g *Gate) next() {
	for e := g.turns.Front(); e != nil && g.atWork < g.limits.AtWork; {
		l := e.Value.(*line)
		if l.atWork >= g.share(l) {
			e = e.Next()
			continue
		}
		close(l.waiting.Remove(l.waiting.Front()).(chan struct{}))
		g.waiting--
		l.atWork++
		g.atWork++
		if l.waiting.Len() > 0 {
			g.turns.MoveToBack(e)
		} else {
			g.turns.Remove(e)
			l.turn = nil
		}
		e = g.turns.Front() // most often one place became free, and that was it
	}
	g.lookAgain()
}

// lookAgain lets those in later who wait only because others have come, if these have not come again by then.
func (g *Gate) lookAgain() {
	if g.timed || g.atWork == g.limits.AtWork || !g.heldBack() {
		return
	}
	g.timed = true
	time.AfterFunc(crowded-time.Since(g.mixed), func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.timed = false
		g.next()
	})
}

// heldBack says whether somebody waits who would have a place if nobody else came.
func (g *Gate) heldBack() bool {
	for e := g.turns.Front(); e != nil; e = e.Next() {
		if e.Value.(*line).atWork < g.limits.Share {
			return true
		}
	}
	return false
}

// forget drops a line in which nobody is left.
func (g *Gate) forget(c Client, l *line) {
	if l.atWork == 0 && l.waiting.Len() == 0 {
		delete(g.lines, c)
	}
}

// Load is how busy a gate is.
type Load struct{ AtWork, Waiting, Clients int }

// Load counts who is inside and who waits.
func (g *Gate) Load() Load {
	g.mu.Lock()
	defer g.mu.Unlock()
	return Load{AtWork: g.atWork, Waiting: g.waiting, Clients: len(g.lines)}
}
