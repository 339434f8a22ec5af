package conformance

import "testing"

// A rule that does not compile, or does not keep its own tests, is refused whichever way it comes. One that is stored all
// the same, by another version of Krake, can be read, labelled, repaired and deleted.
func TestARuleIsCheckedWhenItIsStored(t *testing.T) {
	s := start(t)
	const path = "/kubernetes/globalobjectrules"
	good := document(tree(`{"metadata":{"name":"r"},"spec":{"group":"example.org","kind":"Database","ready":"self.status.up",
		"tests":[{"name":"up","object":{"status":{"up":true}},"expect":{"ready":true}}]}}`).(map[string]any))
	wrong, failing := good.with("spec.ready", "slf.status.up"), good.with("spec.ready", "!self.status.up")
	const doesNotCompile = `{'spec': {'ready': ["line 1, column 1: undeclared reference to 'slf'"]}}`
	const fails = `{'spec': {'tests': {0: ['up: ready: true was expected, and false came.']}}}`

	s.ask(t, "POST", path, wrong).problem(t, 422, "", doesNotCompile)
	s.ask(t, "POST", path+"?dry_run=true", failing).problem(t, 422, "", fails)
	s.ask(t, "GET", path+"/r", nil).want(t, 404)
	s.ask(t, "PUT", path+"/r", wrong).want(t, 422) // as for other rules, before it is told that there is none

	s.ask(t, "POST", path, good).want(t, 200)
	stored := s.ask(t, "GET", path+"/r", nil).want(t, 200).document(t)
	s.ask(t, "PUT", path+"/r", stored.with("spec.ready", "slf.status.up")).problem(t, 422, "", doesNotCompile)
	s.ask(t, "PATCH", path+"/r", `{"spec":{"ready":"slf.status.up"}}`).problem(t, 422, "", doesNotCompile)
	s.ask(t, "PATCH", path+"/r", `{"spec":{"ready":"!self.status.up"}}`).problem(t, 422, "", fails)
	s.ask(t, "PATCH", path+"/r", `{"spec":{"ready":"self.status.up == true"}}`).want(t, 200)

	s.store(t, "/kubernetes/globalobjectrules/r", func(d document) document { return d.with("spec.ready", "of another version") })
	s.ask(t, "GET", path+"/r", nil).want(t, 200)
	s.ask(t, "PATCH", path+"/r", `{"metadata":{"labels":{"a":"b"}}}`).want(t, 200)
	s.ask(t, "PATCH", path+"/r", `{"spec":{"kind":"Cache"}}`).want(t, 422)
	s.ask(t, "PATCH", path+"/r", `{"spec":{"ready":"self.status.up"}}`).want(t, 200)
	s.ask(t, "DELETE", path+"/r", nil).want(t, 200)
}
