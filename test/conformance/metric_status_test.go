package conformance

import "testing"

// The status of a metric is an addition: whoever does not know it neither needs nor loses it, and it is none of what the
// metric's owner writes.
func TestTheStatusOfAMetricIsWrittenByItselfAlone(t *testing.T) {
	s := start(t)
	for _, e := range entries {
		if !e.statusAdded() {
			continue
		}
		t.Run(e.kind, func(t *testing.T) {
			status := document{"value": 0.5, "read_at": "2026-01-01T10:00:00+00:00", "error": document{"code": "INVALID_METRIC", "message": "m"}, "failed_since": nil}
			created := s.ask(t, "POST", e.path(""), e.body("x").with("status", status)).want(t, 200).document(t)
			none := document{"value": nil, "read_at": nil, "error": nil, "failed_since": nil}
			same(t, "the status of a new one", none, created["status"])
			read := s.ask(t, "PATCH", e.path("x")+"/status", document{"status": status}).want(t, 200).document(t)
			same(t, "the status", status, read["status"])
			for _, field := range []string{"metadata.modified", "metadata.generation"} {
				same(t, field, created.at(field), read.at(field))
			}
			same(t, "what an old client gets", stripped(t, e.kind, created), stripped(t, e.kind, read))

			old := stripped(t, e.kind, read)
			s.ask(t, "PUT", e.path("x"), old).problem(t, 400, "UPDATE_ERROR", "The body contained no update.")
			changed := s.ask(t, "PUT", e.path("x"), old.with("spec.max", 7)).want(t, 200).document(t)
			same(t, "the status after an old client's PUT", status, changed["status"])
			changed = s.ask(t, "PUT", e.path("x"), read.with("spec.max", 8).with("status", none)).want(t, 200).document(t)
			same(t, "the status after a PUT with another one", status, changed["status"])
			changed = s.ask(t, "PATCH", e.path("x"), `{"spec":{"max":9},"status":{"value":3}}`).want(t, 200).document(t)
			same(t, "the status after a PATCH", status, changed["status"])

			// A record of before there was one.
			s.store(t, e.key("x"), func(d document) document { return d.without("status") })
			same(t, "an older record", none, s.ask(t, "GET", e.path("x"), nil).want(t, 200).document(t)["status"])
			changed = s.ask(t, "PATCH", e.path("x"), `{"spec":{"max":10}}`).want(t, 200).document(t)
			same(t, "the status of an older record", none, changed["status"])
			s.ask(t, "PATCH", e.path("x")+"/status", `{"status":{"value":1}}`).want(t, 200)
			emptied := s.ask(t, "PUT", e.path("x")+"/status", changed.with("status", nil)).want(t, 200).document(t)
			same(t, "an emptied status", none, emptied["status"])
			s.ask(t, "PATCH", e.path("x")+"/status", `{"status":{"value":"warm"}}`).problem(t, 422, "", "{'status': {'value': ['Not a valid number.']}}")
			s.ask(t, "PATCH", e.path("x")+"/status", `{"status":{"error":{"code":"NOPE","message":""}}}`).
				problem(t, 422, "", "{'status': {'error': {'code': ['Invalid enum member NOPE']}}}")
		})
	}
}
