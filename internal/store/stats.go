package store

import (
	"context"
	"fmt"
	"sync/atomic"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Stats is how the store is doing.
type Stats struct {
	// Revision is how far reads and watches have come.
	Revision int64
	// Records is how many keys there are, Watches how many watches are open.
	Records, Watches int
	// Commits and Conflicts count transactions that were written and that were refused by a condition, SlowWatches the
	// watches that were cut off, Broken how often a record was left out because it could not be read. They count from the
	// start of the process.
	Commits, Conflicts, SlowWatches, Broken int64
}

// counters are what the store itself counts for Stats.
type counters struct {
	commits, conflicts, broken atomic.Int64
}

// Stats returns what is known without asking etcd.
func (s *Store) Stats() Stats {
	out := Stats{
		Commits: s.counted.commits.Load(), Conflicts: s.counted.conflicts.Load(), SlowWatches: s.hub.slow.Load(),
		Broken: s.counted.broken.Load(),
	}
	s.hub.mu.Lock()
	out.Revision, out.Watches = s.hub.position, len(s.hub.watches)
	s.hub.mu.Unlock()
	s.hub.records.mu.RLock()
	out.Records = s.hub.records.records.Len()
	s.hub.records.mu.RUnlock()
	return out
}

// Health is what etcd says of itself.
type Health struct {
	// Size of the database in bytes, how much of it is used, and at which size it turns read-only.
	Size, InUse, Quota int64
	// Alarms are what etcd raised, such as NOSPACE.
	Alarms []string
}

// Health asks etcd how it is. An error says that it does not answer.
func (s *Store) Health(ctx context.Context) (Health, error) {
	if err := s.inFlight.enter(); err != nil {
		return Health{}, err
	}
	defer s.inFlight.leave()
	status, err := s.status(ctx)
	if err != nil {
		return Health{}, fmt.Errorf("ask etcd how it is: %w", err)
	}
	out := Health{Size: status.DbSize, InUse: status.DbSizeInUse, Quota: status.DbSizeQuota}
	alarms, err := s.client.AlarmList(ctx)
	if err != nil {
		return Health{}, fmt.Errorf("ask etcd for alarms: %w", err)
	}
	for _, alarm := range alarms.Alarms {
		out.Alarms = append(out.Alarms, alarm.Alarm.String())
	}
	return out, nil
}

// status is the answer of the first member that gives one.
func (s *Store) status(ctx context.Context) (status *clientv3.StatusResponse, err error) {
	endpoints := s.client.Endpoints()
	if len(endpoints) == 0 {
		endpoints = []string{""} // the member in this process
	}
	for _, endpoint := range endpoints {
		if status, err = s.client.Status(ctx, endpoint); err == nil {
			return status, nil
		}
	}
	return nil, err
}
