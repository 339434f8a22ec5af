package fleet

import (
	"sync"
	"time"
)

const (
	// breakerThreshold is how many requests in a row may fail to get an answer before further ones are not sent.
	breakerThreshold = 3
	// breakerFirst and breakerLast bound how long nothing is sent; the time doubles with each failed trial. The last
	// one is also how late the return of a cluster may be noticed.
	breakerFirst = time.Second
	breakerLast  = 15 * time.Second
)

// breaker refuses requests to a cluster that does not answer, so that neither workers nor users wait for one timeout
// after the other. While it is open, one request at a time is let through to try.
type breaker struct {
	now func() time.Time

	mu       sync.Mutex
	failures int           // in a row
	delay    time.Duration // of the current opening
	until    time.Time     // when the next trial may start
	trying   bool
	cause    error
}

// pass is the permission to send one request. It must be given back.
type pass struct{ trial bool }

// openError says that a request was not sent. Its text is that of the failure that opened the breaker: what is stored of
// it must not change with every attempt.
type openError struct {
	cause error
	wait  time.Duration // until the next trial
}

func (e *openError) Error() string { return e.cause.Error() }
func (e *openError) Unwrap() error { return e.cause }

// enter asks for permission to send a request.
func (b *breaker) enter() (pass, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < breakerThreshold {
		return pass{}, nil
	}
	if wait := b.until.Sub(b.now()); wait > 0 || b.trying {
		return pass{}, &openError{b.cause, max(wait, 0)}
	}
	b.trying = true
	return pass{trial: true}, nil
}

// answered gives a pass back: the cluster answered, whatever it said.
func (b *breaker) answered(p pass) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures, b.delay, b.cause = 0, 0, nil
	b.trying = b.trying && !p.trial
}

// failed gives a pass back: there was no answer.
func (b *breaker) failed(p pass, cause error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cause = cause
	if b.failures >= breakerThreshold && !p.trial {
		return // sent before the breaker opened: what it says is known already
	}
	b.trying = b.trying && !p.trial
	b.failures++
	if b.failures >= breakerThreshold {
		b.delay = min(max(2*b.delay, breakerFirst), breakerLast)
		b.until = b.now().Add(b.delay)
	}
}

// abandoned gives a pass back: the request was given up before it could tell anything.
func (b *breaker) abandoned(p pass) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trying = b.trying && !p.trial
}
