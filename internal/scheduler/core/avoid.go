package core

import (
	"slices"
	"time"

	"github.com/rak-n-rok/krake/api"
)

// How long a cluster may refuse an application until another place is tried, and how long it is avoided then: twice as long
// each time, up to longestAvoidance. When so many have refused it that it seems to be the manifest, it stays.
const (
	refusalPatience  = 2 * time.Minute
	firstAvoidance   = 10 * time.Minute
	longestAvoidance = 4 * time.Hour
	refusalsTried    = 3
)

// afterFailedMove is how long the target of a move that has failed is avoided, beyond the time in which the application
// does not move at all; as many times as long as moves have failed in a row.
const afterFailedMove = 5 * time.Minute

// RefusedBy says whether the cluster that an application is bound to refuses it, while nothing of it runs anywhere, and when
// it has done so for long enough to try another. What is wrong with a manifest everywhere is no refusal of a cluster.
func RefusedBy(a *api.Application) (enough time.Time, refused bool) {
	c, s := a.Status.Conditions.Get(api.Applied), &a.Status
	if s.ScheduledTo == nil || s.RunningOn != nil || c.Status != api.False || c.ObservedGeneration != a.Metadata.Generation ||
		c.Reason != string(api.KubernetesError) && c.Reason != string(api.UnsupportedResource) || c.LastTransition == nil || s.Scheduled == nil {
		return time.Time{}, false
	}
	since := c.LastTransition.Max(*s.Scheduled).Time() // it may have been refused elsewhere before
	return since.Add(refusalPatience), true
}

// Avoid adds to what an application avoids the cluster that it is bound to, which refuses it. What belongs to a former
// generation is forgotten; ok is false when so many have refused it that another is not tried, or the last one a moment
// ago. The API server's clock, which says since when the present one has refused it, may be another one.
func Avoid(known []api.AvoidedCluster, a *api.Application, now time.Time) (list []api.AvoidedCluster, ok bool) {
	here, active, early, at := a.Status.ScheduledTo.Name, 1, false, api.At(now)
	one := api.AvoidedCluster{Cluster: here, Reason: api.Shorten(a.Status.Conditions.Get(api.Applied).Message, maxRefusal),
		Since: &at, Failures: 1, Generation: a.Metadata.Generation}
	for _, k := range known {
		early = early || k.Generation == a.Metadata.Generation && k.Since != nil && now.Before(k.Since.Time().Add(refusalPatience))
		switch {
		case k.Generation != a.Metadata.Generation:
		case k.Cluster == here:
			one.Failures = k.Failures + 1
		default:
			list = append(list, k)
			if k.Until != nil && k.Until.Time().After(now) {
				active++
			}
		}
	}
	wait := firstAvoidance
	for n := one.Failures; n > 1 && wait < longestAvoidance; n-- {
		wait *= 2
	}
	until := api.At(now.Add(min(wait, longestAvoidance)))
	one.Until = &until
	return append(list, one), !early && active <= refusalsTried
}

// FailedTarget is the cluster to which a move of an application has failed, as one to avoid; nil if there is none.
func FailedTarget(p api.Placement, a *api.Application) *api.AvoidedCluster {
	c, n := a.Status.Conditions.Get(api.Migrating), len(p.Moves)
	if a.Status.MigrationTimeout == 0 || a.Status.ScheduledTo == nil || n == 0 || c.Status != api.False || c.ObservedGeneration != a.Metadata.Generation {
		return nil
	}
	to := p.Moves[n-1].To
	if to == a.Status.ScheduledTo.Name {
		return nil
	}
	failures := max(a.Status.MigrationRetries, 1)
	until := api.At(time.Unix(a.Status.MigrationTimeout, 0).Add(min(time.Duration(min(failures, 1000))*afterFailedMove, longestAvoidance)))
	return &api.AvoidedCluster{Cluster: to, Reason: api.Shorten(c.Message, maxRefusal), Since: c.LastTransition, Until: &until,
		Failures: failures, Generation: a.Metadata.Generation}
}

// Avoiding is the snapshot for an application that avoids clusters which have failed it.
func (s *Snapshot) Avoiding(p api.Placement, a *api.Application, now time.Time) *Snapshot {
	list := p.Avoided
	if failed := FailedTarget(p, a); failed != nil {
		list = append(slices.Clone(list), *failed)
	}
	out := *s
	out.avoided = map[string]api.AvoidedCluster{}
	for _, one := range list {
		if one.Generation == a.Metadata.Generation && one.Until != nil && one.Until.Time().After(now) {
			out.avoided[one.Cluster] = one
		}
	}
	return &out
}

// avoids says why an application avoids a cluster; the zero value if it does not.
func (s *Snapshot) avoids(c *Cluster) Refusal {
	one, avoided := s.avoided[c.Name]
	if !avoided {
		return Refusal{}
	}
	return Refusal{Code: Avoided, Demand: one.Reason, Have: one.Until.Time().UTC().Format(time.RFC3339)}
}
