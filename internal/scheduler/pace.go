package scheduler

import (
	"sync"
	"time"

	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// A pace lets applications leave silent clusters one by one: a bucket with room for one token.
type pace struct {
	mu   sync.Mutex
	next time.Time // when the token is there
}

// begin waits for the first token: the process before may have taken one just now.
func (p *pace) begin(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = now.Add(core.FailoverPace)
}

// take takes the token, if it is there, and returns how to give it back; else how long it takes until it is.
func (p *pace) take(now time.Time) (giveBack func(), wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.next
	if wait := before.Sub(now); wait > 0 {
		return nil, wait
	}
	p.next = now.Add(core.FailoverPace)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.next = before
	}, 0
}
