package apiserver

import (
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

// list is the answer to GET on a collection.
type list struct {
	API      string            `json:"api"`
	Kind     string            `json:"kind"`
	Metadata listMetadata      `json:"metadata"`
	Items    []json.RawMessage `json:"items"`
}

type listMetadata struct {
	ResourceVersion string  `json:"resource_version"`
	Continue        *string `json:"continue"`
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
	records, revision, err := s.store.List(r.Context(), t.key())
	if err != nil {
		return err
	}
	out := list{API: t.kind.Group, Kind: t.kind.Name + "List", Items: make([]json.RawMessage, 0, len(records))}
	out.Metadata.ResourceVersion = strconv.FormatInt(revision, 10)
	for _, record := range records {
		if !t.covers(record.Key) {
			continue
		}
		item, err := readable(t.kind, record)
		if err != nil {
			s.log.Error("a broken record is left out of a list", "key", record.Key, "error", err)
			continue
		}
		out.Items = append(out.Items, item)
	}
	s.answer(w, http.StatusOK, out)
	return nil
}

// readable gives an object as it is served. Each is made by itself, so that one that cannot be made hurts no other.
func readable(k *api.Kind, record store.Record) (json.RawMessage, error) {
	obj, err := decodeRecord(k, record)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(obj.Resource)
	if err != nil {
		return nil, &store.BrokenError{Key: record.Key, Reason: err}
	}
	return data, nil
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
	return 0, api.NewProblem(http.StatusUnprocessableEntity, "", `{"query": {"heartbeat": [%q]}}`, problem)
}
