package apiserver

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/store"
)

// blockingLimit is how long a request waits for a state.
const blockingLimit = 60 * time.Second

// waiting holds the answer to a request back until its object has reached a state.
type waiting struct {
	s     *Server
	t     target
	state string // lower case; "deleted" waits until the record is gone; empty does not wait
	watch *store.Watch
	rest  func() // lets others work while this one waits
}

// blocking reads the parameter of that name. The watch is opened before the write, so that no state is missed.
func (s *Server) blocking(r *http.Request, t target) (*waiting, error) {
	state := r.URL.Query().Get("blocking")
	if state == "" || state == "False" || !t.kind.Status || !t.kind.Force {
		return &waiting{}, nil
	}
	known := requestOf(r)
	known.long = true
	watch, err := s.store.Watch(r.Context(), t.kind.Key(t.namespace, ""), store.Cursor{})
	return &waiting{s: s, t: t, state: strings.ToLower(state), watch: watch, rest: known.release}, err
}

func (w *waiting) close() {
	if w.watch != nil {
		w.watch.Close()
	}
}

// over says whether there is nothing to wait for.
func (w *waiting) over(obj api.Resource) bool { return w.state == "" || stateOf(obj) == w.state }

// until returns the object once it has reached the state, or as it was answered when that takes too long.
func (w *waiting) until(ctx context.Context, obj api.Resource) api.Resource {
	if w.over(obj) {
		return obj
	}
	w.rest()
	ctx, stop := w.s.untilStop(ctx)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, blockingLimit)
	defer cancel()
	uid := api.Meta(obj).UID
	for {
		e, err := w.watch.Next(ctx)
		if errors.Is(err, store.ErrBroken) || err == nil && !w.t.covers(e.Key) {
			continue
		}
		if err != nil {
			return obj
		}
		seen, err := decodeRecord(w.t.kind, store.Record{Key: e.Key, Value: e.Value, Revision: e.Revision})
		if err != nil || api.Meta(seen).UID != uid {
			continue
		}
		switch {
		case e.Type == store.Deleted:
			return gone(seen.Resource)
		case stateOf(seen.Resource) == w.state:
			return seen.Resource
		}
	}
}

// removed returns an object whose record went at once: there is no other state to wait for.
func (w *waiting) removed(obj api.Resource) api.Resource {
	if w.state == "" {
		return obj
	}
	return gone(obj)
}

// gone gives the last version of a removed object; applications show it in their state.
func gone(obj api.Resource) api.Resource {
	if a, ok := obj.(*api.Application); ok {
		a.Status.State = api.AppDeleted
	}
	return obj
}

// stateOf returns status.state in lower case, empty for kinds without one.
func stateOf(obj api.Resource) string {
	status := reflect.ValueOf(obj).Elem().FieldByName("Status")
	if !status.IsValid() {
		return ""
	}
	state := status.FieldByName("State")
	if !state.IsValid() {
		return ""
	}
	return strings.ToLower(state.String())
}
