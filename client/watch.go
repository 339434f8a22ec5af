package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/rak-n-rok/krake/api"
)

// EventType says what happened to an object.
type EventType string

// The event types.
const (
	Added    EventType = "ADDED"
	Modified EventType = "MODIFIED"
	Deleted  EventType = "DELETED"
	bookmark EventType = "BOOKMARK"
	failure  EventType = "ERROR"
)

// Event is a change of an object. The object of a Deleted event is the one last stored.
type Event[P any] struct {
	Type   EventType
	Object P
	Cursor string // resuming from here continues with the next event
}

// heartbeat is how often the server is asked for a sign of life; without one for three times as long the connection is dead.
const heartbeat = 10 * time.Second

// Watch calls handle for every change after the version or cursor from, in order, without losing or repeating one,
// whatever happens to the connection. It returns when ctx ends, when handle returns an error, when the server refuses or
// is to be found elsewhere, or when it no longer knows what happened since (Expired): then the objects must be listed
// again. An event that cannot be read, of a newer server for example, is logged and left out.
func (s Objects[P]) Watch(ctx context.Context, namespace, from string, handle func(Event[P]) error) error {
	return s.watch(ctx, namespace, from, watcher[P]{
		handle:     handle,
		unreadable: func(err error) error { slog.Warn("left out of a watch", "error", err); return nil },
		connected:  func() {},
		lost:       func(error) {},
	})
}

// A watcher is told what becomes of a watch. The errors of handle and unreadable end it.
type watcher[P any] struct {
	handle     func(Event[P]) error
	unreadable func(error) error // an event cannot be read
	connected  func()
	lost       func(error) // the connection, or an attempt to make it; the next follows
}

func (s Objects[P]) watch(ctx context.Context, namespace, from string, w watcher[P]) error {
	cursor := from
	for attempt := 0; ; attempt++ {
		before := cursor
		err := s.stream(ctx, namespace, &cursor, w)
		if cursor != before {
			attempt = 0
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, new(handlerError)):
			return errors.Unwrap(err)
		case Expired(err):
			return err
		case errors.As(err, new(*RedirectError)):
			return err
		case errors.As(err, new(*api.Problem)) && !retryable(err):
			return err
		}
		w.lost(err)
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
}

// retryable says whether a refusal may be over when asked again.
func retryable(err error) bool {
	var p *api.Problem
	return errors.As(err, &p) && (p.Status >= 500 || p.Status == http.StatusTooManyRequests)
}

// pause waits between attempts: at once after a connection that had delivered, then longer, up to 5 s.
func pause(ctx context.Context, attempt int) error {
	wait := min(50*time.Millisecond<<min(attempt, 10), 5*time.Second)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		return nil
	}
}

// handlerError marks an error of the caller's own.
type handlerError struct{ err error }

func (e handlerError) Error() string { return e.err.Error() }
func (e handlerError) Unwrap() error { return e.err }

func handled(err error) error {
	if err == nil {
		return nil
	}
	return handlerError{err}
}

// stream reads one connection to its end and moves the cursor along.
func (s Objects[P]) stream(ctx context.Context, namespace string, cursor *string, w watcher[P]) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// A server that stops sending heartbeats is gone, even if the connection does not say so.
	alive := time.AfterFunc(3*heartbeat, cancel)
	defer alive.Stop()
	resp, err := s.c.send(ctx, Request{Method: http.MethodGet, Path: s.kind.Path(namespace, ""), Query: url.Values{
		"watch": {""}, "resource_version": {*cursor}, "heartbeat": {fmt.Sprint(int(heartbeat.Seconds()))},
	}})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	w.connected()
	lines := bufio.NewReaderSize(resp.Body, 1<<16)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return &UnreachableError{URL: s.c.URL(), Err: ended(err)}
		}
		alive.Reset(3 * heartbeat)
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if err := s.line(line, cursor, w); err != nil {
			return err
		}
	}
}

func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the watch was closed")
	}
	return err
}

func (s Objects[P]) line(line []byte, cursor *string, w watcher[P]) error {
	var frame struct {
		Type   EventType       `json:"type"`
		Cursor string          `json:"cursor"`
		Object json.RawMessage `json:"object"`
	}
	if err := json.Unmarshal(line, &frame); err != nil {
		return handled(w.unreadable(fmt.Errorf("a line of a watch of %s cannot be read: %w", s.kind.Plural, err)))
	}
	switch frame.Type {
	case bookmark:
		*cursor = frame.Cursor
		return nil
	case failure:
		p := &api.Problem{}
		if err := json.Unmarshal(frame.Object, p); err != nil {
			return err
		}
		return p
	}
	obj, err := s.read(frame.Object)
	if err != nil {
		err = w.unreadable(err)
	} else {
		err = w.handle(Event[P]{Type: frame.Type, Object: obj, Cursor: frame.Cursor})
	}
	if err == nil {
		*cursor = frame.Cursor
	}
	return handled(err)
}
