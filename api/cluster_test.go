package api_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rak-n-rok/krake/api"
)

func TestTheStateOfAClusterFollowsFromItsConditions(t *testing.T) {
	reachable := condition(api.Reachable, api.True, api.Answers)
	for name, c := range map[string]struct {
		was        api.ClusterState
		conditions api.Conditions
		want       api.ClusterState
		reason     api.ReasonCode
	}{
		"never looked at":  {api.ClusterPending, api.Conditions{condition(api.Healthy, api.Unknown, "")}, api.ClusterPending, ""},
		"no cloud matches": {api.ClusterPending, api.Conditions{condition(api.Scheduled, api.False, string(api.NoSuitableResource))}, api.ClusterFailed, api.NoSuitableResource},
		"no cloud matches one that others call ONLINE":                   {api.ClusterOnline, api.Conditions{condition(api.Scheduled, api.False, string(api.NoSuitableResource))}, api.ClusterOnline, ""},
		"no cloud matches, and it answers":                               {api.ClusterPending, api.Conditions{reachable, condition(api.Scheduled, api.False, string(api.NoSuitableResource))}, api.ClusterOnline, ""},
		"it has a cloud":                                                 {api.ClusterPending, api.Conditions{condition(api.Scheduled, api.True, "Placed")}, api.ClusterPending, ""},
		"it has failed otherwise, and has a cloud":                       {api.ClusterFailed, api.Conditions{condition(api.Scheduled, api.True, "Placed")}, api.ClusterFailed, ""},
		"not known to answer":                                            {api.ClusterOnline, api.Conditions{condition(api.Reachable, api.Unknown, "x")}, api.ClusterOnline, ""},
		"does not answer":                                                {api.ClusterOnline, api.Conditions{condition(api.Reachable, api.False, string(api.ClusterNotReachable))}, api.ClusterOffline, api.ClusterNotReachable},
		"does not answer, never did":                                     {api.ClusterPending, api.Conditions{condition(api.Reachable, api.False, "x")}, api.ClusterOffline, ""},
		"answers":                                                        {api.ClusterPending, api.Conditions{reachable}, api.ClusterOnline, ""},
		"answers, and is healthy":                                        {api.ClusterOffline, api.Conditions{reachable, condition(api.Healthy, api.True, "")}, api.ClusterOnline, ""},
		"G4 answers again":                                               {api.ClusterOffline, api.Conditions{condition(api.Reachable, api.True, api.Reconnected)}, api.ClusterConnecting, ""},
		"G2 a node lacks something":                                      {api.ClusterOnline, api.Conditions{reachable, condition(api.Healthy, api.False, api.Pressure)}, api.ClusterUnhealthy, ""},
		"G1 a node is not ready":                                         {api.ClusterOnline, api.Conditions{reachable, condition(api.Healthy, api.False, api.NotReady)}, api.ClusterNotReady, ""},
		"metrics fail, and it is known why":                              {api.ClusterOnline, api.Conditions{reachable, condition(api.MetricsReadable, api.False, "x")}, api.ClusterFailingMetrics, ""},
		"G5 they are read again, which the condition says":               {api.ClusterFailingMetrics, api.Conditions{reachable, condition(api.MetricsReadable, api.True, "x")}, api.ClusterOnline, ""},
		"they fail, and a node is not ready":                             {api.ClusterOnline, api.Conditions{reachable, condition(api.Healthy, api.False, api.NotReady), condition(api.MetricsReadable, api.False, "x")}, api.ClusterNotReady, ""},
		"they fail where nobody has asked yet":                           {api.ClusterPending, api.Conditions{condition(api.MetricsReadable, api.False, "x")}, api.ClusterPending, ""},
		"they fail where others write the state":                         {api.ClusterOnline, api.Conditions{condition(api.MetricsReadable, api.False, "x")}, api.ClusterFailingMetrics, ""},
		"they are read where others write it":                            {api.ClusterFailingMetrics, api.Conditions{condition(api.MetricsReadable, api.True, "x")}, api.ClusterOnline, ""},
		"G5 metrics fail while it runs, as the Python Krake has written": {api.ClusterFailingMetrics, api.Conditions{reachable}, api.ClusterFailingMetrics, ""},
		"metrics fail, it goes away":                                     {api.ClusterFailingMetrics, api.Conditions{condition(api.Reachable, api.False, "x")}, api.ClusterOffline, ""},
		"unhealthy and does not reply":                                   {api.ClusterOnline, api.Conditions{condition(api.Reachable, api.False, "x"), condition(api.Healthy, api.False, api.Pressure)}, api.ClusterOffline, ""},
	} {
		t.Run(name, func(t *testing.T) {
			before, after := api.New[api.Cluster](), api.New[api.Cluster]()
			before.Status.State, after.Status.State = c.was, c.was
			after.Status.Conditions = c.conditions
			after.Settle(before)
			code := api.ReasonCode("")
			if r := after.Status.Reason; r != nil {
				code = r.Code
			}
			if after.Status.State != c.want || code != c.reason {
				t.Errorf("got %s, %q", after.Status.State, code)
			}
			again := *after
			again.Settle(before)
			if again.Status.State != after.Status.State {
				t.Errorf("settled again: %s", again.Status.State)
			}
		})
	}
}

func TestTheStampsOfAClusterNeverGoBack(t *testing.T) {
	for name, c := range map[string]struct{ before, sent, want *api.Time }{
		"the first one":     {nil, at(3), at(3)},
		"a later one":       {at(3), at(5), at(5)},
		"an earlier one":    {at(3), at(1), at(3)},
		"one is taken away": {at(3), nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			before, after := api.New[api.Cluster](), api.New[api.Cluster]()
			before.Status.Scheduled, before.Status.KubeControllerTriggered = c.before, c.before
			after.Status.Scheduled, after.Status.KubeControllerTriggered = c.sent, c.sent
			after.Settle(before)
			for _, got := range []*api.Time{after.Status.Scheduled, after.Status.KubeControllerTriggered} {
				if (got == nil) != (c.want == nil) || got != nil && !got.Equal(*c.want) {
					t.Errorf("got %v, want %v", got, c.want)
				}
			}
		})
	}
}

func TestAClusterIsBoundToACloud(t *testing.T) {
	north := api.ResourceRef{API: "infrastructure", Kind: "GlobalCloud", Name: "north"}
	c := api.New[api.Cluster]()
	c.Metadata.UID, c.Metadata.Generation = "u-1", 2
	bind := func(b api.CloudBinding, seconds int) error {
		b.Cloud = north
		return api.ClusterKind.Action("binding").Apply(c, &b, *at(seconds), nil)
	}
	for i := range 2 {
		if err := bind(api.CloudBinding{UID: "u-1", Generation: 2}, i); err != nil {
			t.Fatal(err)
		}
		if !c.Status.Scheduled.Equal(*at(i)) || !api.SameRef(c.Status.ScheduledTo, &north) || c.Status.KubeControllerTriggered != nil {
			t.Errorf("%+v", c.Status)
		}
		if diff := cmp.Diff([]api.ResourceRef{north}, c.Metadata.Owners); diff != "" {
			t.Error(diff)
		}
	}
	for name, b := range map[string]api.CloudBinding{
		"another uid": {UID: "u-0"}, "another generation": {Generation: 1}, "bound meanwhile": {Expected: api.Expect(nil)},
	} {
		t.Run(name, func(t *testing.T) {
			wantProblem(t, bind(b, 9), http.StatusConflict, api.TitleTransaction, "The cluster has changed since the decision was made.")
		})
	}
	before := *c
	c.Status.Scheduled = at(-5)
	c.Settle(&before)
	if !c.Status.Scheduled.Equal(*at(1)) {
		t.Errorf("the stamp went back to %s", c.Status.Scheduled)
	}
}
