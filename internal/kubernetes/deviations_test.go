package kubernetes

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/fleet"
)

var (
	nothingTold = func(objectKey) *api.ResourceReport { return nil }
	allSeen     = func(objectKey) bool { return false }
	nothingSeen = func(objectKey) bool { return true }
)

func drifted(e api.InventoryObject) []fleet.Deviation {
	return []fleet.Deviation{{Entry: e, Way: fleet.Drifted, Fields: []string{"spec.replicas"}}}
}

// clash has an object drift and be put right at a moment.
func (ds deviations) clash(e api.InventoryObject, now time.Time) {
	ds.look(drifted(e), allSeen, nothingTold, now)
	ds.changedBy(keyOfEntry(e), []string{"hpa"})
	ds.repair(keyOfEntry(e), now)
}

func TestADeviationThatIsPutRightAtOnceIsNotTold(t *testing.T) {
	ds, web, now := deviations{}, entry("berlin", "web", "u"), noon.Time()
	ds.clash(web, now)
	ds.look(nil, nothingSeen, nothingTold, now) // right after the apply
	ds.last()
	ds.look(nil, allSeen, nothingTold, now.Add(time.Second))
	ds.last()
	if told := ds.told(); len(told) > 0 {
		t.Errorf("told: %s", told[0].sentence("berlin"))
	}
	ds.look(drifted(web), allSeen, nothingTold, now.Add(2*time.Second))
	ds.last()
	want := "Deployment default/web on here differs in spec.replicas since 2026-03-01T12:00:02Z, changed by hpa; it was put right once"
	if told := ds.told(); len(told) != 1 || told[0].sentence("here") != want || told[0].reason() != string(fleet.Drifted) {
		t.Errorf("told: %s", told[0].sentence("here"))
	}
}

func TestAFightIsToldUntilThereIsPeace(t *testing.T) {
	ds, web, now := deviations{}, entry("berlin", "web", "u"), noon.Time()
	key, at := keyOfEntry(web), func(s float64) time.Time { return now.Add(time.Duration(s * float64(time.Second))) }
	ds.clash(web, at(0))
	ds.look(drifted(web), allSeen, nothingTold, at(0.5))
	if !ds.held(key, at(0.9)) || ds.held(key, at(1)) || ds.next(at(0.25)) != 750*time.Millisecond {
		t.Errorf("after the first repair: held %t and %t, next %s", ds.held(key, at(0.9)), ds.held(key, at(1)), ds.next(at(0.25)))
	}
	ds.last()
	ds.clash(web, at(1))
	ds.look(nil, allSeen, nothingTold, at(1.1)) // well for now
	ds.last()
	told := ds.told()
	if len(told) != 1 || told[0].reason() != contested || !told[0].since.Equal(now) ||
		!strings.Contains(told[0].sentence("x"), "put right 2 times, and undone each time") {
		t.Fatalf("during the fight: %+v", told)
	}
	if next := ds.next(at(1.1)); next != 1900*time.Millisecond {
		t.Errorf("whether there is peace is looked at in %s", next)
	}
	ds.look(nil, allSeen, nothingTold, at(3.5))
	ds.last()
	if told, next := ds.told(), ds.next(at(3.5)); len(told) > 0 || next != 0 {
		t.Errorf("in peace: %+v, looked at in %s", told, next)
	}
	ds.look(drifted(web), allSeen, nothingTold, at(30)) // the memory of the fight lasts longer
	ds.repair(key, at(30))
	if pause := ds.next(at(30)); pause != 4*time.Second {
		t.Errorf("the pause after the third repair is %s", pause)
	}
	ds.look(nil, allSeen, nothingTold, at(30).Add(forgiven))
	if len(ds) > 0 {
		t.Errorf("after %s in peace: %+v", forgiven, ds)
	}
}

func TestWhatIsNotSeenIsNeitherToldNorForgotten(t *testing.T) {
	ds, web, now := deviations{}, entry("berlin", "web", "u"), noon.Time()
	ds.look(drifted(web), allSeen, nothingTold, now)
	ds.failed(keyOfEntry(web), errors.New("quota exceeded"))
	ds.last()
	ds.look(nil, nothingSeen, nothingTold, now.Add(time.Hour))
	ds.last()
	if told := ds.told(); len(told) > 0 {
		t.Errorf("told: %+v", told[0])
	}
	ds.look(drifted(web), allSeen, nothingTold, now.Add(2*time.Hour))
	if told := ds.told(); len(told) != 1 || !told[0].since.Equal(now) || !strings.HasSuffix(told[0].sentence("x"), "; it cannot be put right: quota exceeded") {
		t.Errorf("seen again: %+v", told)
	}
	ds.look(nil, allSeen, nothingTold, now.Add(3*time.Hour))
	if len(ds) > 0 {
		t.Errorf("what is well is remembered: %+v", ds)
	}
}

// Another process goes on with what is stored.
func TestAFightOutlastsTheProcess(t *testing.T) {
	since, repaired := noon, api.At(noon.Time().Add(7*time.Second))
	told := &api.ResourceReport{InSync: api.False, Since: &since, Repairs: 4, Repaired: &repaired, Managers: []string{"hpa"}}
	ds, web := deviations{}, entry("berlin", "web", "u")
	ds.look(drifted(web), allSeen, func(objectKey) *api.ResourceReport { return told }, repaired.Time().Add(time.Second))
	d := ds[keyOfEntry(web)]
	if !ds.held(keyOfEntry(web), repaired.Time().Add(7*time.Second)) || ds.held(keyOfEntry(web), repaired.Time().Add(8*time.Second)) ||
		!d.since.Equal(since.Time()) || d.reason() != contested {
		t.Errorf("%+v", d)
	}
	told.InSync = api.True
	ds = deviations{}
	ds.look(drifted(web), allSeen, func(objectKey) *api.ResourceReport { return told }, repaired.Time())
	if d := ds[keyOfEntry(web)]; d.repairs != 0 || !d.since.Equal(repaired.Time()) {
		t.Errorf("what was in sync begins anew: %+v", d)
	}
}

func TestTheWorstDeviationIsToldFirst(t *testing.T) {
	ds, now := deviations{}, noon.Time()
	var found []fleet.Deviation
	for i, way := range []fleet.Way{fleet.Surplus, fleet.Outdated, fleet.Missing, fleet.Drifted} {
		found = append(found, fleet.Deviation{Entry: entry("berlin", fmt.Sprint("web-", i), ""), Way: way})
	}
	ds.look(found, allSeen, nothingTold, now)
	ds.repair(keyOfEntry(found[2].Entry), now)
	ds.repair(keyOfEntry(found[2].Entry), now)
	ds.last()
	c := syncCondition(ds.told(), []api.InventoryObject{entry("berlin", "unknown", "u")}, func(string) string { return "here" })
	if c.Status != api.False || c.Reason != contested || !strings.HasPrefix(c.Message, "Deployment default/web-2 on here is missing since") ||
		!strings.HasSuffix(c.Message, ". 1 more") {
		t.Errorf("%+v", c)
	}
	c = syncCondition(nil, []api.InventoryObject{entry("berlin", "db", "u")}, func(string) string { return "here" })
	if c.Status != api.Unknown || c.Reason != notSeen || c.Message != "it is not seen how Deployment default/db on here is" {
		t.Errorf("%+v", c)
	}
	if c = syncCondition(nil, nil, nil); c.Status != api.True || c.Message != "" {
		t.Errorf("%+v", c)
	}
}

// However others behave, an object is repaired no more often than its pauses allow, one that is well is forgotten some
// day, and what is told is known.
func TestRepairsNeverComeFasterThanTheirPauses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ds, web, now := deviations{}, entry("berlin", "web", "u"), noon.Time()
		key := keyOfEntry(web)
		var repairs []time.Time
		for range rapid.IntRange(1, 60).Draw(t, "looks") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20_000).Draw(t, "milliseconds")) * time.Millisecond)
			var found []fleet.Deviation
			seen := allSeen
			switch rapid.SampledFrom([]string{"drift", "drift", "well", "unseen"}).Draw(t, "what") {
			case "drift":
				found = drifted(web)
			case "unseen":
				seen = nothingSeen
			}
			ds.look(found, seen, nothingTold, now)
			if found != nil && !ds.held(key, now) {
				ds.repair(key, now)
				repairs = append(repairs, now)
			}
			ds.last()
			if next := ds.next(now); next < 0 || next > lastPause {
				t.Fatalf("the next look is in %s", next)
			}
			for _, d := range ds.told() {
				if d.unseen || d.since.After(now) {
					t.Fatalf("told at %s: %+v", now, d)
				}
			}
		}
		minute := func(from time.Time) int {
			n := 0
			for _, r := range repairs {
				if !r.Before(from) && r.Sub(from) < time.Minute {
					n++
				}
			}
			return n
		}
		for _, from := range repairs {
			if n := minute(from); n > 6 { // after 1, 2, 4, 8, 16 and 32 seconds, if nothing was forgotten before
				t.Fatalf("%d repairs within a minute: %v", n, repairs)
			}
		}
		ds.look(nil, allSeen, nothingTold, now.Add(forgiven))
		if len(ds) > 0 {
			t.Fatalf("not forgotten: %+v", ds[key])
		}
	})
}

func TestReportsFindRoom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.StringOfN(rapid.RuneFrom([]rune{'a', '"', 'é', '\n', '<', 0}), 0, maxText/2, maxText)
		var all []api.ResourceReport
		for range rapid.IntRange(0, 120).Draw(t, "objects") {
			all = append(all, api.ResourceReport{
				Kind: "ConfigMap", Name: texts.Draw(t, "name"), Message: texts.Draw(t, "message"),
				InSync: rapid.SampledFrom([]api.ConditionStatus{api.True, api.False, api.Unknown}).Draw(t, "in sync"),
				Health: rapid.SampledFrom([]string{"Current", "Failed"}).Draw(t, "health"), Fields: []string{}, Managers: []string{},
			})
		}
		part := bounded(all)
		if data, err := json.Marshal(part); err != nil || len(data) > maxResources {
			t.Fatalf("%d bytes, %v", len(data), err)
		}
		n := int64(len(all))
		if int64(len(part.Objects))+part.Omitted != n || sum(part.Health) != n || sum(part.InSync) != n {
			t.Fatalf("%d objects: %d told, %d omitted, %v, %v", n, len(part.Objects), part.Omitted, part.Health, part.InSync)
		}
		if !slices.EqualFunc(part.Objects, all[:len(part.Objects)], func(a, b api.ResourceReport) bool { return a.Name == b.Name && a.Message == b.Message }) {
			t.Fatal("those that find no room are not the last ones")
		}
	})
}

func sum(counts map[string]int64) (n int64) {
	for _, count := range counts {
		n += count
	}
	return n
}
