package kubernetes

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/fleet"
)

// How often an object is repaired that others change again each time. The first repair comes at once; the pause after it
// doubles with every further one. Once an object has been left in peace for long, nothing of that is remembered.
const (
	firstPause = time.Second
	lastPause  = time.Minute
	forgiven   = 2 * lastPause
)

func pauseAfter(repairs int64) time.Duration {
	if repairs == 0 {
		return 0
	}
	return min(firstPause<<min(repairs-1, 10), lastPause)
}

// An objectKey names an object on a cluster.
type objectKey struct {
	cluster string // identity
	fleet.Key
}

func keyOfEntry(e api.InventoryObject) objectKey { return objectKey{e.Cluster, fleet.KeyOf(e)} }

// A deviation is an object that is, or a moment ago was, not as it was asked for.
type deviation struct {
	fleet.Deviation
	managers []string // that have changed it, if they can be known
	since    time.Time
	repairs  int64 // in a row
	repaired time.Time
	failure  string // why the last repair did not work
	present  bool   // at the last look
	unseen   bool   // then nothing was known of it
	// lasting deviations were still there when a pass was over. Those that are put right at once are not worth more than
	// an event.
	lasting bool
}

// deviations are those of one application, by object. They depend on nothing but what they are told.
type deviations map[objectKey]*deviation

// look notes what deviates now. Objects of which nothing is known stay as they were. What is told of an object from before
// the process was started is in told.
func (ds deviations) look(found []fleet.Deviation, unseen func(objectKey) bool, told func(objectKey) *api.ResourceReport, now time.Time) {
	still := map[objectKey]bool{}
	for _, f := range found {
		key := keyOfEntry(f.Entry)
		still[key] = true
		d := ds[key]
		switch {
		case d == nil:
			d = begun(told(key), now)
			ds[key] = d
		case !d.present && !d.unseen && !d.lasting:
			d.since = now
		}
		d.Deviation, d.present, d.unseen = f, true, false
	}
	for key, d := range ds {
		switch quiet := now.Sub(d.repaired); {
		case still[key]:
		case unseen(key):
			d.present, d.unseen = false, true
		case d.repairs == 0 || quiet >= forgiven:
			delete(ds, key)
		default:
			d.present, d.unseen, d.failure = false, false, ""
			d.lasting = d.lasting && quiet < pauseAfter(d.repairs)
		}
	}
}

// begun is a deviation that is seen for the first time by this process.
func begun(told *api.ResourceReport, now time.Time) *deviation {
	if told == nil || told.InSync != api.False || told.Since == nil {
		return &deviation{since: now}
	}
	d := &deviation{managers: told.Managers, since: told.Since.Time(), repairs: told.Repairs, failure: told.Failure, lasting: true}
	if told.Repaired != nil {
		d.repaired = told.Repaired.Time()
	}
	return d
}

// held says whether an object is left alone for now.
func (ds deviations) held(key objectKey, now time.Time) bool {
	d := ds[key]
	return d != nil && now.Sub(d.repaired) < pauseAfter(d.repairs)
}

// changedBy notes who has changed an object.
func (ds deviations) changedBy(key objectKey, managers []string) {
	if d := ds[key]; d != nil {
		d.managers = managers
	}
}

// repair notes that an object was put right.
func (ds deviations) repair(key objectKey, now time.Time) {
	if d := ds[key]; d != nil {
		d.repairs++
		d.repaired, d.failure = now, ""
	}
}

// failed notes why an object could not be put right.
func (ds deviations) failed(key objectKey, err error) {
	if d := ds[key]; d != nil {
		d.failure = err.Error()
	}
}

// last notes that a pass is over and has left what deviates.
func (ds deviations) last() {
	for _, d := range ds {
		d.lasting = d.lasting || d.present
	}
}

// next is how long it takes until something is to be done or told that no change on a cluster tells of; 0 for nothing.
func (ds deviations) next(now time.Time) time.Duration {
	next := time.Duration(0)
	for _, d := range ds {
		wait := d.repaired.Add(pauseAfter(d.repairs)).Sub(now)
		if (d.present || d.lasting) && wait > 0 && (next == 0 || wait < next) {
			next = wait
		}
	}
	return next
}

// told are the deviations that are to be told of, the worst first.
func (ds deviations) told() []*deviation {
	var out []*deviation
	for _, d := range ds {
		if d.lasting && !d.unseen {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b *deviation) int {
		return cmp.Or(cmp.Compare(slices.Index(reasons, a.reason()), slices.Index(reasons, b.reason())), compareEntries(a.Entry, b.Entry))
	})
	return out
}

func compareEntries(a, b api.InventoryObject) int {
	return cmp.Or(cmp.Compare(a.Wave, b.Wave), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Group, b.Group),
		cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Cluster, b.Cluster))
}

// contested is the reason of what others undo each time that it is put right.
const contested = "Contested"

// reasons why an application is not in sync, the worst first.
var reasons = []string{contested, string(fleet.Drifted), string(fleet.Missing), string(fleet.Outdated), string(fleet.Surplus)}

func (d *deviation) reason() string {
	if d.repairs >= 2 {
		return contested
	}
	return string(d.Way)
}

// sentence tells of a deviation on a cluster of this name, without a full stop.
func (d *deviation) sentence(cluster string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s on %s ", fleet.KeyOf(d.Entry), cluster)
	switch d.Way {
	case fleet.Drifted:
		b.WriteString("differs in " + strings.Join(few(d.Fields, maxFields), ", "))
	case fleet.Missing:
		b.WriteString("is missing")
	case fleet.Outdated:
		b.WriteString("is not yet as the manifest says")
	case fleet.Surplus:
		b.WriteString("has still to be removed")
	}
	fmt.Fprintf(&b, " since %s", d.since.UTC().Format(time.RFC3339))
	if len(d.managers) > 0 {
		b.WriteString(", changed by " + strings.Join(few(d.managers, maxManagers), " and "))
	}
	switch {
	case d.repairs >= 2:
		fmt.Fprintf(&b, "; it was put right %d times, and undone each time", d.repairs)
	case d.repairs == 1:
		b.WriteString("; it was put right once")
	}
	if d.failure != "" {
		b.WriteString("; it cannot be put right: " + api.Shorten(d.failure, maxText))
	}
	return b.String()
}
