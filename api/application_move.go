package api

import (
	"net/http"

	"github.com/rak-n-rok/krake/api/wire"
)

// ApplicationMove is the body of PUT …/move: somebody wants the application on another cluster, once.
type ApplicationMove struct {
	API     string `json:"api,omitempty" wire:"default=kubernetes"`
	Kind    string `json:"kind,omitempty" wire:"default=ApplicationMove"`
	Cluster string `json:"cluster" wire:"required"` // its name, in the application's namespace
}

// CheckWire checks api and kind, and that the cluster can be one.
func (m *ApplicationMove) CheckWire(e *wire.Errors) {
	checkNames(e, m.API, m.Kind, "kubernetes", "ApplicationMove")
	checkClusterName(e.At("cluster"), m.Cluster)
}

func checkClusterName(e *wire.Errors, name string) {
	if !ValidName(name) {
		e.Add("Invalid character in resource name.")
	}
}

// MoveRequest is a move that somebody has asked for. The scheduler makes it, or refuses it.
type MoveRequest struct {
	To      string `json:"to" wire:"required"` // the cluster's name
	Time    *Time  `json:"time"`
	Refused string `json:"refused"` // why it was not made; empty while that is open
}

// Open says whether the scheduler has not answered yet.
func (r *MoveRequest) Open() bool { return r != nil && r.Refused == "" }

// moveApplication notes a move for the scheduler. What the application itself says against it is refused at once; to be
// where it is to go is fine.
func moveApplication(r Resource, body any, now Time, _ map[string]any) error {
	a, to := r.(*Application), body.(*ApplicationMove).Cluster
	s := &a.Status
	switch {
	case a.Metadata.Deleted != nil:
		return notMoved("it is being deleted.")
	case s.ScheduledTo == nil:
		return notMoved("it has no place yet. 'rok kube app pin' says where it is to go.")
	case s.ScheduledTo.Name == to:
		s.MoveRequest = nil
		return nil
	case s.Conditions.Get(Migrating).Status == True || s.RunningOn != nil && !SameRef(s.RunningOn, s.ScheduledTo):
		return notMoved("it is on its way to %s.", s.ScheduledTo.Name)
	case a.Spec.Paused:
		return notMoved("it is paused. 'rok kube app resume' ends that.")
	case !a.Spec.Constraints.Migration:
		return notMoved("its migration is switched off.")
	case a.Spec.Pin != "" && a.Spec.Pin != to:
		return notMoved("it is pinned to %s. 'rok kube app unpin' ends that.", a.Spec.Pin)
	}
	s.MoveRequest = &MoveRequest{To: to, Time: &now}
	return nil
}

func notMoved(why string, args ...any) error {
	return NewProblem(http.StatusConflict, TitleUpdate, "The application is not moved: "+why, args...)
}
