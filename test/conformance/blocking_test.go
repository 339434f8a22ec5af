package conformance

import "testing"

func TestAnUpdateMayWaitForAState(t *testing.T) { // section 10, S-11
	s := start(t)
	created := s.ask(t, "POST", apps, app("x")).want(t, 200).document(t)
	body := created.with("spec.backoff", 5)
	s.ask(t, "PUT", apps+"/x?blocking=pending", body).want(t, 200)                       // which it is
	s.ask(t, "PUT", apps+"/x?blocking=False", body.with("spec.backoff", 6)).want(t, 200) // as rok says that it does not wait
	s.ask(t, "PUT", apps+"/x?blocking=running", created.with("metadata.name", "y")).want(t, 400)

	w := s.watch(t, apps+"?watch&heartbeat=0")
	answered := make(chan answer, 1)
	go func() {
		a, _ := s.send("PUT", apps+"/x?blocking=running", body.with("spec.backoff", 7))
		answered <- a
	}()
	updated := w.want(t, "MODIFIED", "x").Object
	select {
	case a := <-answered:
		t.Fatalf("answered %d %s before it ran", a.status, a.body)
	default:
	}
	s.ask(t, "PUT", apps+"/x/status", updated.with("status.state", "RUNNING")).want(t, 200)
	got := (<-answered).want(t, 200).document(t)
	if got.at("spec.backoff") != 7.0 || got.text("status.state") != "RUNNING" {
		t.Errorf("%v", got)
	}
}
