package scheduler

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/capacity"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// Room is what a cluster has for applications; nil if its capacity does not count. All records that lead to the same
// cluster share it.
func (s *Scheduler) Room(c *api.Cluster) *core.Room {
	if !c.Spec.CheckCapacity {
		return nil
	}
	status := &c.Status
	used, others := capacity.Amounts(status.Used), capacity.Amounts(status.UsedByOthers)
	room := &core.Room{
		Known: len(status.Used) > 0, Offered: capacity.Amounts(status.Allocatable), Others: others, Seen: used.Minus(others),
		Nodes: int64(len(status.Nodes)), Shared: []api.ResourceRef{refTo(c)},
	}
	for _, same := range s.index.identity.Get(identityOf(c)[0]) {
		if ref := refTo(same); !ref.Equal(room.Shared[0]) {
			room.Shared = append(room.Shared, ref)
		}
	}
	return room
}

func refTo(c *api.Cluster) api.ResourceRef {
	return api.ClusterKind.Ref(c.Metadata.NamespaceOrEmpty(), c.Metadata.Name)
}

// identityOf tells clusters apart, for an index; one that was never reached is known by its record.
func identityOf(c *api.Cluster) []string {
	return []string{cmp.Or(c.Status.Identity, controller.KeyOf(c).String())}
}

// Asking is the snapshot for an application: with what it asks for, and what the others have at the moment. Where no
// cluster's capacity counts it is the snapshot itself.
func (s *Scheduler) Asking(snapshot *core.Snapshot, a *api.Application) *core.Snapshot {
	rooms := snapshot.Rooms(a.Metadata.NamespaceOrEmpty())
	if len(rooms) == 0 {
		return snapshot
	}
	return snapshot.Asking(capacity.RequestsOf(a), s.tenants.besides(a.Metadata.UID, rooms))
}

// stale is when an application is decided on again for which the cache of clusters is behind.
const stale = 200 * time.Millisecond

// secure makes sure of a cluster right before an application is bound to it: it is read again, as the cache may not have
// heard yet that it was cordoned, and room is reserved there. If it is not secured, it is to be decided on anew after a while.
func (s *Scheduler) secure(ctx context.Context, snapshot *core.Snapshot, a *api.Application, cluster string) (secured bool, after time.Duration, err error) {
	c, err := s.clusters.Get(ctx, a.Metadata.NamespaceOrEmpty(), cluster)
	if err != nil {
		return false, stale, gone(err)
	}
	is := core.ClusterOf(c)
	s.measure(c, &is)
	if !snapshot.Accepts(&is, a) {
		return false, stale, nil
	}
	return s.reserve(snapshot, a, cluster), outrun, nil
}

// reserve keeps the room on a cluster for an application until it is bound, which nobody else can take then. It fails if
// there is not enough any more.
func (s *Scheduler) reserve(snapshot *core.Snapshot, a *api.Application, cluster string) bool {
	c := snapshot.Find(api.ClusterKind.Ref(a.Metadata.NamespaceOrEmpty(), cluster))
	return c == nil || c.Room == nil || s.tenants.take(a, c)
}

// roomFreed names the applications that look for a place in the namespaces of clusters on which an application has left
// room.
func (s *Scheduler) roomFreed(before, after *api.Application) []controller.Key {
	left := s.tenants.follow(before, after)
	if len(left) == 0 {
		return nil
	}
	return s.besideWaiting(left)
}

// besideWaiting names the applications that look for a place in the namespaces of all records that lead to one of these
// clusters, if the capacity of one of them counts.
func (s *Scheduler) besideWaiting(clusters []controller.Key) []controller.Key {
	var out []controller.Key
	told := map[string]bool{}
	for _, key := range clusters {
		c := s.known.Get(key.Namespace, key.Name)
		if c == nil {
			continue
		}
		for _, same := range s.index.identity.Get(identityOf(c)[0]) {
			space := same.Metadata.NamespaceOrEmpty()
			if same.Spec.CheckCapacity && !told[space] {
				told[space] = true
				out = append(out, controller.KeysOf(s.index.waiting.Get(space))...)
			}
		}
	}
	return out
}

// settle ends a reservation after an attempt to bind: the application has the room now, or somebody else may have it. If it
// is not known how the attempt has ended, the reservation lasts until the cache tells, or it is tried again.
func (s *Scheduler) settle(a, bound *api.Application, err error) {
	var refused *api.Problem
	switch {
	case err == nil:
		s.tenants.note(bound)
	case errors.As(err, &refused) && refused.Status < http.StatusInternalServerError:
		s.release(a)
	}
}

// release gives back what was taken for an application that is not bound there, and has those looked at that wait for room.
func (s *Scheduler) release(a *api.Application) {
	if s.tenants.giveBack(a) {
		s.ctl.Enqueue(controller.KeysOf(s.index.waiting.Get(a.Metadata.NamespaceOrEmpty()))...)
	}
}
