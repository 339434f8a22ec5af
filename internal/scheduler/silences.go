package scheduler

import (
	"sync"
	"time"

	"github.com/rak-n-rok/krake/api"
)

// silences know since when clusters have been silent, by the clock of this process that always goes on: a wall clock that
// is set, or that of another machine, makes no silence longer. Only of a silence that is older than the process, the stored
// time is believed. The zero value knows nothing.
type silences struct {
	mu sync.Mutex
	of map[string]silence // by UID of the cluster's record
}

// silence is what was seen of a cluster last. It answers while stored is nil.
type silence struct {
	stored      *api.Time // when it began, as its record has it
	since, seen time.Time // when it began, and when this process saw it first
}

// note gives what is known of a cluster's silence.
func (s *silences) note(c *api.Cluster, now time.Time) silence {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[string]silence{}
	}
	known, before := s.of[c.Metadata.UID]
	stored := c.SilentSince()
	switch {
	case stored == nil:
		known = silence{}
	case known.stored != nil && known.stored.Equal(*stored):
		return known
	case before:
		known = silence{stored, now, now}
	default:
		known = silence{stored, now.Add(-max(now.Sub(stored.Time()), 0)), now}
	}
	s.of[c.Metadata.UID] = known
	return known
}

func (s *silences) forget(c *api.Cluster) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of, c.Metadata.UID)
}
