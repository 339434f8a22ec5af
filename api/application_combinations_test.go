package api_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
)

// choices are all that the state of an application depends on, with the values that make a difference. The zero
// condition stands for none.
var choices = struct {
	conditions [][]api.Condition
	states     []api.ApplicationStatus
	places     [][2]*api.ResourceRef // bound to, runs on
}{
	conditions: [][]api.Condition{
		{{}, shutdownRequested, shutdownConfirmed, shutdownOver},
		{{}, cleaning, cleaningFailed},
		{{}, placed, unplaced},
		{{}, moving, moved},
		{{}, applying, retrying, applied, notApplied},
		{{}, healthy, unhealthy, completed, restarting},
	},
	states: []api.ApplicationStatus{
		{State: api.AppPending},
		{State: api.AppRunning},
		{State: api.AppMigrating},
		{State: api.AppWaitingForCleaning},
		{State: api.AppDegraded, Reason: &api.Reason{Code: api.NoSuitableResource}},
		{State: api.AppFailed, Reason: &api.Reason{Code: api.InvalidResource}},
	},
	places: [][2]*api.ResourceRef{{}, {cluster("a"), nil}, {cluster("a"), cluster("a")}, {cluster("b"), cluster("a")}, {nil, cluster("a")}},
}

// everySet calls f with every choice of one condition of each type.
func everySet(types [][]api.Condition, chosen api.Conditions, f func(api.Conditions)) {
	if len(types) == 0 {
		f(chosen)
		return
	}
	for _, c := range types[0] {
		next := chosen
		if c.Type != "" {
			next = append(slices.Clone(chosen), c)
		}
		everySet(types[1:], next, f)
	}
}

// everyApplication calls f with an application before and after its conditions changed, for all choices.
func everyApplication(f func(before, after *api.Application)) {
	everySet(choices.conditions, nil, func(conditions api.Conditions) {
		for _, status := range choices.states {
			for _, place := range choices.places {
				for i := range 4 {
					var a api.Application
					a.Status = status
					a.Status.ScheduledTo, a.Status.RunningOn = place[0], place[1]
					if i&1 != 0 {
						a.Metadata.Deleted = at(0)
					}
					if i&2 != 0 {
						a.Status.ScheduledRetry = at(9)
					}
					f(&a, settled(a, conditions...))
				}
			}
		}
	})
}

func describe(before, after *api.Application) string {
	s := &after.Status
	text := fmt.Sprintf("was %s, deleted %t, retry %t, bound %v, runs %v,", before.Status.State, after.Metadata.Deleted != nil,
		s.ScheduledRetry != nil, s.ScheduledTo != nil, s.RunningOn != nil)
	for _, c := range s.Conditions {
		text += fmt.Sprintf(" %s=%s/%s", c.Type, c.Status, c.Reason)
	}
	return text + ": " + string(s.State)
}

// What is never true, whatever the components report in whatever order.
func TestStatesNeverContradictTheConditions(t *testing.T) {
	rules := map[string]func(s *api.ApplicationStatus, has func(api.Condition) bool, deleted bool) bool{
		"an application whose objects are being removed shows that": func(s *api.ApplicationStatus, has func(api.Condition) bool, deleted bool) bool {
			return !deleted || !has(cleaning) && !has(cleaningFailed) ||
				s.State == api.AppDeleting || s.State == api.AppWaitingForCleaning || s.State == api.AppReadyForAction
		},
		"only one that is asked to get ready waits for that": func(s *api.ApplicationStatus, has func(api.Condition) bool, _ bool) bool {
			return (s.State == api.AppWaitingForCleaning) == has(shutdownRequested)
		},
		"only one that said so is ready": func(s *api.ApplicationStatus, has func(api.Condition) bool, _ bool) bool {
			return (s.State == api.AppReadyForAction) == has(shutdownConfirmed)
		},
		"only one that moves is migrating": func(s *api.ApplicationStatus, has func(api.Condition) bool, _ bool) bool {
			return s.State != api.AppMigrating || has(moving)
		},
		"only one whose deletion was asked for is being deleted": func(s *api.ApplicationStatus, _ func(api.Condition) bool, deleted bool) bool {
			return s.State != api.AppDeleting || deleted
		},
		"one without a place neither runs nor is being created": func(s *api.ApplicationStatus, has func(api.Condition) bool, _ bool) bool {
			return !has(unplaced) || !slices.Contains([]api.ApplicationState{api.AppRunning, api.AppCreating, api.AppReconciling,
				api.AppCompleted, api.AppRestarting, api.AppPending, api.AppMigrating}, s.State)
		},
		"one that failed says why": func(s *api.ApplicationStatus, _ func(api.Condition) bool, _ bool) bool {
			return s.State != api.AppFailed || s.Reason != nil
		},
		"one that runs was bound": func(s *api.ApplicationStatus, _ func(api.Condition) bool, _ bool) bool {
			return s.State != api.AppRunning && s.State != api.AppCompleted || s.ScheduledTo != nil || s.RunningOn != nil
		},
		"nothing is shown of a cluster that refused but the refusal": func(s *api.ApplicationStatus, has func(api.Condition) bool, _ bool) bool {
			return !has(notApplied) || s.State != api.AppRunning && s.State != api.AppCompleted && s.State != api.AppReconciling
		},
		"a state that the conditions do not know is never shown": func(s *api.ApplicationStatus, _ func(api.Condition) bool, _ bool) bool {
			return s.State != api.AppDeleted && s.State != api.AppRetrying && slices.Contains(s.State.Members(), string(s.State))
		},
	}
	broken := map[string]int{}
	everyApplication(func(before, after *api.Application) {
		if len(after.Status.Conditions) == 0 {
			return // the conditions are gone: an old client rules
		}
		if bound := after.Status.Conditions; len(bound) == 1 && bound[0] == placed && after.Status.State == before.Status.State {
			return // nobody reports who knows conditions, and a binding alone changes no state
		}
		has := func(c api.Condition) bool { return slices.Contains(after.Status.Conditions, c) }
		for name, holds := range rules {
			if holds(&after.Status, has, after.Metadata.Deleted != nil) {
				continue
			}
			if broken[name]++; broken[name] <= 3 {
				t.Errorf("%s, but: %s", name, describe(before, after))
			}
		}
	})
	if len(broken) > 0 {
		t.Log(broken)
	}
}

func TestStatesDependOnTheSetOfConditionsOnly(t *testing.T) {
	failures := 0
	everyApplication(func(before, after *api.Application) {
		reversed := slices.Clone(after.Status.Conditions)
		slices.Reverse(reversed)
		other := settled(*before, reversed...)
		if (other.Status.State != after.Status.State) && failures < 5 {
			failures++
			t.Errorf("%s; in the reverse order %s", describe(before, after), other.Status.State)
		}
	})
}

func TestSettlingTwiceChangesNothingMore(t *testing.T) {
	failures := 0
	everyApplication(func(before, after *api.Application) {
		again := *after
		again.Settle(before)
		if (again.Status.State != after.Status.State || (again.Status.Reason == nil) != (after.Status.Reason == nil)) && failures < 5 {
			failures++
			t.Errorf("%s; settled again %s", describe(before, after), again.Status.State)
		}
	})
}

// applications draws applications with stamps that may lie anywhere.
var applications = rapid.Custom(func(t *rapid.T) *api.Application {
	stamp := func(label string) *api.Time {
		return rapid.Ptr(rapid.Map(rapid.IntRange(0, 9), func(i int) api.Time { return *at(i) }), true).Draw(t, label)
	}
	place := func(label string) *api.ResourceRef {
		return rapid.SampledFrom([]*api.ResourceRef{nil, cluster("a"), cluster("b"), cluster("c")}).Draw(t, label)
	}
	a := &api.Application{}
	a.Metadata.Modified = *at(rapid.IntRange(0, 9).Draw(t, "modified"))
	a.Metadata.Generation = rapid.Int64Range(1, 4).Draw(t, "generation")
	a.Status.Scheduled, a.Status.KubeControllerTriggered = stamp("scheduled"), stamp("triggered")
	a.Status.ScheduledTo, a.Status.RunningOn = place("scheduled to"), place("running on")
	a.Status.ScheduledGeneration = rapid.Int64Range(0, 4).Draw(t, "scheduled generation")
	a.Status.State = rapid.SampledFrom([]api.ApplicationState{api.AppPending, api.AppRunning, api.AppFailed}).Draw(t, "state")
	a.Metadata.Owners = rapid.SliceOfN(rapid.SampledFrom([]api.ResourceRef{
		*cluster("a"), *cluster("b"), *cluster("z"), {API: "core", Kind: "Role", Name: "r"}, {API: "kubernetes", Kind: "Application", Name: "x"},
	}), 0, 3).Draw(t, "owners")
	return a
})

func TestStampsNeverGoBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, after := applications.Draw(t, "before"), applications.Draw(t, "after")
		after.Settle(before)
		for name, stamps := range map[string][2]*api.Time{
			"scheduled": {before.Status.Scheduled, after.Status.Scheduled},
			"triggered": {before.Status.KubeControllerTriggered, after.Status.KubeControllerTriggered},
		} {
			if stamps[0] != nil && stamps[1] != nil && stamps[1].Before(*stamps[0]) {
				t.Errorf("%s went from %s to %s", name, stamps[0], stamps[1])
			}
		}
	})
}

func TestOwnersAreTheClustersInUse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, after := applications.Draw(t, "before"), applications.Draw(t, "after")
		after.Status.RunningOn = cluster("new") // so that something changed
		others := func(refs []api.ResourceRef) (out []string) {
			for _, r := range refs {
				if r.Kind != "Cluster" {
					out = append(out, r.String())
				}
			}
			return out
		}
		kept := others(after.Metadata.Owners)
		after.Settle(before)
		if got := others(after.Metadata.Owners); !slices.Equal(got, kept) {
			t.Errorf("the owners beside clusters were %v and are %v", kept, got)
		}
		want := []api.ResourceRef{*after.Status.RunningOn}
		if to := after.Status.ScheduledTo; to != nil {
			want = append(want, *to)
		}
		for _, w := range want {
			n := 0
			for _, o := range after.Metadata.Owners {
				if o.Equal(w) {
					n++
				}
			}
			if n == 0 {
				t.Errorf("%s is in use and no owner", w)
			}
		}
		for _, o := range after.Metadata.Owners {
			if o.Kind == "Cluster" && !slices.ContainsFunc(want, o.Equal) {
				t.Errorf("%s owns what it has nothing of", o)
			}
		}
	})
}

func TestOwnersStayWhileNoClusterChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, after := applications.Draw(t, "before"), applications.Draw(t, "after")
		after.Status.ScheduledTo, after.Status.RunningOn = before.Status.ScheduledTo, before.Status.RunningOn
		want := slices.Clone(after.Metadata.Owners)
		after.Settle(before)
		if !slices.EqualFunc(after.Metadata.Owners, want, api.ResourceRef.Equal) {
			t.Errorf("%v became %v", want, after.Metadata.Owners)
		}
	})
}

func TestAGenerationIsScheduledWhenTheStampReachesTheModification(t *testing.T) {
	for name, c := range map[string]struct {
		before, after *api.Time
		want          int64
	}{
		"no stamp":                            {nil, nil, 3},
		"a stamp before the modification":     {nil, at(4), 3},
		"a stamp of the modification":         {nil, at(5), 7},
		"a stamp behind the modification":     {at(2), at(6), 7},
		"a stamp that was there already":      {at(6), at(6), 3},
		"a stamp that goes back":              {at(6), at(1), 3},
		"a stamp that is taken away":          {at(6), nil, 3},
		"a stamp that is renewed, still late": {at(2), at(4), 3},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after api.Application
			for _, a := range []*api.Application{&before, &after} {
				a.Metadata.Modified, a.Metadata.Generation, a.Status.ScheduledGeneration = *at(5), 7, 3
			}
			before.Status.KubeControllerTriggered, after.Status.KubeControllerTriggered = c.before, c.after
			after.Settle(&before)
			if got := after.Status.ScheduledGeneration; got != c.want {
				t.Errorf("generation %d is scheduled, want %d", got, c.want)
			}
		})
	}
}

// What an old client writes into the state stays until a condition changes.
func TestAStateThatAnOldClientWroteStays(t *testing.T) {
	before := settled(api.Application{}, applied)
	after := *before
	after.Status.State = api.AppFailed
	after.Status.Reason = &api.Reason{Code: api.InternalError, Message: "mine"}
	after.Settle(before)
	if after.Status.State != api.AppFailed || after.Status.Reason.Message != "mine" {
		t.Errorf("it became %s, %v", after.Status.State, after.Status.Reason)
	}
}

func TestANewApplicationIsSettledWithoutAPredecessor(t *testing.T) {
	a := api.New[api.Application]()
	a.Settle(nil)
	if a.Status.State != api.AppPending || a.Status.ScheduledGeneration != 0 || len(a.Metadata.Owners) != 0 {
		t.Errorf("%+v", a)
	}
}
