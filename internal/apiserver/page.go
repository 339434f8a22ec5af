package apiserver

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"github.com/rak-n-rok/krake/internal/store"
)

// A page is a part of a list: what the parameters limit and continue ask for. The zero value is the whole list.
type page struct {
	limit int
	from  position
}

// A position is where a page ends and the next one begins. All pages of a list are of one revision.
type position struct {
	Revision int64  `json:"r"`
	Key      string `json:"k"`
}

func (p position) String() string {
	data, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// pageOf reads the parameters limit and continue.
func pageOf(t target, query url.Values) (page, error) {
	var p page
	if text := query.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil {
			return page{}, badQuery("limit", "Not a valid integer.")
		}
		if limit < 0 {
			return page{}, badQuery("limit", "Must be greater than or equal to 0.")
		}
		p.limit = limit
	}
	text := query.Get("continue")
	if text == "" {
		return p, nil
	}
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(data, &p.from)
	}
	if err != nil || p.from.String() != text || p.from.Revision < 1 || !strings.HasPrefix(p.from.Key, t.key()) || !t.covers(p.from.Key) {
		return page{}, badQuery("continue", "Not the continuation of this list.")
	}
	return p, nil
}

// scanned is how many records are looked at, at least, to fill a page of a selection.
const scanned = 500

// read gives the objects of a page, the revision they are of, and where the next page begins, nil at the end.
func (s *Server) read(ctx context.Context, t target, p page, sel selection, v view, options ...store.ReadOption) ([]served, int64, *position, error) {
	ask := store.Range{Prefix: t.key(), After: p.from.Key, Revision: p.from.Revision}
	if p.limit > 0 {
		ask.Limit = max(p.limit, scanned)
	}
	items := []served{}
	for last := p.from.Key; ; {
		answer, err := s.store.Page(ctx, ask, options...)
		if err != nil {
			return nil, 0, nil, err
		}
		for _, record := range answer.Records {
			if !t.covers(record.Key) {
				continue
			}
			item, err := readable(t.kind, record)
			if err != nil {
				s.metrics.broken.Add(1)
				s.log.Error("a broken record is left out of a list", "key", record.Key, "error", err)
				continue
			}
			if !sel.wants(item) {
				continue
			}
			if p.limit > 0 && len(items) == p.limit {
				return items, answer.Revision, &position{answer.Revision, last}, nil
			}
			items, last = append(items, v.of(item)), record.Key
		}
		if answer.Last == "" {
			return items, answer.Revision, nil, nil
		}
		ask.After, ask.Revision = answer.Last, answer.Revision
	}
}
