package conformance

import (
	"testing"

	"github.com/rak-n-rok/krake/internal/apiserver"
)

const twoWait = `{"why":"the manifest does not name them any more.","waiting":[` +
	`{"cluster":"id-1","version":"v1","kind":"ConfigMap","namespace":"solar","name":"panel","uid":"u-1"},` +
	`{"cluster":"id-1","version":"v1","kind":"Secret","namespace":"solar","name":"key","uid":"u-2"}]}`

// An approval names objects by their UIDs. It is for those that wait, and a wrong one approves nothing at all.
func TestAnApprovalIsForWhatWaitsAndForNothingElse(t *testing.T) {
	s := start(t)
	s.ask(t, "POST", apps, app("x")).want(t, 200)
	s.ask(t, "POST", leftovers, `{"metadata":{"name":"x"},"spec":{"identity":"id-1"}}`).want(t, 200)
	for collection, word := range map[string]string{apps: "application", leftovers: "leftover"} {
		object := collection + "/x"
		removal := func() document {
			return document(s.ask(t, "GET", object+"/removal", nil).want(t, 200).document(t)["content"].(map[string]any))
		}
		approve := func(uids ...string) answer {
			return s.ask(t, "PUT", object+"/approval", document{"uids": append([]string{}, uids...)})
		}
		s.ask(t, "PUT", object+"/approval", `{}`).problem(t, 422, "",
			`{'uids': ['Missing data for required field.']}`)
		approve().problem(t, 422, "", `{'uids': ['Must name the objects whose removal is approved.']}`)
		s.ask(t, "PUT", object+"/approval", `{"kind":"Retry","uids":["u-1"]}`).problem(t, 422, "", `{'kind': ['Must be equal to RemovalApproval.']}`)
		approve("u-1").problem(t, 409, "TRANSACTION_ERROR", "Nothing was approved: no removal of these objects waits for it: u-1.")
		s.ask(t, "PUT", collection+"/nothing/approval", `{"uids":["u-1"]}`).want(t, 404)

		s.ask(t, "PUT", object+"/removal", twoWait).want(t, 200)
		before := removal()
		approve("u-3", "u-1", "u-4").problem(t, 409, "TRANSACTION_ERROR", "Nothing was approved: no removal of these objects waits for it: u-3, u-4.")
		same(t, "the part after a refusal", before, removal())

		told := func(a answer) document {
			d := a.want(t, 200).document(t)
			return document(d.at("status.conditions").([]any)[0].(map[string]any))
		}
		c := told(approve("u-1"))
		if c.text("type") != "AwaitingApproval" || c.text("status") != "True" || c.text("reason") != "ManyRemovals" ||
			c.text("message") != "1 object stays until the removal is approved, because so many would go at once: "+
				"the manifest does not name them any more. 'rok kube "+word+" approve -n solar x' shows what would go, and approves it." {
			t.Errorf("after the first approval: %v", c)
		}
		same(t, "what is allowed", []string{"u-1"}, removal().at("allowed"))
		if c := told(approve("u-1", "u-2")); c.text("status") != "False" || c.text("reason") != "Approved" { // the first one once more
			t.Errorf("after the second approval: %v", c)
		}
		same(t, "what waits", []any{}, removal().at("waiting"))
		same(t, "what is allowed", []string{"u-1", "u-2"}, removal().at("allowed"))
	}
}

// Whether anybody has named an object that is to go is the server's to know: no body can say so.
func TestACascadeIsToldFromADeletionByName(t *testing.T) {
	s := start(t)
	cascaded := func(what string, a answer, want bool) document {
		t.Helper()
		d := a.want(t, 200).document(t)
		if d.at("status.cascaded") != want {
			t.Errorf("%s: %v", what, d.at("status.cascaded"))
		}
		return d
	}
	for _, name := range []string{"named", "taken-along", "complete"} {
		d := s.ask(t, "POST", apps, parse(t, []byte(app(name))).with("status", document{"cascaded": true}))
		cascaded("a new one", d, false)
		cascaded("a status", s.ask(t, "PUT", apps+"/"+name+"/status", d.document(t).with("status.cascaded", true).with("status.complete_token", "c")), false)
		cascaded("a patch", s.ask(t, "PATCH", apps+"/"+name+"/status", `{"status":{"cascaded":true}}`), false)
	}
	s.ask(t, "DELETE", apps+"/named?cascade=perhaps", nil).want(t, 422)
	cascaded("named", s.ask(t, "DELETE", apps+"/named", nil), false)
	cascaded("named before a cascade", s.ask(t, "DELETE", apps+"/named?cascade=true", nil), false)

	first := cascaded("taken along", s.ask(t, "DELETE", apps+"/taken-along?cascade=true", nil), true)
	again := cascaded("taken along again", s.ask(t, "DELETE", apps+"/taken-along?cascade=true", nil), true)
	same(t, "one that was deleted twice", first, again)
	cascaded("a status of one that is taken along", s.ask(t, "PUT", apps+"/taken-along/status", first.with("status.cascaded", false)), true)
	named := cascaded("named after a cascade", s.ask(t, "DELETE", apps+"/taken-along", nil), false)
	same(t, "when its deletion was asked for", first.at("metadata.deleted"), named.at("metadata.deleted"))
	cascaded("named for good", s.ask(t, "DELETE", apps+"/taken-along?cascade=true", nil), false)

	cascaded("before it is complete", s.ask(t, "DELETE", apps+"/complete?cascade=true", nil), true)
	cascaded("one that says itself that it is done", s.ask(t, "PUT", apps+"/complete/complete", `{"token":"c"}`), false)
}

// The garbage collector of the Python Krake does not say that it cascades. Where the server knows callers, it knows this one.
func TestTheGarbageCollectorIsKnownByItsName(t *testing.T) {
	s := start(t, func(o *apiserver.Options) { o.User = "system:gc" })
	s.ask(t, "POST", apps, app("x")).want(t, 200)
	if d := s.ask(t, "DELETE", apps+"/x", nil).want(t, 200).document(t); d.at("status.cascaded") != true {
		t.Errorf("%v", d.at("status.cascaded"))
	}
}
