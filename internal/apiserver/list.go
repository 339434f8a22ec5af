package apiserver

import (
	"bufio"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/store"
)

// listHead is the answer to GET on a collection, less its items.
type listHead struct {
	API      string       `json:"api"`
	Kind     string       `json:"kind"`
	Metadata listMetadata `json:"metadata"`
}

type listMetadata struct {
	ResourceVersion string  `json:"resource_version"`
	Continue        *string `json:"continue"`
}

// answerList writes a list. Its items are not encoded again, nor are they copied into one document first.
func (s *Server) answerList(w http.ResponseWriter, head listHead, items []served) error {
	start, err := json.Marshal(head)
	if err != nil {
		return err
	}
	start = append(start[:len(start)-1], `,"items":[`...)
	const end = "]}"
	size := len(start) + max(len(items)-1, 0) + len(end)
	for _, item := range items {
		size += item.size()
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(size))
	w.WriteHeader(http.StatusOK)
	out := bufio.NewWriterSize(w, 1<<16)
	_, _ = out.Write(start)
	for i, item := range items {
		if i > 0 {
			_ = out.WriteByte(',')
		}
		item.writeTo(out)
	}
	_, _ = out.WriteString(end)
	_ = out.Flush() // a client that is gone needs no answer
	return nil
}

// listOrWatch is GET on a collection.
func (s *Server) listOrWatch(w http.ResponseWriter, r *http.Request, t target) error {
	query := r.URL.Query()
	heartbeat, err := heartbeatOf(query)
	if err != nil {
		return err
	}
	if query.Has("watch") {
		return s.watch(w, r, t, heartbeat)
	}
	sel, v, err := shown(t.kind, query)
	if err != nil {
		return err
	}
	p, err := pageOf(t, query)
	if err != nil {
		return err
	}
	items, revision, next, err := s.read(r.Context(), t, p, sel, v, freshness(query)...)
	if err != nil {
		return err
	}
	head := listHead{API: t.kind.Group, Kind: t.kind.Name + "List"}
	head.Metadata.ResourceVersion = strconv.FormatInt(revision, 10)
	if next != nil {
		text := next.String()
		head.Metadata.Continue = &text
	}
	return s.answerList(w, head, items)
}

// shown reads what of a collection is to be shown.
func shown(k *api.Kind, query url.Values) (selection, view, error) {
	v, err := viewOf(query)
	if err != nil {
		return selection{}, v, err
	}
	sel, err := selectionOf(k, query)
	return sel, v, err
}

// freshness reads whether a read may be answered with what is known at once.
func freshness(query url.Values) []store.ReadOption {
	if query.Get("resource_version") == "0" {
		return []store.ReadOption{store.Stale}
	}
	return nil
}

// covers says whether a key with the collection's prefix is that of one of its objects.
func (t target) covers(key string) bool {
	parts := strings.Split(strings.TrimPrefix(key, t.kind.Key("", "")), "/")
	want := 1
	if t.kind.Namespaced {
		want = 2
	}
	if len(parts) != want {
		return false
	}
	for _, p := range parts {
		if !api.ValidName(p) {
			return false
		}
	}
	return true
}

// The times between two heartbeats. More than a day is as good as never, and far more would be no time.Duration.
const (
	defaultHeartbeat = 10 * time.Second
	maxHeartbeat     = 24 * time.Hour
)

// heartbeatOf reads the parameter of that name, in seconds; it is checked for lists, too.
func heartbeatOf(query url.Values) (time.Duration, error) {
	if !query.Has("heartbeat") {
		return defaultHeartbeat, nil
	}
	problem := ""
	n, err := strconv.ParseInt(strings.TrimSpace(query.Get("heartbeat")), 10, 64)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange): // a number out of range is read as the last one within
		problem = "Not a valid integer."
	case n < 0:
		problem = "Must be greater than or equal to 0."
	default:
		return time.Duration(min(n, int64(maxHeartbeat/time.Second))) * time.Second, nil
	}
	return 0, badQuery("heartbeat", problem)
}
