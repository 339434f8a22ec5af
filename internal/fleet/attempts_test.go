package fleet

import (
	"context"
	"testing"
	"time"
)

func TestAttemptsLeaveTimeForABurstOfWritesAndEnd(t *testing.T) {
	begin, n := time.Now(), 0
	for range attempts(t.Context()) {
		n++
	}
	if n < 5 || time.Since(begin) < time.Second {
		t.Errorf("%d attempts in %s", n, time.Since(begin))
	}
}

func TestAttemptsEndWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for range attempts(ctx) {
		n++
		cancel()
	}
	if n != 1 {
		t.Errorf("%d attempts after the end of the context", n)
	}
}
