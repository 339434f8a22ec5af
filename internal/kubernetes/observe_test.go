package kubernetes

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/fleet"
)

func TestHealthDependsOnWhatWasReadyBefore(t *testing.T) {
	said := func(status api.ConditionStatus, generation int64) api.Condition {
		return api.Condition{Type: api.Healthy, Status: status, ObservedGeneration: generation}
	}
	never := api.Condition{Type: api.Healthy, Status: api.Unknown}
	tests := map[string]struct {
		report fleet.HealthReport
		before api.Condition
		status api.ConditionStatus
		reason string
	}{
		"not ready yet":                         {fleet.HealthReport{}, never, api.Unknown, "Progressing"},
		"ready":                                 {fleet.HealthReport{Ready: true}, never, api.True, "Ready"},
		"not ready any more":                    {fleet.HealthReport{}, said(api.True, 7), api.False, "NotReady"},
		"still not ready again":                 {fleet.HealthReport{}, said(api.False, 7), api.False, "NotReady"},
		"ready again":                           {fleet.HealthReport{Ready: true}, said(api.False, 7), api.True, "Ready"},
		"a new generation has its own progress": {fleet.HealthReport{}, said(api.True, 6), api.Unknown, "Progressing"},
		"beyond help before it was ever ready":  {fleet.HealthReport{Failed: true}, never, api.False, "NotReady"},
		"containers end and start again":        {fleet.HealthReport{Restarting: true}, never, api.False, "Restarting"},
		"it cannot be said":                     {fleet.HealthReport{Unjudged: true}, said(api.True, 7), api.Unknown, "Unjudged"},
		"all work is done":                      {fleet.HealthReport{Completed: true, Ready: true}, never, api.True, "Completed"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.report.Message = "what the cluster says"
			want := api.Condition{Type: api.Healthy, Status: test.status, Reason: test.reason,
				Message: "what the cluster says", ObservedGeneration: 7}
			if diff := cmp.Diff(want, healthCondition(test.report, test.before, 7)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestServicesArePatchedToWhatIsSeen(t *testing.T) {
	app := api.New[api.Application]()
	app.Status.Services = api.Services{"web": "10.0.0.1:30001", "old": "10.0.0.1:30002"}
	p := &pass{app: app}
	want := map[string]any{"web": "10.0.0.2:30009", "old": nil}
	if diff := cmp.Diff(want, p.servicesPatch(map[string]string{"web": "10.0.0.2:30009"})); diff != "" {
		t.Error(diff)
	}
}

func TestHealthIsThatOfWhatWasApplied(t *testing.T) {
	applied := func(status api.ConditionStatus, generation int64) api.Condition {
		return api.Condition{Type: api.Applied, Status: status, Reason: "x", ObservedGeneration: generation}
	}
	ready := api.Condition{Type: api.Healthy, Status: api.True, Reason: "Ready", ObservedGeneration: 1}
	for name, c := range map[string]struct {
		before     api.Conditions
		patch      map[string]any
		generation int64
	}{
		"a newer generation waits for the scheduler":    {api.Conditions{applied(api.True, 1), ready}, map[string]any{}, 1},
		"a newer generation is being applied":           {api.Conditions{applied(api.Unknown, 2), ready}, map[string]any{}, 1},
		"a newer generation was refused":                {api.Conditions{applied(api.False, 2), ready}, map[string]any{}, 1},
		"the newer generation was applied":              {api.Conditions{applied(api.True, 2), ready}, map[string]any{}, 2},
		"the newer generation was applied in this pass": {api.Conditions{applied(api.Unknown, 2), ready}, map[string]any{"conditions": api.Conditions{applied(api.True, 2), ready}}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			app := api.New[api.Application]()
			app.Metadata.Generation, app.Status.Conditions = 2, c.before
			p := &pass{Applications: &Applications{clock: noon.Time}, app: app}
			p.sawHealth(fleet.HealthReport{Message: "Deployment web: 0 of 1 is ready"}, c.patch)
			conditions, _ := c.patch["conditions"].(api.Conditions)
			if got := conditions.Get(api.Healthy); got.ObservedGeneration != c.generation {
				t.Errorf("%+v, expected generation %d", got, c.generation)
			}
		})
	}
}

// C16 of the acceptance scenarios: what becomes of workloads becomes the state, and back.
func TestC16TheStateFollowsWorkloads(t *testing.T) {
	workload := func(group, kind string, status map[string]any, spec map[string]any) *unstructured.Unstructured {
		version := strings.TrimPrefix(group+"/v1", "/")
		return &unstructured.Unstructured{Object: map[string]any{"apiVersion": version, "kind": kind,
			"metadata": map[string]any{"name": "web", "namespace": "team", "generation": int64(1)}, "spec": spec, "status": status}}
	}
	holds := func(condition string) []any { return []any{map[string]any{"type": condition, "status": "True"}} }
	deployment := func(ready int64) *unstructured.Unstructured {
		return workload("apps", "Deployment", map[string]any{"observedGeneration": int64(1), "replicas": int64(2), "updatedReplicas": int64(2),
			"readyReplicas": ready, "availableReplicas": ready, "conditions": holds("Available")}, map[string]any{"replicas": int64(2)})
	}
	pod := func(state map[string]any) *unstructured.Unstructured {
		return workload("", "Pod", map[string]any{"phase": "Running", "containerStatuses": []any{map[string]any{"name": "c", "state": state}}},
			map[string]any{"restartPolicy": "Always"})
	}
	here := api.ClusterKind.Ref("testing", "here")
	for name, c := range map[string]struct {
		before, live *unstructured.Unstructured // one after the other
		state        api.ApplicationState
	}{
		"C16: a Job completes": {
			workload("batch", "Job", map[string]any{"active": int64(1), "startTime": "x"}, nil),
			workload("batch", "Job", map[string]any{"succeeded": int64(1), "startTime": "x", "conditions": holds("Complete")}, nil), api.AppCompleted,
		},
		"C16: a Pod crashes again and again": {
			pod(map[string]any{"running": map[string]any{}}),
			pod(map[string]any{"waiting": map[string]any{"reason": "CrashLoopBackOff"}}), api.AppDegraded,
		},
		"C16: a Deployment is not ready any more": {deployment(2), deployment(1), api.AppDegraded},
		"C16: a Deployment is ready again":        {deployment(1), deployment(2), api.AppRunning},
	} {
		t.Run(name, func(t *testing.T) {
			app := api.New[api.Application]()
			app.Metadata.Generation, app.Status.ScheduledTo, app.Status.RunningOn, app.Status.State = 1, &here, &here, api.AppRunning
			app.Status.Conditions = api.Conditions{{Type: api.Applied, Status: api.True, Reason: "Accepted", ObservedGeneration: 1}}
			for _, live := range []*unstructured.Unstructured{c.before, c.live} {
				before, status := *app, map[string]any{}
				p := &pass{Applications: &Applications{clock: noon.Time}, app: app}
				p.sawHealth(fleet.Health([]*unstructured.Unstructured{live}, nil, nil), status)
				app.Status.Conditions = p.conditionsIn(status)
				app.Settle(&before)
			}
			if app.Status.State != c.state {
				t.Errorf("it is %s, not %s: %+v", app.Status.State, c.state, app.Status.Conditions)
			}
		})
	}
}
