package kubernetes

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
	"github.com/rak-n-rok/krake/internal/fleet"
)

// blindFor is how long an application may be seen in part only until that is told: informers need a moment after every
// apply, and one for a connection that was lost.
const blindFor = 15 * time.Second

// sight is what was seen of an application over time. It outlasts passes that fail.
type sight struct {
	deviations deviations
	blindSince time.Time // zero while everything is seen
}

// blind notes whether anything is not seen now, and says whether that has lasted.
func (s *sight) blind(unseen bool, now time.Time) bool {
	switch {
	case !unseen:
		s.blindSince = time.Time{}
	case s.blindSince.IsZero():
		s.blindSince = now
	}
	return unseen && now.Sub(s.blindSince) >= blindFor
}

// sooner shortens a wait to when something is to be done about what deviates.
func (p *pass) sooner(wait time.Duration) time.Duration {
	if next := p.sight.deviations.next(p.clock()); next > 0 {
		return min(wait, next)
	}
	return wait
}

// plan compares what the application wants on a cluster with what is known of it, and notes what deviates.
func (p *pass) plan(ctx context.Context, m *fleet.Member) (fleet.Plan, error) {
	owner, err := p.owner(ctx)
	if err != nil {
		return fleet.Plan{}, err
	}
	wish := p.wish(m.Identity())
	wish.Manifest = append(slices.Clip(wish.Manifest), p.copiedTo(m.Identity())...)
	desired, err := m.Resolve(ctx, wish, owner)
	if err != nil {
		return fleet.Plan{}, err
	}
	live := p.live(m)
	plan := fleet.NewPlan(fleet.Situation{Cluster: m.Identity(), Desired: desired, Inventory: p.inventory.Objects, Live: live})
	now := p.clock()
	p.looked = true
	p.sight.deviations.look(p.deviating(m, plan), unseenIn(m.Identity(), live), p.told, now)
	plan.Hold(func(c fleet.Change) bool { return p.sight.deviations.held(keyOfEntry(c.Entry), now) })
	return plan, nil
}

// deviating are the deviations of a plan, and what is on other clusters that the application has left.
func (p *pass) deviating(m *fleet.Member, plan fleet.Plan) []fleet.Deviation {
	out := plan.Deviations()
	if p.migration.Phase != api.PhaseNone {
		return out
	}
	for _, e := range p.inventory.Objects {
		if e.Cluster != m.Identity() {
			out = append(out, fleet.Deviation{Entry: e, Way: fleet.Surplus})
		}
	}
	return out
}

// unseenIn says of which objects nothing is known.
func unseenIn(identity string, seen fleet.Snapshot) func(objectKey) bool {
	unseen := map[fleet.Key]bool{}
	for _, e := range seen.Unknown() {
		unseen[fleet.KeyOf(e)] = true
	}
	return func(key objectKey) bool { return key.cluster == identity && unseen[key.Key] }
}

// told is what is stored of an object; nil when nothing is.
func (p *pass) told(key objectKey) *api.ResourceReport {
	name := p.clusterName(key.cluster)
	for i, r := range p.resources.Objects {
		if r.Cluster == name && (fleet.Key{Group: r.Group, Kind: r.Kind, Namespace: r.Namespace, Name: r.Name}) == key.Key {
			return &p.resources.Objects[i]
		}
	}
	return nil
}

// compare adds to a patch of the status whether the clusters hold what was asked for, and to the parts how each object is
// doing. What a scheduler has yet to decide on is not asked of a cluster, so it says nothing meanwhile.
func (p *pass) compare(ctx context.Context, m *fleet.Member, health fleet.HealthReport, status map[string]any) error {
	s := p.app.Status
	if s.ScheduledGeneration < p.app.Metadata.Generation && s.Conditions.Get(api.Scheduled).Status != api.False {
		return nil
	}
	seen := p.live(m)
	blind := p.sight.blind(!seen.Synced(), p.clock())
	if !seen.Synced() && !blind {
		return nil
	}
	var err error
	if !p.looked {
		_, err = p.plan(ctx, m)
	}
	switch {
	case err != nil && ours(err):
		return err
	case err != nil && !fleet.Final(err):
		p.lostSight(status, err.Error())
		return nil
	case err != nil:
		p.setCondition(status, api.Condition{Type: api.InSync, Status: api.False, Reason: string(fleet.Outdated),
			Message: api.Shorten("The manifest cannot be applied: "+err.Error(), maxMessage)})
		return nil
	}
	p.sight.deviations.last()
	p.setCondition(status, syncCondition(p.sight.deviations.told(), seen.Unknown(), p.clusterName))
	p.report(p.reports(m.Identity(), seen, health))
	return nil
}

// lostSight adds to a patch of the status that it is not known any more what the clusters hold, and why.
func (p *pass) lostSight(status map[string]any, why string) {
	if !p.sight.blind(true, p.clock()) || p.migration.Phase != api.PhaseNone {
		return
	}
	for _, d := range p.sight.deviations {
		d.unseen = true
	}
	p.setCondition(status, api.Condition{Type: api.InSync, Status: api.Unknown, Reason: notSeen, Message: api.Shorten(why, maxMessage)})
	p.report(p.reports("", fleet.Snapshot{}, fleet.HealthReport{}))
}

// notSeen is the reason when it is not known whether an application is in sync.
const notSeen = "Unseen"

// syncCondition sums up what is to be told. What is known to deviate counts more than what is not known.
func syncCondition(told []*deviation, unseen []api.InventoryObject, nameOf func(identity string) string) api.Condition {
	c := api.Condition{Type: api.InSync, Status: api.True, Reason: "Synced"}
	var sentences []string
	switch {
	case len(told) > 0:
		c.Status, c.Reason = api.False, told[0].reason()
		for _, d := range told {
			sentences = append(sentences, d.sentence(nameOf(d.Entry.Cluster)))
		}
	case len(unseen) > 0:
		c.Status, c.Reason = api.Unknown, notSeen
		for _, e := range unseen {
			sentences = append(sentences, fmt.Sprintf("it is not seen how %s on %s is", fleet.KeyOf(e), nameOf(e.Cluster)))
		}
	}
	c.Message = api.Shorten(strings.Join(few(sentences, maxSentences), ". "), maxMessage)
	return c
}

// reports tell of all objects, the worst first.
func (p *pass) reports(identity string, seen fleet.Snapshot, health fleet.HealthReport) []api.ResourceReport {
	told := map[objectKey]*deviation{}
	entries := slices.Clone(p.inventory.Objects)
	for _, d := range p.sight.deviations.told() {
		told[keyOfEntry(d.Entry)] = d
		if !slices.ContainsFunc(entries, d.Entry.SameObject) {
			entries = append(entries, d.Entry)
		}
	}
	slices.SortFunc(entries, compareEntries)
	severity := func(r api.ResourceReport) int {
		return map[api.ConditionStatus]int{api.False: 10, api.Unknown: 5}[r.InSync] + fleet.ObjectHealth{Word: r.Health}.Severity()
	}
	out := make([]api.ResourceReport, 0, len(entries))
	for _, e := range entries {
		is := fleet.NotSeen
		_, known := seen.Of(e)
		if known = known && e.Cluster == identity; known {
			is = health.Objects[fleet.KeyOf(e)]
		}
		out = append(out, p.reportOf(e, known, is, told[keyOfEntry(e)]))
	}
	slices.SortStableFunc(out, func(a, b api.ResourceReport) int { return cmp.Compare(severity(b), severity(a)) })
	return out
}

func (p *pass) reportOf(e api.InventoryObject, known bool, is fleet.ObjectHealth, d *deviation) api.ResourceReport {
	r := api.ResourceReport{
		Cluster: p.clusterName(e.Cluster), Group: e.Group, Version: e.Version, Kind: e.Kind, Namespace: e.Namespace, Name: e.Name,
		Health: is.Word, Message: api.Shorten(is.Message, maxText), InSync: api.Unknown, Fields: []string{}, Managers: []string{},
	}
	if known {
		r.InSync = api.True
	}
	if d == nil {
		return r
	}
	since := api.At(d.since)
	r.InSync, r.Reason, r.Since, r.Repairs, r.Failure = api.False, d.reason(), &since, d.repairs, api.Shorten(d.failure, maxText)
	r.Fields, r.Managers = few(d.Fields, maxFields), few(d.managers, maxManagers)
	if d.repairs > 0 {
		repaired := api.At(d.repaired)
		r.Repaired = &repaired
	}
	return r
}

// report has the part written if it says something new.
func (p *pass) report(all []api.ResourceReport) {
	if next := bounded(all); !wire.Equal(next, p.resources) {
		p.resources, p.resourcesChanged = next, true
	}
}

// maxResources is the largest size of the part, in bytes of JSON. Some of it is for the counts.
const (
	maxResources = 16 << 10
	forCounts    = 1 << 10
)

// Texts are cut to this many bytes, lists to this many elements.
const (
	maxText      = 256
	maxMessage   = 1024
	maxFields    = 8
	maxManagers  = 4
	maxSentences = 3
)

// bounded keeps as many reports as there is room for.
func bounded(all []api.ResourceReport) api.Resources {
	out := api.Resources{Objects: []api.ResourceReport{}, Health: map[string]int64{}, InSync: map[string]int64{}}
	room := maxResources - forCounts
	for _, r := range all {
		out.Health[r.Health]++
		out.InSync[string(r.InSync)]++
		data, err := json.Marshal(r)
		if room -= len(data) + 1; err != nil || room < 0 {
			room, out.Omitted = 0, out.Omitted+1
			continue
		}
		out.Objects = append(out.Objects, r)
	}
	return out
}

// few are the first of many texts, and how many more there are.
func few(texts []string, most int) []string {
	if len(texts) <= most {
		return append([]string{}, texts...)
	}
	return append(slices.Clone(texts[:most]), fmt.Sprintf("%d more", len(texts)-most))
}
