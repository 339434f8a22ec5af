package supervisor

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestAwaitSaysWhatIsMissing(t *testing.T) {
	ctx, cancel := context.WithTimeoutCause(t.Context(), 3*readyPoll, errors.New("not ready within 3 ticks"))
	defer cancel()
	err := await(ctx,
		condition{"one", "the first", func(context.Context) error { return nil }},
		condition{"two", "the second", func(context.Context) error { return errors.New("it is asleep") }},
		condition{"three", "the third", func(context.Context) error { panic("looked at too early") }},
	)
	if want := "not ready within 3 ticks, waiting for the second: it is asleep"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if failed, ok := errors.AsType[*partError](err); !ok || failed.part != "two" {
		t.Errorf("the failing part is not named: %+v", failed)
	}
}

func TestAwaitKeepsTheReasonWhenTimeEndsALook(t *testing.T) {
	ctx, cancel := context.WithTimeoutCause(t.Context(), 3*readyPoll, errors.New("not ready in time"))
	defer cancel()
	looks := 0
	err := await(ctx, condition{"one", "the first", func(ctx context.Context) error {
		if looks++; looks == 1 {
			return errors.New("it is asleep")
		}
		<-ctx.Done()
		return ctx.Err()
	}})
	if err == nil || !strings.HasSuffix(err.Error(), ": it is asleep") {
		t.Errorf("got %v", err)
	}
}

func TestAwaitBlamesThePartThatEnded(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := &partError{etcd, errors.New("etcd ended: exit status 1")}
	timer := time.AfterFunc(readyPoll, func() { cancel(ended) })
	defer timer.Stop()
	err := await(ctx, condition{apiServer, "the server", func(context.Context) error { return errors.New("refused") }})
	if !errors.Is(err, ended) {
		t.Errorf("got %v, want %v", err, ended)
	}
}
