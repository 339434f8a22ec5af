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
	"maps"
	"math/rand/v2"
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

// A DocumentWatch is a watch of objects as the server wrote them, for those who show more of an object than they know.
type DocumentWatch struct {
	Namespace, From string
	Select          url.Values // label_selector and field_selector, each as often as needed
	// Lost is called with the reason when the connection is lost, before it is made again.
	Lost   func(error)
	Handle func(Event[json.RawMessage]) error
}

// WatchDocuments is Watch with the objects as the server wrote them.
func (s Objects[P]) WatchDocuments(ctx context.Context, d DocumentWatch) error {
	return s.watch(ctx, d.Namespace, d.From, watcher[P]{
		document:   d.Handle,
		query:      d.Select,
		unreadable: func(err error) error { return err },
		connected:  func() {},
		lost:       d.Lost,
	})
}

// A watcher is told what becomes of a watch. The errors of handle and unreadable end it.
type watcher[P any] struct {
	handle     func(Event[P]) error
	document   func(Event[json.RawMessage]) error // in place of handle if it is not nil
	query      url.Values                         // beside what every watch has
	unreadable func(error) error                  // an event cannot be read
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

// pause waits between attempts.
func pause(ctx context.Context, attempt int) error { return pauseFor(ctx, backoff(attempt)) }

// backoff is short after the first failure, then longer, up to 5 s. Up to half of it is left to chance, so that clients
// that lost their server together do not come back together.
func backoff(attempt int) time.Duration {
	wait := min(50*time.Millisecond<<min(attempt, 10), 5*time.Second)
	return wait - rand.N(wait/2)
}

// pauseFor waits, unless there is no time for it.
func pauseFor(ctx context.Context, wait time.Duration) error {
	if end, limited := ctx.Deadline(); limited && time.Until(end) < wait {
		return context.DeadlineExceeded
	}
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
	query := s.viewed(url.Values{"watch": {""}, "resource_version": {*cursor}, "heartbeat": {fmt.Sprint(int(heartbeat.Seconds()))}})
	maps.Copy(query, w.query)
	resp, err := s.c.send(ctx, Request{Method: http.MethodGet, Path: s.kind.Path(namespace, ""), Query: query})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	server := s.c.answered(resp)
	w.connected()
	lines := bufio.NewReaderSize(resp.Body, 1<<16)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			s.c.leave(server) // whatever is the matter with it
			return &UnreachableError{URL: s.c.servers[server], Err: ended(err)}
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
	err := s.deliver(w, frame.Type, frame.Object, frame.Cursor)
	if err == nil {
		*cursor = frame.Cursor
	}
	return handled(err)
}

// deliver gives an event to the watcher in the form that it wants.
func (s Objects[P]) deliver(w watcher[P], kind EventType, object json.RawMessage, cursor string) error {
	if w.document != nil {
		return w.document(Event[json.RawMessage]{Type: kind, Object: object, Cursor: cursor})
	}
	obj, err := s.read(object)
	if err != nil {
		return w.unreadable(err)
	}
	return w.handle(Event[P]{Type: kind, Object: obj, Cursor: cursor})
}
