package conformance

import "testing"

// Moves, pins and pauses by hand are additions: bad ones are refused, and old clients erase none of them.
func TestMovesPinsAndPausesByHand(t *testing.T) {
	s := start(t)
	s.ask(t, "POST", apps, app("x")).want(t, 200)
	d := s.ask(t, "GET", apps+"/x", nil).want(t, 200).document(t)
	if d.at("spec.paused") != false || d.at("spec.pin") != "" || d.at("status.move_request") != nil {
		t.Errorf("at first: %v, %v, %v", d.at("spec.paused"), d.at("spec.pin"), d.at("status.move_request"))
	}
	move := func(body string) answer { return s.ask(t, "PUT", apps+"/x/move", body) }
	move(`{}`).problem(t, 422, "", `{'cluster': ['Missing data for required field.']}`)
	move(`{"cluster":"a/b"}`).problem(t, 422, "", `{'cluster': ['Invalid character in resource name.']}`)
	move(`{"cluster":""}`).problem(t, 422, "", `{'cluster': ['Invalid character in resource name.']}`)
	move(`{"kind":"Retry","cluster":"b"}`).problem(t, 422, "", `{'kind': ['Must be equal to ApplicationMove.']}`)
	move(`{"cluster":"b"}`).problem(t, 409, "UPDATE_ERROR", "The application is not moved: it has no place yet. 'rok kube app pin' says where it is to go.")
	s.ask(t, "PUT", apps+"/nothing/move", `{"cluster":"b"}`).want(t, 404)
	s.ask(t, "PATCH", apps+"/x", `{"spec":{"pin":"a/b"}}`).problem(t, 422, "", `{'spec': {'pin': ['Invalid character in resource name.']}}`)
	s.ask(t, "PATCH", apps+"/x", `{"spec":{"paused":"perhaps"}}`).want(t, 422)

	s.ask(t, "PUT", apps+"/x/binding", `{"cluster":{"api":"kubernetes","kind":"Cluster","namespace":"solar","name":"a"}}`).want(t, 200)
	d = move(`{"cluster":"b"}`).want(t, 200).document(t)
	if d.text("status.move_request.to") != "b" || d.text("status.move_request.refused") != "" || d.at("metadata.generation") == nil {
		t.Errorf("asked for: %v", d.at("status.move_request"))
	}
	s.ask(t, "PATCH", apps+"/x", `{"spec":{"pin":"b","paused":true}}`).want(t, 200)
	move(`{"cluster":"b"}`).problem(t, 409, "UPDATE_ERROR", "The application is not moved: it is paused. 'rok kube app resume' ends that.")

	d = s.ask(t, "GET", apps+"/x", nil).want(t, 200).document(t)
	old := stripped(t, "Application", d)
	s.ask(t, "PUT", apps+"/x", old.with("metadata.labels", document{"changed": "yes"})).want(t, 200)
	s.ask(t, "PUT", apps+"/x/status", old).want(t, 200)
	d = s.ask(t, "GET", apps+"/x", nil).want(t, 200).document(t)
	if d.at("spec.paused") != true || d.text("spec.pin") != "b" || d.text("status.move_request.to") != "b" {
		t.Errorf("after an old client: %v, %v, %v", d.at("spec.paused"), d.at("spec.pin"), d.at("status.move_request"))
	}
	s.ask(t, "PUT", apps+"/x/binding", `{"cluster":{"api":"kubernetes","kind":"Cluster","namespace":"solar","name":"b"}}`).want(t, 200)
	if d := s.ask(t, "GET", apps+"/x", nil).want(t, 200).document(t); d.at("status.move_request") != nil {
		t.Errorf("it is fulfilled: %v", d.at("status.move_request"))
	}
}
