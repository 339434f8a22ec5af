package kubernetes

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/fleet"
)

var errSilence = errors.New("connection refused")

// healthy is what a cluster of one good node answers.
var healthy = fleet.Report{Identity: "id-berlin", Version: "v1.36.3", Allocatable: map[string]string{"cpu": "4"}}

// record is a cluster's record after reports, as the server keeps it.
func record(t *testing.T, reports ...any) *api.Cluster {
	t.Helper()
	namespace := "testing"
	c := api.New[api.Cluster]()
	c.Metadata.Name, c.Metadata.Namespace, c.Metadata.Generation = "berlin", &namespace, 1
	c.Spec.Kubeconfig = api.Kubeconfig{"kind": "Config"}
	for _, r := range reports {
		c = told(t, c, r)
	}
	return c
}

// told returns the record after a report, or after an error, as the server makes it: patched and settled.
func told(t *testing.T, c *api.Cluster, report any) *api.Cluster {
	t.Helper()
	r, _ := report.(fleet.Report)
	failure, _ := report.(error)
	patch := assess(c, r, failure, noon)
	if patch == nil {
		return c
	}
	status, err := wire.Tree(c.Status)
	if err != nil {
		t.Fatal(err)
	}
	change, err := wire.Tree(patch)
	if err != nil {
		t.Fatal(err)
	}
	next := *c
	if err := wire.Decode(wire.Patch(status, change), &next.Status, wire.Stored); err != nil {
		t.Fatal(err)
	}
	next.Settle(c)
	return &next
}

func TestStatesFollowWhatAClusterAnswers(t *testing.T) {
	tired := healthy
	tired.Findings = []fleet.Finding{{Message: "node-0 is not ready"}}
	pressed := healthy
	pressed.Findings = []fleet.Finding{{Message: "node-0 lacks memory", Pressure: true}, {Message: "node-1 is not ready"}}
	tests := map[string]struct {
		reports []any
		state   api.ClusterState
	}{
		"never asked":                                   {nil, api.ClusterPending},
		"G3 never reached":                              {[]any{errSilence}, api.ClusterOffline},
		"G1 answers at once":                            {[]any{healthy}, api.ClusterOnline},
		"G4 answers after it did not":                   {[]any{errSilence, healthy}, api.ClusterConnecting},
		"G4 goes on answering":                          {[]any{errSilence, healthy, healthy}, api.ClusterOnline},
		"G3 is gone, after the misses that are allowed": {[]any{healthy, errSilence}, api.ClusterOffline},
		"G1 a node is not ready":                        {[]any{healthy, tired}, api.ClusterNotReady},
		"G2 a node lacks something, the first thing that is wrong": {[]any{healthy, pressed}, api.ClusterUnhealthy},
		"the node has recovered":                                   {[]any{healthy, tired, healthy}, api.ClusterOnline},
		"leads to another cluster":                                 {[]any{healthy, &anotherCluster{}}, api.ClusterOffline},
		"leads to the right cluster again":                         {[]any{healthy, &anotherCluster{}, healthy, healthy}, api.ClusterOnline},
		"a tired cluster that was away":                            {[]any{tired, errSilence, tired, tired}, api.ClusterNotReady},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if c := record(t, test.reports...); c.Status.State != test.state {
				t.Errorf("%s, expected %s; conditions %+v", c.Status.State, test.state, c.Status.Conditions)
			}
		})
	}
}

func TestWhatHasNotChangedIsNotWritten(t *testing.T) {
	for name, reports := range map[string][]any{
		"an answer":  {healthy, healthy},
		"no answer":  {healthy, errSilence, errSilence},
		"never seen": {errSilence, errSilence},
	} {
		t.Run(name, func(t *testing.T) {
			last := reports[len(reports)-1]
			r, _ := last.(fleet.Report)
			failure, _ := last.(error)
			if patch := assess(record(t, reports...), r, failure, after(time.Hour)); patch != nil {
				t.Errorf("it would write %v", patch)
			}
		})
	}
}

func TestTheReasonOfAnOutageIsKeptWithIt(t *testing.T) {
	c := record(t, healthy, errSilence)
	want := api.Condition{Type: api.Reachable, Status: api.False, Reason: "CLUSTER_NOT_REACHABLE", Message: "connection refused",
		LastTransition: &noon, ObservedGeneration: 1}
	if diff := cmp.Diff(want, c.Status.Conditions.Get(api.Reachable)); diff != "" {
		t.Error(diff)
	}
	if c.Status.Identity != "id-berlin" || c.Status.Version != "v1.36.3" || c.Status.Allocatable["cpu"] != "4" {
		t.Errorf("what was learned before is lost: %+v", c.Status)
	}
}

func TestCapacityThatIsGoneIsTakenBack(t *testing.T) {
	before := healthy
	before.Allocatable = map[string]string{"cpu": "4", "example.com/gpu": "1"}
	c := record(t, before)
	patch := assess(c, healthy, nil, noon)
	want := map[string]any{"cpu": "4", "example.com/gpu": nil}
	if diff := cmp.Diff(want, patch["allocatable"]); diff != "" {
		t.Error(diff)
	}
}

func TestOneMissIsNoOutage(t *testing.T) { // G3, which the reference takes for one
	clock := noon.Time()
	c := &Clusters{misses: map[controller.Key]misses{}, clock: func() time.Time { return clock }}
	key := controller.Key{Namespace: "testing", Name: "berlin"}
	online := record(t, healthy)
	miss := func(later time.Duration) bool {
		clock = noon.Time().Add(later)
		return c.tolerable(key, online, errSilence)
	}

	for i, test := range []struct {
		later     time.Duration
		tolerable bool
	}{
		{0, true}, {3 * time.Second, true},
		{6 * time.Second, true}, // three misses, but not ten seconds
		{9999 * time.Millisecond, true},
		{10 * time.Second, false},
	} {
		if got := miss(test.later); got != test.tolerable {
			t.Errorf("miss %d after %s: tolerable is %v", i+1, test.later, got)
		}
	}
	c.forget(key)
	if !miss(time.Minute) || !miss(2*time.Minute) {
		t.Error("an answer begins the count anew: two misses are tolerable however long they take")
	}
	if miss(3 * time.Minute) {
		t.Error("three misses in two minutes are an outage")
	}
}

func TestSomeFailuresNeedNoSecondLook(t *testing.T) {
	for name, test := range map[string]struct {
		cluster *api.Cluster
		failure error
	}{
		"G3 a cluster that was never reached": {record(t), errSilence},
		"a cluster that is offline already":   {record(t, healthy, errSilence), errSilence},
		"a kubeconfig that leads elsewhere":   {record(t, healthy), &anotherCluster{}},
	} {
		t.Run(name, func(t *testing.T) {
			c := &Clusters{misses: map[controller.Key]misses{}, clock: noon.Time}
			if c.tolerable(controller.Key{Name: "x"}, test.cluster, test.failure) {
				t.Error("it is given more time")
			}
		})
	}
}

func TestClustersThatAreLeftAlone(t *testing.T) {
	for name, change := range map[string]func(*api.Cluster){
		"made by the infrastructure":    func(c *api.Cluster) { c.Status.State = api.ClusterCreating },
		"changed by the infrastructure": func(c *api.Cluster) { c.Status.State = api.ClusterReconciling },
		"could not be made":             func(c *api.Cluster) { c.Status.State = api.ClusterFailed },
		"G6 going away":                 func(c *api.Cluster) { c.Metadata.Deleted = &noon },
		"without a kubeconfig":          func(c *api.Cluster) { c.Spec.Kubeconfig = nil },
	} {
		t.Run(name, func(t *testing.T) {
			c := record(t, healthy)
			if !watched(c) {
				t.Fatal("a healthy cluster is looked at")
			}
			change(c)
			if watched(c) {
				t.Error("it is looked at")
			}
		})
	}
}

// It is still a place for applications that cannot leave.
func TestAClusterThatIsEvacuatedIsLookedAt(t *testing.T) {
	c := record(t, healthy)
	c.Metadata.Deleted, c.Metadata.Deletion = &noon, api.Evacuate
	if !watched(c) {
		t.Error("it is left alone")
	}
}

func TestWhenCredentialsEndIsWrittenDownOnceAndTakenBack(t *testing.T) {
	ending := healthy
	ending.Expires = noon.Time().Add(time.Hour)
	c := record(t, ending)
	if end := c.Status.CredentialsExpire; end == nil || !end.Time().Equal(ending.Expires) {
		t.Fatalf("%v", end)
	}
	if patch := assess(c, ending, nil, noon); patch != nil {
		t.Errorf("it would be written again: %v", patch)
	}
	if patch := assess(c, healthy, nil, noon); patch["credentials_expire"] != (*api.Time)(nil) {
		t.Errorf("new credentials without an end: %v", patch)
	}
}

func TestThatCredentialsEndIsToldOnceADay(t *testing.T) {
	var log bytes.Buffer
	clock := noon.Time()
	c := &Clusters{warned: map[controller.Key]time.Time{}, clock: func() time.Time { return clock }, log: slog.New(slog.NewTextHandler(&log, nil))}
	key := controller.Key{Namespace: "testing", Name: "berlin"}
	for i, step := range []struct {
		later, end time.Duration
		told       int
	}{
		{0, 0, 0}, // no end is known
		{0, 15 * 24 * time.Hour, 0},
		{0, 13 * 24 * time.Hour, 1},
		{23 * time.Hour, 13 * 24 * time.Hour, 1},
		{24 * time.Hour, 13 * 24 * time.Hour, 2},
		{49 * time.Hour, -time.Hour, 3}, // they have ended
	} {
		clock = noon.Time().Add(step.later)
		r := healthy
		if step.end != 0 {
			r.Expires = noon.Time().Add(step.end)
		}
		c.warn(key, api.New[api.Cluster](), r)
		if got := strings.Count(log.String(), "end soon"); got != step.told {
			t.Errorf("step %d: told %d times, want %d", i, got, step.told)
		}
	}
}

// A cluster that is there but refuses Krake is OFFLINE, and no dead one: how long it has been silent begins when it stops
// to refuse.
func TestAClusterThatRefusesIsNotSilent(t *testing.T) {
	refuses := &fleet.RefusedError{Code: 403, Message: "forbidden"}
	silent := &fleet.TransientError{Unreachable: true, Message: "no answer"}
	for name, c := range map[string]struct {
		reports []any
		reason  string
		silent  bool
	}{
		"it answers":                       {[]any{healthy}, api.Answers, false},
		"no answer":                        {[]any{healthy, silent}, "CLUSTER_NOT_REACHABLE", true},
		"never an answer":                  {[]any{silent}, "CLUSTER_NOT_REACHABLE", false},
		"an answer that says it is broken": {[]any{healthy, &fleet.TransientError{Message: "etcdserver: leader changed"}}, "CLUSTER_NOT_REACHABLE", true},
		"it refuses":                       {[]any{healthy, refuses}, api.Refuses, false},
		"its kubeconfig leads elsewhere":   {[]any{healthy, &anotherCluster{}}, api.Refuses, false},
		"its identity is another one":      {[]any{healthy, &fleet.IdentityError{}}, api.Refuses, false},
		"it refuses, then nothing":         {[]any{healthy, refuses, silent}, "CLUSTER_NOT_REACHABLE", true},
		"nothing, then it refuses":         {[]any{healthy, silent, refuses}, api.Refuses, false},
		"it is back":                       {[]any{healthy, silent, healthy}, api.Reconnected, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := record(t, c.reports...)
			is := r.Status.Conditions.Get(api.Reachable)
			if is.Reason != c.reason || (r.SilentSince() != nil) != c.silent {
				t.Errorf("silent since %v: %+v", r.SilentSince(), is)
			}
			if is.Status == api.False && (r.Status.State != api.ClusterOffline || r.Status.Reason.Code != api.ClusterNotReachable || r.Status.Reason.Message != is.Message) {
				t.Errorf("%s: %+v", r.Status.State, r.Status.Reason)
			}
		})
	}
	before := record(t, healthy, refuses)
	patch := assess(before, fleet.Report{}, silent, after(time.Hour))
	if since := patch["conditions"].(api.Conditions).Get(api.Reachable).LastTransition; !since.Equal(after(time.Hour)) {
		t.Errorf("it would be silent since %s", since)
	}
}
