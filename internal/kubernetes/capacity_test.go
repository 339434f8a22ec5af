package kubernetes

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/fleet"
)

func TestRoomIsWrittenDownWhereItCounts(t *testing.T) {
	some := func(values map[string]int64) api.Amounts { return api.AmountsOf(values) }
	busy, empty, hidden := healthy, healthy, healthy
	busy.Usage = &fleet.Usage{All: some(map[string]int64{"cpu": 1500, "pods": 3}), Others: some(map[string]int64{"cpu": 500, "pods": 1})}
	empty.Usage = &fleet.Usage{}
	hidden.UsageHidden = `cannot list resource "pods"`
	checked := func(reports ...any) *api.Cluster {
		c := record(t)
		c.Spec.CheckCapacity = true
		for _, r := range reports {
			c = told(t, c, r)
		}
		return c
	}
	unchecked := checked(busy)
	unchecked.Spec.CheckCapacity = false
	nothing := map[string]string{}
	for name, test := range map[string]struct {
		cluster      *api.Cluster
		used, others map[string]string
		known        api.ConditionStatus
	}{
		"counted":                               {checked(busy), map[string]string{"cpu": "1500m", "pods": "3"}, map[string]string{"cpu": "500m", "pods": "1"}, api.True},
		"not counted this time":                 {checked(busy, healthy), map[string]string{"cpu": "1500m", "pods": "3"}, map[string]string{"cpu": "500m", "pods": "1"}, api.True},
		"not counted yet":                       {checked(healthy), nothing, nothing, api.Unknown},
		"no pods at all":                        {checked(busy, empty), map[string]string{"pods": "0"}, map[string]string{"pods": "0"}, api.True},
		"hidden":                                {checked(busy, hidden), nothing, nothing, api.False},
		"no answer":                             {checked(busy, errSilence), map[string]string{"cpu": "1500m", "pods": "3"}, map[string]string{"cpu": "500m", "pods": "1"}, api.True},
		"not to be counted any more":            {told(t, unchecked, healthy), nothing, nothing, api.Unknown},
		"never to be counted, and nothing said": {record(t, healthy), nothing, nothing, api.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			s := test.cluster.Status
			if d := cmp.Diff(test.used, s.Used); d != "" && len(test.used)+len(s.Used) > 0 {
				t.Errorf("used: %s", d)
			}
			if d := cmp.Diff(test.others, s.UsedByOthers); d != "" && len(test.others)+len(s.UsedByOthers) > 0 {
				t.Errorf("used by others: %s", d)
			}
			known := s.Conditions.Get(api.CapacityKnown)
			if known.Status != test.known || known.Status == api.Unknown && known.Reason != "" {
				t.Errorf("%+v", known)
			}
			if len(s.Conditions) > 0 && s.State != api.ClusterOnline && name != "no answer" {
				t.Errorf("the room of a cluster makes it %s", s.State)
			}
		})
	}
}

func TestPodsAreCountedNowAndThen(t *testing.T) {
	clock := noon.Time()
	c := &Clusters{counted: map[controller.Key]time.Time{}, interval: time.Second, clock: func() time.Time { return clock }}
	key := controller.Key{Namespace: "testing", Name: "berlin"}
	due := func(later time.Duration) bool {
		clock = noon.Time().Add(later)
		return c.countIsDue(key)
	}
	for i, step := range []struct {
		later time.Duration
		want  bool
	}{{0, true}, {time.Second, false}, {9 * time.Second, false}, {10 * time.Second, true}, {11 * time.Second, false}, {-time.Hour, true}} {
		if got := due(step.later); got != step.want {
			t.Errorf("step %d: due is %v", i, got)
		}
	}
	c.uncount(key)
	if !due(-time.Hour) {
		t.Error("what was not written down is not counted again")
	}
}
