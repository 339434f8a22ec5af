package conformance

import (
	"testing"

	"github.com/rak-n-rok/krake/api"
)

// A story is what happens to one application, told step by step.
type story struct {
	*testing.T
	s *server
}

// tell creates an application with these hooks and returns its story.
func tell(t *testing.T, s *server, hooks ...string) *story {
	t.Helper()
	s.ask(t, "POST", apps, parse(t, []byte(app("x"))).with("spec.hooks", append([]string{}, hooks...))).want(t, 200)
	t.Cleanup(func() { s.ask(t, "DELETE", apps+"/x?force=True", nil) })
	return &story{t, s}
}

func (x *story) read() document {
	x.Helper()
	return x.s.ask(x, "GET", apps+"/x", nil).want(x, 200).document(x)
}

// old writes a whole status as a controller of the reference does, which knows no conditions.
func (x *story) old(fields document) {
	x.Helper()
	d := stripped(x, "Application", x.read())
	for path, value := range fields {
		d = d.with("status."+path, value)
	}
	x.s.ask(x, "PUT", apps+"/x/status", d).want(x, 200)
}

// report sets one condition, as one of our controllers does, beside other fields of the status.
func (x *story) report(kind api.ConditionType, status api.ConditionStatus, reason string, fields ...document) {
	x.Helper()
	conditions := []any{document{"type": kind, "status": status, "reason": reason, "message": "because"}}
	for _, c := range x.read().at("status.conditions").([]any) {
		if document(c.(map[string]any)).text("type") != string(kind) {
			conditions = append(conditions, c)
		}
	}
	patch := document{"conditions": conditions}
	for _, more := range fields {
		for path, value := range more {
			patch[path] = value
		}
	}
	x.patch(patch)
}

func (x *story) patch(status document) {
	x.Helper()
	x.s.ask(x, "PATCH", apps+"/x/status", document{"status": status}).want(x, 200)
}

func (x *story) bind() {
	x.Helper()
	x.s.ask(x, "PUT", apps+"/x/binding", `{"cluster":`+edge+`}`).want(x, 200)
}

func (x *story) act(action, body string) {
	x.Helper()
	x.s.ask(x, "PUT", apps+"/x/"+action, body).want(x, 200)
}

// is fails the test unless the state is this one, and the reason if one is given.
func (x *story) is(when string, state api.ApplicationState, reason ...any) {
	x.Helper()
	got := x.read()
	if got.text("status.state") != string(state) {
		x.Errorf("%s: the state is %s, want %s; conditions %v", when, got.text("status.state"), state, got.at("status.conditions"))
	}
	if len(reason) > 0 && got.at("status.reason.code") != reason[0] {
		x.Errorf("%s: the reason is %v, want %v", when, got.at("status.reason"), reason[0])
	}
}

// Section 4.6: while controllers of the reference are at work, a binding leaves state and reason to them.
func TestABindingChangesNeitherStateNorReason(t *testing.T) {
	s := start(t)
	for _, state := range api.ApplicationState("").Members() {
		for name, c := range map[string]struct {
			reason, want any // codes
			state        api.ApplicationState
		}{
			"without a reason":                {nil, nil, api.ApplicationState(state)},
			"with a reason":                   {"KUBERNETES_ERROR", "KUBERNETES_ERROR", api.ApplicationState(state)},
			"because no place had been found": {"NO_SUITABLE_RESOURCE", nil, api.AppPending},
		} {
			t.Run(state+" "+name, func(t *testing.T) {
				x, reason := tell(t, s), any(nil)
				if c.reason != nil {
					reason = document{"code": c.reason, "message": "because"}
				}
				x.old(document{"state": state, "reason": reason})
				for range 2 {
					x.bind()
					x.is("bound", c.state, c.want)
				}
			})
		}
	}
}

// What was asked for and what was answered must not be forgotten because somebody reports something else.
func TestAShutdownOutlivesOtherReports(t *testing.T) {
	s := start(t)
	running := func(t *testing.T, hooks ...string) *story {
		x := tell(t, s, hooks...)
		x.bind()
		x.report(api.Applied, api.True, "Accepted", document{"running_on": tree(edge), "shutdown_token": "s", "complete_token": "c"})
		x.is("applied", api.AppRunning)
		return x
	}
	t.Run("that a deletion asks for", func(t *testing.T) {
		x := running(t, "shutdown")
		s.ask(t, "DELETE", apps+"/x", nil).want(t, 200)
		x.is("deletion asked", api.AppWaitingForCleaning)
		x.report(api.Healthy, api.False, "NotReady")
		x.is("something is not ready", api.AppWaitingForCleaning)
		x.act("shutdown", `{"token":"s"}`)
		x.is("confirmed", api.AppReadyForAction)
		x.report(api.Healthy, api.True, "Ready")
		x.is("ready again", api.AppReadyForAction)
		x.report(api.ShuttingDown, api.False, "Done")
		x.report(api.Cleaned, api.Unknown, api.InProgress)
		x.is("its objects are being removed", api.AppDeleting)
	})
	t.Run("that a deletion need not ask for", func(t *testing.T) {
		x := running(t, "complete")
		s.ask(t, "DELETE", apps+"/x", nil).want(t, 200)
		x.is("deletion asked", api.AppRunning)
		x.report(api.Cleaned, api.Unknown, api.InProgress)
		x.is("its objects are being removed", api.AppDeleting)
	})
	t.Run("of an application that has done its work", func(t *testing.T) {
		x := running(t, "complete")
		x.act("complete", `{"token":"c"}`)
		x.is("complete", api.AppReadyForAction)
		x.report(api.Healthy, api.True, api.Completed)
		x.is("everything has ended", api.AppReadyForAction)
	})
	t.Run("that is tried again", func(t *testing.T) {
		x := running(t, "shutdown")
		x.report(api.Healthy, api.False, "NotReady")
		x.is("not ready", api.AppDegraded)
		x.act("retry", "")
		x.is("retried", api.AppWaitingForCleaning)
		x.report(api.Healthy, api.True, "Ready")
		x.is("ready", api.AppWaitingForCleaning)
	})
	t.Run("unless there is nobody to ask", func(t *testing.T) {
		x := running(t)
		x.report(api.Healthy, api.False, "NotReady")
		x.act("retry", "")
		x.is("retried", api.AppWaitingForCleaning)
		x.report(api.Healthy, api.True, "Ready")
		x.is("ready", api.AppRunning)
	})
}

// A controller of the reference asks by the state, hears of the answer by the state, and ends it by the next one.
func TestAShutdownOfAnOldController(t *testing.T) {
	x := tell(t, start(t), "shutdown")
	x.bind()
	x.old(document{"state": "RUNNING", "running_on": tree(edge), "shutdown_token": "s"})
	for range 2 {
		x.old(document{"state": "WAITING_FOR_CLEANING"})
		x.act("shutdown", `{"token":"s"}`)
		x.is("confirmed", api.AppReadyForAction)
		x.old(document{"state": "MIGRATING"})
		x.bind()
		x.is("bound while it moves", api.AppMigrating)
		x.old(document{"state": "RUNNING"})
		x.bind()
		x.is("bound while it runs", api.AppRunning)
	}
	x.report(api.Applied, api.True, "Accepted")
	x.report(api.Healthy, api.False, "NotReady")
	x.is("a new controller takes over", api.AppDegraded)
}

// The state depends on more than conditions: on whether there is another attempt, a binding, and something that runs.
func TestTheStateFollowsWhatElseItDependsOn(t *testing.T) {
	s := start(t)
	t.Run("the next attempt", func(t *testing.T) {
		x := tell(t, s)
		x.report(api.Scheduled, api.False, "NO_SUITABLE_RESOURCE", document{"scheduled_retry": "2030-01-01T00:00:00Z"})
		x.is("another attempt follows", api.AppDegraded, "NO_SUITABLE_RESOURCE")
		x.patch(document{"scheduled_retry": "2031-01-01T00:00:00Z"})
		x.is("later", api.AppDegraded, "NO_SUITABLE_RESOURCE")
		x.patch(document{"scheduled_retry": nil})
		x.is("none is left", api.AppFailed, "NO_SUITABLE_RESOURCE")
		x.patch(document{"scheduled_retry": "2031-01-01T00:00:00Z"})
		x.is("one more", api.AppDegraded, "NO_SUITABLE_RESOURCE")
	})
	t.Run("what runs, and the binding", func(t *testing.T) {
		x := tell(t, s)
		x.bind()
		x.report(api.Applied, api.Unknown, api.InProgress)
		x.is("nothing runs", api.AppCreating)
		x.patch(document{"running_on": tree(edge)})
		x.is("something runs", api.AppReconciling)
		x.patch(document{"running_on": nil})
		x.is("nothing runs any more", api.AppCreating)
		x.patch(document{"scheduled_to": nil})
		x.is("nothing is bound either", api.AppPending)
	})
	t.Run("unless a client writes the state by itself", func(t *testing.T) {
		x := tell(t, s)
		x.bind()
		x.report(api.Applied, api.Unknown, api.InProgress)
		x.old(document{"state": "FAILED", "running_on": tree(edge)})
		x.is("as it was written", api.AppFailed)
	})
	t.Run("unless nobody reports", func(t *testing.T) {
		x := tell(t, s)
		x.old(document{"state": "RUNNING", "running_on": tree(edge), "scheduled_to": tree(edge)})
		x.old(document{"running_on": nil, "scheduled_to": nil})
		x.is("as it was written", api.AppRunning)
		x.old(document{"scheduled_to": tree(edge), "reason": document{"code": "NO_SUITABLE_RESOURCE", "message": "because"}})
		x.is("as it was written", api.AppRunning, "NO_SUITABLE_RESOURCE")
		x.old(document{"running_on": tree(edge)})
		x.is("as it was written", api.AppRunning, "NO_SUITABLE_RESOURCE")
	})
}
