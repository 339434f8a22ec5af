package kubernetes

import (
	"testing"

	"github.com/google/go-cmp/cmp"

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
