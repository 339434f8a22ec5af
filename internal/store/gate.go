package store

import "sync"

// A gate counts who is inside, so that what they use is not closed under them.
type gate struct {
	mu     sync.RWMutex
	closed bool
}

// enter gives ErrClosed once the gate is closed; otherwise leave must follow.
func (g *gate) enter() error {
	g.mu.RLock()
	if g.closed {
		g.mu.RUnlock()
		return ErrClosed
	}
	return nil
}

func (g *gate) leave() { g.mu.RUnlock() }

// close lets nobody in any more and waits for those inside. It returns false
// when the gate was closed before.
func (g *gate) close() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := !g.closed
	g.closed = true
	return first
}
