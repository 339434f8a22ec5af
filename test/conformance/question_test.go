package conformance

import "testing"

// A server in which nobody answers a question says so; what is wrong with the question comes first.
func TestAQuestionThatNobodyAnswers(t *testing.T) {
	s := start(t)
	s.ask(t, "POST", apps, app("x")).want(t, 200)
	const path = "/kubernetes/namespaces/solar/placements"
	s.ask(t, "POST", path, `{"name":"x"}`).problem(t, 501, "", "501: Not Implemented: nobody answers this here")
	s.ask(t, "GET", apps+"/x/placement?explain=true", nil).want(t, 501)
	s.ask(t, "GET", apps+"/x/inventory?explain=true", nil).want(t, 200)
	s.ask(t, "GET", apps+"/none/placement?explain=true", nil).want(t, 404)
	s.ask(t, "POST", path, `{"name":5}`).problem(t, 422, "", "{'name': ['Not a valid string.']}")
	s.ask(t, "POST", path+"?strict=true", `{"name":"x","names":[]}`).want(t, 422)
	s.ask(t, "POST", "/kubernetes/namespaces/a%2Fb/placements", `{"name":"x"}`).want(t, 422)
	s.ask(t, "GET", path, nil).want(t, 405)
	s.ask(t, "POST", path+"/x", `{}`).want(t, 404)
	s.ask(t, "POST", "/kubernetes/placements", `{}`).want(t, 404)
}

// A record of decisions that was written before they told of runners-up and terms is read as one without.
func TestADecisionOfAnOlderServer(t *testing.T) {
	s := start(t)
	s.ask(t, "POST", apps, app("x")).want(t, 200)
	old := `{"decisions":[{"outcome":"placed","chosen":"a","code":"first","candidates":[{"name":"a","score":0.5}],"refused":{}}]}`
	got := s.ask(t, "PUT", apps+"/x/placement", old).want(t, 200).document(t)
	decisions, _ := got.at("content.decisions").([]any)
	same(t, "the decision", document{"time": nil, "generation": 0, "outcome": "placed", "chosen": "a", "current": "", "code": "first", "reason": "",
		"candidates": []any{document{"name": "a", "score": 0.5, "refusal": "", "note": "", "terms": []any{}}}, "refused": document{},
		"runner_up": "", "margin": 0, "move_above": nil}, decisions[0])
}
