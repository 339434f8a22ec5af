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
func (s *Server) watch(w http.ResponseWriter, r *http.Request, t target, heartbeat time.Duration) error {
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
	st.run(r.Context(), heartbeat)
	return nil
}

// run sends until the client is gone, or the store cuts the watch off.
func (st *stream) run(ctx context.Context, heartbeat time.Duration) {
	next := time.Now().Add(heartbeat)
	for {
		event, err := st.next(ctx, heartbeat, next)
		switch {
		case err == nil, errors.Is(err, store.ErrBroken):
			err = st.event(event, err)
		case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
			next = next.Add(heartbeat)
			err = st.beat()
		case st.resumable && errors.Is(err, store.ErrCompacted):
			st.fail(err)
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
	return st.write([]byte("\n"))
}

// event sends an event, if it is of the collection. broken says why the store cannot read its value, nil if it can.
func (st *stream) event(e store.Event, broken error) error {
	if !st.t.covers(e.Key) {
		return nil
	}
	revision := e.ValueRevision
	if e.Type == store.Deleted {
		revision = e.Revision
	}
	object, err := json.RawMessage(nil), broken
	if err == nil {
		object, err = readable(st.t.kind, store.Record{Key: e.Key, Value: e.Value, Revision: revision})
	}
	if err != nil {
		return st.broken(e.Key, err)
	}
	l := line{Type: strings.ToUpper(e.Type.String()), Object: object}
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
	return st.write(append(data, '\n'))
}

// write sends at once. A client that does not read is cut off after a while: until then, what waits for it is kept in
// memory, and the stream hears of nothing else. The pipe of a client in this process knows no deadline.
func (st *stream) write(data []byte) error {
	connection := http.NewResponseController(st.w)
	_ = connection.SetWriteDeadline(time.Now().Add(st.s.patience))
	if _, err := st.w.Write(data); err != nil {
		return err
	}
	return connection.Flush()
}

// broken leaves a record out that cannot be read. Who resumes keeps objects: it would keep what it knew of this one for
// ever, since the record's deletion cannot be told either. So it has to list again; the list has left the record out.
func (st *stream) broken(key string, err error) error {
	st.s.log.Error("a broken record is left out of a watch", "key", key, "error", err)
	if !st.resumable {
		return nil
	}
	err = api.NewProblem(http.StatusGone, "", "410: Gone: the record %s cannot be read; list again", key)
	st.fail(err)
	return err
}

// fail is the last line of a resumable watch.
func (st *stream) fail(err error) {
	_ = st.send(line{Type: "ERROR", Object: st.s.problem(nil, err)})
}
