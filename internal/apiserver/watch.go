package apiserver

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/store"
)

// line is one line of a watch. Cursor is sent to resumable watches only.
type line struct {
	Type   string `json:"type"`
	Cursor string `json:"cursor,omitempty"`
	Object any    `json:"object"`
}

// stream is a watch being served.
type stream struct {
	s         *Server
	t         target
	w         http.ResponseWriter
	watch     *store.Watch
	resumable bool
	sent      store.Cursor // what a resumable watch knows it may resume from
}

// watch answers with a line for every change from now on, or, with the parameter resource_version, from there.
func (s *Server) watch(w http.ResponseWriter, r *http.Request, t target, heartbeat int) error {
	query := r.URL.Query()
	st := &stream{s: s, t: t, w: w, resumable: query.Has("resource_version")}
	if v := query.Get("resource_version"); v != "" {
		cursor, err := store.ParseCursor(v)
		if err != nil {
			return api.NewProblem(http.StatusUnprocessableEntity, "", `{"query": {"resource_version": ["Not a version or cursor."]}}`)
		}
		st.sent = cursor
	}
	var err error
	if st.watch, err = s.store.Watch(r.Context(), t.key(), st.sent); err != nil {
		return err
	}
	defer st.watch.Close()
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil // its connection would wait for the end of a stream that nobody reads
	}
	if err := http.NewResponseController(w).Flush(); err != nil {
		return nil
	}
	st.run(r.Context(), time.Duration(heartbeat)*time.Second)
	return nil
}

// run sends until the client is gone, or the store cuts the watch off.
func (st *stream) run(ctx context.Context, heartbeat time.Duration) {
	next := time.Now().Add(heartbeat)
	for {
		event, err := st.next(ctx, heartbeat, next)
		switch {
		case err == nil:
			err = st.event(event)
		case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
			next = next.Add(heartbeat)
			err = st.beat()
		case st.resumable && errors.Is(err, store.ErrCompacted):
			_ = st.send(line{Type: "ERROR", Object: st.s.problem(nil, err)})
		}
		if err != nil {
			return
		}
	}
}

// next waits for an event, or for the time of the next heartbeat.
func (st *stream) next(ctx context.Context, heartbeat time.Duration, at time.Time) (store.Event, error) {
	if heartbeat == 0 {
		return st.watch.Next(ctx)
	}
	ctx, cancel := context.WithDeadline(ctx, at)
	defer cancel()
	return st.watch.Next(ctx)
}

// beat shows that the connection lives, and moves an idle client's cursor along, so that it stays ahead of the
// compaction.
func (st *stream) beat() error {
	if progress := st.watch.Progress(); st.resumable && progress != st.sent {
		st.sent = progress
		return st.send(line{Type: "BOOKMARK", Cursor: progress.String()})
	}
	if _, err := st.w.Write([]byte("\n")); err != nil {
		return err
	}
	return http.NewResponseController(st.w).Flush()
}

func (st *stream) event(e store.Event) error {
	if !st.t.covers(e.Key) {
		return nil
	}
	revision := e.ValueRevision
	if e.Type == store.Deleted {
		revision = e.Revision
	}
	obj, err := decodeRecord(st.t.kind, store.Record{Key: e.Key, Value: e.Value, Revision: revision})
	if err != nil {
		st.s.log.Error("a broken record is left out of a watch", "key", e.Key, "error", err)
		return nil
	}
	l := line{Type: strings.ToUpper(e.Type.String()), Object: obj.Resource}
	if st.resumable {
		st.sent = e.Cursor
		l.Cursor = e.Cursor.String()
	}
	return st.send(l)
}

func (st *stream) send(l line) error {
	data, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if _, err := st.w.Write(append(data, '\n')); err != nil {
		return err
	}
	return http.NewResponseController(st.w).Flush()
}
