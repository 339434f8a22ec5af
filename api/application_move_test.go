package api_test

import (
	"net/http"
	"testing"

	"github.com/rak-n-rok/krake/api"
)

func TestAMoveByHand(t *testing.T) {
	berlin, bonn := api.ClusterKind.Ref("testing", "berlin"), api.ClusterKind.Ref("testing", "bonn")
	moving := api.Condition{Type: api.Migrating, Status: api.True}
	for name, c := range map[string]struct {
		change func(a *api.Application)
		to     string
		want   string // the refusal
	}{
		"to another cluster":          {func(*api.Application) {}, "bonn", ""},
		"again, after it was refused": {func(a *api.Application) { a.Status.MoveRequest = &api.MoveRequest{To: "bonn", Refused: "no"} }, "bonn", ""},
		"where it is pinned to":       {func(a *api.Application) { a.Spec.Pin = "bonn" }, "bonn", ""},
		"somewhere else":              {func(a *api.Application) { a.Spec.Pin = "berlin" }, "bonn", "it is pinned to berlin. 'rok kube app unpin' ends that."},
		"one that is being deleted":   {func(a *api.Application) { a.Metadata.Deleted = at(1) }, "bonn", "it is being deleted."},
		"one without a place":         {func(a *api.Application) { a.Status.ScheduledTo = nil }, "bonn", "it has no place yet. 'rok kube app pin' says where it is to go."},
		"one that is moving":          {func(a *api.Application) { a.Status.Conditions = api.Conditions{moving} }, "bonn", "it is on its way to berlin."},
		"one that is about to":        {func(a *api.Application) { a.Status.RunningOn = &bonn }, "bonn", "it is on its way to berlin."},
		"one that is paused":          {func(a *api.Application) { a.Spec.Paused = true }, "bonn", "it is paused. 'rok kube app resume' ends that."},
		"one that must not move":      {func(a *api.Application) { a.Spec.Constraints.Migration = false }, "bonn", "its migration is switched off."},
	} {
		t.Run(name, func(t *testing.T) {
			a := api.New[api.Application]()
			a.Spec.Constraints.Migration = true
			a.Status.ScheduledTo, a.Status.RunningOn = &berlin, &berlin
			c.change(a)
			err := api.ApplicationKind.Action("move").Apply(a, &api.ApplicationMove{Cluster: c.to}, *at(5), nil)
			if c.want != "" {
				wantProblem(t, err, http.StatusConflict, api.TitleUpdate, "The application is not moved: "+c.want)
				if a.Status.MoveRequest.Open() {
					t.Error("it is noted all the same")
				}
				return
			}
			if m := a.Status.MoveRequest; err != nil || !m.Open() || m.To != c.to || !m.Time.Equal(*at(5)) {
				t.Errorf("%+v, %v", m, err)
			}
		})
	}
}

func TestARequestToMoveEndsWithItsBinding(t *testing.T) {
	bonn := api.ClusterKind.Ref("testing", "bonn")
	for name, c := range map[string]struct {
		request api.MoveRequest
		ends    bool
	}{
		"it is fulfilled":                     {api.MoveRequest{To: "bonn"}, true},
		"it was refused":                      {api.MoveRequest{To: "berlin", Refused: "no"}, true},
		"it came after the other was decided": {api.MoveRequest{To: "berlin"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			a := api.New[api.Application]()
			a.Status.MoveRequest = &c.request
			if err := api.ApplicationKind.Action("binding").Apply(a, &api.ClusterBinding{Cluster: bonn}, *at(5), map[string]any{}); err != nil {
				t.Fatal(err)
			}
			if (a.Status.MoveRequest == nil) != c.ends {
				t.Errorf("%+v", a.Status.MoveRequest)
			}
		})
	}
	a := api.New[api.Application]()
	a.Status.ScheduledTo, a.Status.MoveRequest = &bonn, &api.MoveRequest{To: "berlin"}
	if err := api.ApplicationKind.Action("move").Apply(a, &api.ApplicationMove{Cluster: "bonn"}, *at(5), nil); err != nil || a.Status.MoveRequest != nil {
		t.Errorf("to stay where it is: %+v, %v", a.Status.MoveRequest, err)
	}
}
